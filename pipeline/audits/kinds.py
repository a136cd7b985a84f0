"""Which kinds of tasks audits can examine."""

from pipeline.language import Sentence, said
from pipeline.tasks import KINDS, ClassOutputs, TaskKind, WritingKind, inputs


def without_classes(task: TaskKind) -> Sentence | None:
    """Why a kind gives no probability of each class; None if it does."""
    able = [name for name, each in KINDS.items() if _tells_classes(each)]
    return _why(task, able, "{task} gives no probability of one class a text. It examines {able}.")


def not_single_texts(task: TaskKind) -> Sentence | None:
    """Why a kind does not classify single texts; None if it does."""
    able = [name for name, each in KINDS.items() if _tells_classes(each) and each.linear and len(inputs(each)) == 1]
    return _why(task, able, "{task} does not classify single texts by a network's last layer. It examines {able}.")


def writing(task: TaskKind) -> Sentence | None:
    """Why the time of a kind's answer is not that of one pass over a text; None if it is."""
    able = [name for name, each in KINDS.items() if each.target is not None and not isinstance(each, WritingKind)]
    form = (
        "{task} writes text or fills gaps in it, so that its time depends on how much is asked for. It examines {able}."
    )
    return _why(task, able, form)


def _tells_classes(task: TaskKind) -> bool:
    return issubclass(task.outputs_type, ClassOutputs)


def _why(task: TaskKind, able: list[str], form: str) -> Sentence | None:
    return None if task.name in able else said(form, task=task.name, able=", ".join(able))

"""Which kinds of tasks audits can examine."""

from pipeline.tasks import KINDS, ClassOutputs, TaskKind, WritingKind, inputs


def without_classes(task: TaskKind) -> str | None:
    """Why a kind gives no probability of each class; None if it does."""
    able = [name for name, each in KINDS.items() if _tells_classes(each)]
    return _why(task, able, "gives no probability of one class a text")


def not_single_texts(task: TaskKind) -> str | None:
    """Why a kind does not classify single texts; None if it does."""
    able = [name for name, each in KINDS.items() if _tells_classes(each) and each.linear and len(inputs(each)) == 1]
    return _why(task, able, "does not classify single texts by a network's last layer")


def writing(task: TaskKind) -> str | None:
    """Why the time of a kind's answer is not that of one pass over a text; None if it is."""
    able = [name for name, each in KINDS.items() if each.target is not None and not isinstance(each, WritingKind)]
    return _why(task, able, "writes text or fills gaps in it, so that its time depends on how much is asked for")


def _tells_classes(task: TaskKind) -> bool:
    return issubclass(task.outputs_type, ClassOutputs)


def _why(task: TaskKind, able: list[str], lacks: str) -> str | None:
    return None if task.name in able else f"{task.name} {lacks}. It examines {', '.join(able)}."

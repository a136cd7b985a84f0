"""Audits: what is examined of trained cells beside their scores, each a file here, named in one dictionary."""

from collections.abc import Collection, Sequence

from pipeline.audits.audit import Audit, AuditReport, Examination, Measure, Predictor, Reader, Subject
from pipeline.audits.bias import Bias
from pipeline.audits.calibration import Calibration
from pipeline.audits.decay import Decay, NewWords
from pipeline.audits.latency import Latency
from pipeline.audits.memorisation import Memorisation
from pipeline.audits.metrics import OTHER_METRICS
from pipeline.audits.opacity import Opacity
from pipeline.audits.storage import Storage
from pipeline.errors import ConfigError, nearest
from pipeline.tasks import TaskKind

_ALL: tuple[Audit, ...] = (
    Calibration(), Bias(), Opacity(), Storage("storage", 8), Storage("storage_4bit", 4), Latency(), Decay(), NewWords(),
    Memorisation(), *OTHER_METRICS,
)  # fmt: skip
AUDITS = {each.name: each for each in _ALL}


def audits_of(task: TaskKind, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the audits of a kind's cells: those that are asked for, and those that are run on every cell.

    Raises:
        ConfigError: there is no such audit, or it cannot examine this kind.
    """
    wrong = [f"study.audits must name audits, but got {n!r}. {nearest(n, AUDITS)}" for n in asked if n not in AUDITS]
    known = [name for name in dict.fromkeys(asked) if name in AUDITS]
    wrong += [f"study.audits={name}: {why}" for name in known if (why := AUDITS[name].unable(task))]
    if wrong:
        raise ConfigError(wrong)
    standing = [name for name, audit in AUDITS.items() if audit.standing and not audit.unable(task)]
    return tuple(dict.fromkeys([*standing, *known]))


def examinations(audits: Sequence[str], evaluated: Collection[str]) -> tuple[Examination, ...]:
    """What the named audits examine: the test set, and some of them also each of the `evaluated` sets."""
    return tuple(
        Examination(name, dataset)
        for name in audits
        for dataset in ("test", *(evaluated if AUDITS[name].measure.of == "every_set" else ()))
    )


def measured_by(name: str) -> str:
    """What stands for an audit in the identity of what it finds."""
    return f"audit {name} {AUDITS[name].version}"


__all__ = [
    "AUDITS",
    "Audit",
    "AuditReport",
    "Examination",
    "Measure",
    "Predictor",
    "Reader",
    "Subject",
    "audits_of",
    "examinations",
    "measured_by",
]

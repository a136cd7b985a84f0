"""One exception tree. `exit_code` is what the command line returns: 2 for the user's mistakes, 1 for failures."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches


class HeadstartError(Exception):
    """Base of every error this package raises on purpose; its text is meant for people."""

    exit_code = 1


class UserError(HeadstartError):
    """Something the user can put right: a setting, a file, a name."""

    exit_code = 2


class ConfigError(UserError):
    """The configuration breaks one or more rules; all of them are listed at once."""

    def __init__(self, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        lines = [f"  {i}. {text}" for i, text in enumerate(self.violations, start=1)]
        heading = (
            "The configuration breaks 1 rule:" if len(lines) == 1 else f"The configuration breaks {len(lines)} rules:"
        )
        super().__init__("\n".join([heading, *lines]))

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[object, ...]]:
        return type(self), (self.violations,)  # so that a worker's error reaches the coordinator whole


class UnfitAuditError(ConfigError):
    """Audits cannot examine cells on these data with this base; `reasons` has why, by their names."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__([*self.reasons.values()])

    def __reduce__(self) -> tuple[type["ConfigError"], tuple[object, ...]]:
        return type(self), (self.reasons,)


class DataError(UserError):
    """The data cannot serve the task: missing, unreadable, too small or wrongly labelled."""


class BaseModelError(UserError):
    """The base cannot be loaded as asked: no weights, other architecture, unsafe format, no network."""


class UnequalStartError(HeadstartError):
    """Two arms of a comparison would not start on the same line."""


class TrainingError(HeadstartError):
    """A training went wrong: the loss is not finite."""


class MemoryRanOutError(HeadstartError):
    """A training finds too little memory on its device, however few texts are computed at a time."""


class CrampedError(HeadstartError):
    """One of a training's processes finds too little memory for its texts; with fewer at a time all could go on."""


class RanksError(HeadstartError):
    """The processes of one training hold different things, or have lost each other."""


class LostRankError(RanksError):
    """A process of a training broke off, and the others cannot go on without it."""


class StorageError(HeadstartError):
    """Results could not be written or read: disk full, read-only directory, damaged file."""


class UnwritableError(StorageError):
    """The folder for results is none that can be written to."""

    exit_code = 2


class TrackingError(HeadstartError):
    """The tracking server could not be reached or refused a record. Never fails a training."""


class ServiceError(UserError):
    """A local server could not start, for example because its port is taken."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """The sentence that follows an unknown name: the nearest valid one, then all of them."""
    names = sorted(valid)
    alike = {each.casefold(): each for each in reversed(names)}  # so that another case is nearest of all
    close = [alike[each] for each in get_close_matches(name.casefold(), alike, n=1, cutoff=0.5)]
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}Valid: {', '.join(names) or 'none'}."


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

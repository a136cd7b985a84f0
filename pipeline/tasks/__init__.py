"""One file per task kind. A new kind is one file here, named in KINDS, that passes tests/contracts."""

from pipeline.errors import ConfigError, nearest
from pipeline.tasks.classification import Classification
from pipeline.tasks.kind import Outputs, TaskKind

KINDS: dict[str, TaskKind] = {"classification": Classification()}


def kind(name: str) -> TaskKind:
    """The task kind called `name`.

    Raises:
        ConfigError: there is none; the message names the nearest.
    """
    if name not in KINDS:
        raise ConfigError([f"task.kind must be a task kind, but got {name!r}. {nearest(name, KINDS)}"])
    return KINDS[name]


__all__ = ["KINDS", "Outputs", "TaskKind", "kind"]

"""One file per task kind. A new kind is one file here, named in KINDS, that passes tests/contracts."""

from pipeline.config.schema import Task
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


def kind_of(task: Task) -> TaskKind:
    """The kind of `task`, which must offer the metric it asks for.

    Raises:
        ConfigError: there is no such kind, or it does not have the metric.
    """
    found = kind(task.kind)
    if task.metric not in found.metrics:
        hint = nearest(task.metric, found.metrics)
        raise ConfigError([f"task.metric must be a metric of {found.name}, but got {task.metric!r}. {hint}"])
    return found


__all__ = ["KINDS", "Outputs", "TaskKind", "kind", "kind_of"]

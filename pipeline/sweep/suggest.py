"""The space of a sweep, asked of an Optuna trial, and counted where it is finite."""

import itertools
from typing import Any

import numpy as np
from optuna.trial import Trial

from pipeline.config.schema import Range
from pipeline.config.space import holds, kind_of_range


def suggest(trial: Trial, space: dict[str, Range]) -> dict[str, Any]:
    """A value for every setting of `space` whose conditions hold, in its order: conditions come before dependents."""
    values: dict[str, Any] = {}
    for name, range_ in space.items():
        if holds(range_, values):
            values[name] = _one(trial, name, range_)
    return values


def _one(trial: Trial, name: str, range_: Range) -> Any:
    kind = kind_of_range(range_)
    if kind == "choice":
        return trial.suggest_categorical(name, list(range_.choice))
    low, high = getattr(range_, kind)
    if kind == "integer":
        return trial.suggest_int(name, low, high, step=int(range_.step or 1))
    if kind == "log_integer":
        return trial.suggest_int(name, low, high, log=True)
    return trial.suggest_float(name, low, high, step=range_.step, log=kind == "log")


def grid_of(space: dict[str, Range]) -> dict[str, list[Any]]:
    """All values of every setting of a finite space."""
    return {name: _all(range_) for name, range_ in space.items()}


def points(space: dict[str, Range]) -> int:
    """How many different trials a finite space holds; settings whose conditions fail make no difference."""
    grid = grid_of(space)
    distinct = set()
    for values in itertools.product(*grid.values()):
        trial: dict[str, Any] = {}
        for (name, range_), value in zip(space.items(), values, strict=True):
            if holds(range_, trial):
                trial[name] = value
        distinct.add(repr(trial))
    return len(distinct)


def _all(range_: Range) -> list[Any]:
    kind = kind_of_range(range_)
    if kind == "choice":
        return list(range_.choice)
    low, high = getattr(range_, kind)
    if kind == "integer":
        return list(range(low, high + 1, int(range_.step or 1)))
    assert range_.step, "a space without an end was refused before"
    return [float(low + i * range_.step) for i in range(int(np.floor((high - low) / range_.step + 1e-9)) + 1)]

"""The space of a sweep: which settings it may try, between which values. It is checked before anything starts."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from pipeline.config.rules.validate import setting
from pipeline.config.schema import Config, Range
from pipeline.config.settings import assigned
from pipeline.config.structured_config import setting_names, twin
from pipeline.errors import ConfigError, nearest
from pipeline.methods import METHODS

KINDS = ("log", "uniform", "integer", "log_integer", "choice")
# What a sweep may always try: how the arm is trained. All else changes what is compared, and has to be allowed.
_HOW = ("train.", "arm.lora.", "arm.recipe.")
_NOT_HOW = (
    "train.size",
    "train.seed",
    "train.keep",
    "train.samples",
    "train.checkpoint_every",
    "train.eval_every",
    "train.batch",
)
# What all trials of a sweep share: data that are prepared once, the base and what was made of it, the machine.
_NEVER = (
    "sweep.", "study.", "paths.", "tracking.", "executor.", "hardware.", "predict.", "task.", "base.",
    "train.precision", "arm.pretraining.",
)  # fmt: skip


def space_of(config: Config) -> dict[str, Range]:
    """The arm's, the task's and the sweep's own ranges by the setting's name; of two for one setting the last holds."""
    merged = _merged(config)
    only = config.sweep.only or tuple(merged)
    return dict(
        sorted(((n, r) for n, r in merged.items() if n in only), key=lambda item: (len(item[1].when) > 0, item[0]))
    )


def _merged(config: Config) -> dict[str, Range]:
    return config.arm.space | config.task.space | config.sweep.space


def kind_of_range(range_: Range) -> str:
    """Which of KINDS it is."""
    return next(name for name in KINDS if getattr(range_, name))


def space_violations(config: Config) -> list[str]:
    """Every rule that the space of `config`'s sweep breaks, one sentence each."""
    method = METHODS[config.arm.method]
    if method.solved:
        return [
            f"A sweep needs an arm that is trained in steps, but {config.arm.name!r} (arm.method={method.name}) is "
            "solved, and its one strength chosen on validation: there is nothing to search. "
            f"Train it: arm={config.arm.name}."
        ]
    merged = _merged(config)
    unknown = [
        f"sweep.only: {n!r} is not in the space. {nearest(n, merged)}" for n in config.sweep.only if n not in merged
    ]
    if unknown and merged:
        return unknown
    space = space_of(config)
    if not space:
        return [
            f"The sweep has nothing to try: neither arm {config.arm.name!r} nor task {config.task.name!r} has a space. "
            "Give one: 'sweep.space.train.lr={log: [1e-5, 1e-3]}'."
        ]
    malformed = [
        f"space of {name}: {text}"
        for name, r in merged.items()
        for text in _of_range(name, r, space if name in space else merged, config)
    ]
    return malformed or [f"space of {name}: {text}" for name, r in space.items() for text in _values(name, r, config)]


def _of_range(name: str, range_: Range, space: dict[str, Range], config: Config) -> Iterator[str]:
    yield from _name(name, config)
    given = [kind for kind in KINDS if getattr(range_, kind)]
    if len(given) != 1:
        got = ", ".join(given) if given else "none"
        yield f"exactly one of {', '.join(KINDS)} must have values, but got {got}."
    else:
        yield from _ends(given[0], range_)
    yield from _conditions(name, range_, space)


def _name(name: str, config: Config) -> Iterator[str]:
    valid = [n for n in setting_names(twin(Config)) if not n.startswith(_NEVER) and "*" not in n]
    if name not in valid:
        yield f"there is no such setting that a sweep could try. {_near(name, valid)}"
    elif not (name.startswith(_HOW) and name not in _NOT_HOW) and name not in config.sweep.allow:
        yield (
            "it changes what is compared, not how it is trained. If that is what you want, say so: "
            f"sweep.allow=[{name}]."
        )


def _near(name: str, valid: list[str]) -> str:
    """The nearest name; all of them would fill a page, so only those beside it are listed."""
    beside = [n for n in valid if n.startswith(name.partition(".")[0] + ".")]
    return nearest(name, beside or [n for n in valid if n.startswith("train.")])


def _ends(kind: str, range_: Range) -> Iterator[str]:
    values = getattr(range_, kind)
    if kind == "choice":
        if len(set(map(repr, values))) < len(values):
            yield f"choice must not repeat itself, but got {list(values)}."
    elif len(values) != 2 or not all(math.isfinite(v) for v in values):
        yield f"{kind} must be two numbers, from and to, but got {list(values)}."
    elif values[0] >= values[1]:
        what = "is empty" if values[0] == values[1] else "is reversed"
        yield f"{kind} must go from a smaller to a larger number, but {list(values)} {what}."
    elif kind.startswith("log") and values[0] <= 0:
        yield f"{kind} must start above 0, where a logarithm exists, but got {list(values)}."
    if range_.step is not None and (kind not in ("uniform", "integer") or range_.step <= 0):
        yield f"step must be above 0 and goes with uniform or integer alone, but got {range_.step:g} with {kind}."
    elif kind == "integer" and range_.step is not None and range_.step != int(range_.step):
        yield f"step of an integer must be a whole number, but got {range_.step:g}."


def _conditions(name: str, range_: Range, space: dict[str, Range]) -> Iterator[str]:
    for other, wanted in range_.when.items():
        if other == name or other not in space:
            others = [n for n in space if n != name]
            yield f"when: {other!r} is not another setting of the space. {nearest(other, others)}"
        elif space[other].when:
            yield f"when: {other!r} depends on other settings itself; conditions go one level deep."
        elif space[other].choice and not set(map(repr, _listed(wanted))) & set(map(repr, space[other].choice)):
            yield f"when: {other} never has the value {wanted!r}, only {list(space[other].choice)}."


def holds(range_: Range, values: dict[str, Any]) -> bool:
    """Whether all that `when` asks for is so in `values`."""
    return all(values.get(other) in _listed(wanted) for other, wanted in range_.when.items())


def _listed(wanted: Any) -> list[Any]:
    return list(wanted) if isinstance(wanted, list | tuple) else [wanted]


def _values(name: str, range_: Range, config: Config) -> Iterator[str]:
    """What the schema says of the ends or the choices."""
    for value in getattr(range_, kind_of_range(range_)):
        try:
            assigned(config, {name: value})
        except ConfigError as error:
            yield from (f"with {value!r}: {text}" for text in error.violations)


def default_values(config: Config) -> dict[str, Any] | None:
    """What the arm's own recipe has for the settings of the space; None where the space does not hold it all."""
    values: dict[str, Any] = {}
    for name, range_ in space_of(config).items():
        if holds(range_, values):
            value = _default(config, name)
            if not _within(range_, value):
                return None
            values[name] = value
    return values


def _default(config: Config, name: str) -> Any:
    """The setting as it stands; a null of `train` stands for the recipe's value."""
    value, last = setting(config, name), name.rpartition(".")[2]
    if value is None and name.startswith("train.") and last in {f.name for f in dataclasses.fields(config.arm.recipe)}:
        return getattr(config.arm.recipe, last)
    return value


def _within(range_: Range, value: Any) -> bool:
    kind = kind_of_range(range_)
    if kind == "choice":
        return value in range_.choice
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low, high = getattr(range_, kind)
    whole = range_.step is None or math.isclose((value - low) / range_.step, round((value - low) / range_.step))
    return bool(low <= value <= high and whole and (kind in ("log", "uniform") or value == int(value)))

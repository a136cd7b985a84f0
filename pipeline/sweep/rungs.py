"""Successive halving with trials that pause: the better ones go on from where they stand (Jamieson and Talwalkar 2016).

All trials are trained to a quarter of their own length. The better half of them goes on to a half of it, and the best
fifth of all to the end. So none is given up before all have come as far, in whatever order they were begun, and half of
the training examples is enough, even where the best ones are the longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RUNGS = ((1 / 4, 2), (1 / 2, 5))  # share of a training, and of how many trials one goes on from there


@dataclass(frozen=True, kw_only=True)
class Climber:
    """A trial that has not failed: `values` at the rungs it has come to (more is better); `paused` at the last one.

    The arm's own `recipe` goes on whatever it comes to, so that a sweep never ends worse than it.
    """

    number: int
    values: tuple[float, ...]
    paused: bool
    recipe: bool = False

    def place(self, rung: int) -> tuple[bool, float, int]:
        """What trials are sorted by at a rung that they have come to, the best first."""
        return not self.recipe, -self.values[rung], self.number


def rungs_of(length: int, *, first: int, interval: int) -> tuple[int, ...]:
    """Where a training of `length` examples pauses: at regular evaluations, not before `first`, not at its end."""
    places = (max(first, int(share * length) // interval * interval) for share, _ in RUNGS)
    return tuple(place for place in places if place < length)


def values_at(rungs: Sequence[int], seen: dict[int, float], *, over: bool) -> tuple[float, ...]:
    """The best value up to each rung that a trial has come to; of one that is over, up to all rungs there are.

    Args:
        seen: values by training examples, more is better.
        over: whether the trial has come to its end.
    """
    last = max(seen, default=0)
    come_to = [rung for rung in rungs if rung <= last]
    found = [max(value for at, value in seen.items() if at <= rung) for rung in come_to]
    rest = [max(seen.values())] * (len(RUNGS) - len(found)) if over and seen else []
    return (*found, *rest)


def next_to_go_on(trials: Sequence[Climber], asked: int) -> int | None:
    """The number of the paused trial that goes on, as soon as those still on their way could not push it out; or None.

    Args:
        trials: all of the sweep that have not failed.
        asked: how many trials the sweep has.
    """
    alive, expected = list(trials), len(trials)
    for rung, (_, one_of) in enumerate(RUNGS):
        keep = max(1, asked // one_of)
        come = sorted((t for t in alive if len(t.values) > rung), key=lambda t: t.place(rung))
        sure = come[: max(0, keep - (expected - len(come)))]
        for trial in sure:
            if trial.paused and len(trial.values) == rung + 1:
                return trial.number
        alive, expected = sure, min(keep, expected)
    return None

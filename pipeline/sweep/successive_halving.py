"""Successive halving with trials that pause: the better ones go on from where they stand (Jamieson and Talwalkar 2016).

All trials are trained to a quarter of their own length. The better half of them goes on to a half of it, and the best
sixth of all to the end. So none is given up before all have come as far, in whatever order they were begun, and less
than half of the training examples is enough, even where the best ones are the longest. Which are better is told by
their loss, which is less a matter of chance than their score (docs/sweeps.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RUNGS = ((1 / 4, 2), (1 / 2, 6))  # share of a training, and of how many trials one goes on from there


@dataclass(frozen=True, kw_only=True)
class HalvingTrial:
    """A trial that has not failed: `losses` at the rungs it has come to; `paused` at the last one."""

    number: int
    losses: tuple[float, ...]
    paused: bool
    recipe: bool = False  # whether it is the arm's own recipe


def rungs_of(length: int, *, first: int, interval: int) -> tuple[int, ...]:
    """From where on a training of `length` examples pauses, at its next evaluation; not before `first`."""
    places = (max(first, int(share * length) // interval * interval) for share, _ in RUNGS)
    return tuple(place for place in places if place < length)


def losses_at(rungs: Sequence[int], seen: Mapping[int, float], *, over: bool) -> tuple[float, ...]:
    """The least loss up to each rung that a trial has come to; of one that is over, up to all rungs there are.

    Args:
        seen: losses on validation by training examples.
        over: whether the trial has come to its end.
    """
    reached = [min(at for at in seen if at >= rung) for rung in rungs if rung <= max(seen, default=0)]
    losses = [min(loss for at, loss in seen.items() if at <= end) for end in reached]
    rest = [min(seen.values())] * (len(RUNGS) - len(losses)) if over and seen else []
    return (*losses, *rest)


def next_to_go_on(trials: Sequence[HalvingTrial], asked: int) -> int | None:
    """The number of the paused trial that goes on, as soon as those still on their way could not push it out; or None.

    The arm's own recipe goes on beside them, whatever it comes to, so that a sweep never ends worse than it.

    Args:
        trials: all of the sweep that have not failed.
        asked: how many trials the sweep has.
    """
    recipe = next((t.number for t in trials if t.recipe and t.paused), None)
    return _in_race([t for t in trials if not t.recipe], asked) if recipe is None else recipe


def _in_race(trials: Sequence[HalvingTrial], asked: int) -> int | None:
    alive, expected = trials, len(trials)
    for rung, (_, one_of) in enumerate(RUNGS):
        keep = max(1, asked // one_of)
        come = sorted((t.losses[rung], t.number, t) for t in alive if len(t.losses) > rung)
        sure = [trial for *_, trial in come][: max(0, keep - (expected - len(come)))]
        for trial in sure:
            if trial.paused and len(trial.losses) == rung + 1:
                return trial.number
        alive, expected = sure, min(keep, expected)
    return None

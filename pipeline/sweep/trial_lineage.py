"""Trials that belong together: one that was paused, and those that went on from it.

Optuna's trials never change once they are over. So one that pauses is pruned there, and where it goes on, another takes
its place, with its values and under its number.
"""

from optuna.trial import FrozenTrial, Trial, TrialState

from pipeline.sweep.successive_halving import HalvingTrial, losses_at

REASON = "reason"  # why a trial failed
RUNGS, LOSSES = "rungs", "losses"  # of one that pauses: where, and its losses on validation by training examples
RECIPE = "recipe"  # of the one that is the arm's own recipe
GOES_ON, PAUSED_AT = "goes_on", "paused_at"  # of one that goes on: the number it began with, and from how many examples


def lost(trial: FrozenTrial) -> bool:
    """Whether its holder died, so that it says nothing."""
    return trial.state == TrialState.FAIL and REASON not in trial.user_attrs


def number_of(trial: FrozenTrial | Trial) -> int:
    """The number that a trial is known by."""
    return int(trial.user_attrs.get(GOES_ON, trial.number))


def chains(trials: list[FrozenTrial]) -> list[list[FrozenTrial]]:
    """The trials that are not lost, each with those that went on from it, by number."""
    by_number: dict[int, list[FrozenTrial]] = {}
    for trial in trials:
        if not lost(trial):
            by_number.setdefault(number_of(trial), []).append(trial)
    return list(by_number.values())


def halving_trial(links: list[FrozenTrial]) -> HalvingTrial | None:
    """A chain as a trial of successive halving; None where it failed, or ended or was pruned without a pause."""
    last = links[-1]
    losses = {int(at): loss for t in links for at, loss in t.user_attrs.get(LOSSES, {}).items()}
    if last.state == TrialState.FAIL or (last.state.is_finished() and LOSSES not in last.user_attrs):
        return None
    rungs = next((t.user_attrs[RUNGS] for t in reversed(links) if RUNGS in t.user_attrs), ())
    return HalvingTrial(
        number=number_of(last),
        losses=losses_at(rungs, losses, over=last.state == TrialState.COMPLETE),
        paused=last.state == TrialState.PRUNED,
        recipe=RECIPE in last.user_attrs,
    )

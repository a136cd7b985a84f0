"""Trials that belong together: one that was paused, and those that went on from it.

Optuna's trials never change once they are over. So one that pauses is pruned there, and where it goes on, another takes
its place, with its values and under its number.
"""

from optuna.trial import FrozenTrial, Trial, TrialState

from pipeline.sweep.rungs import Climber, values_at

REASON, RUNGS = "reason", "rungs"  # attributes of trials: why one failed, and where one pauses
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
    found: dict[int, list[FrozenTrial]] = {}
    for trial in trials:
        if not lost(trial):
            found.setdefault(number_of(trial), []).append(trial)
    return list(found.values())


def climber(links: list[FrozenTrial], sign: int) -> Climber | None:
    """A chain as rungs.py sees it; None of one that has failed, or was pruned for good by another pruner."""
    last, over = links[-1], links[-1].state == TrialState.COMPLETE
    if last.state == TrialState.FAIL or (last.state == TrialState.PRUNED and RUNGS not in last.user_attrs):
        return None
    rungs = next((t.user_attrs[RUNGS] for t in reversed(links) if RUNGS in t.user_attrs), ())
    seen = {at: sign * value for t in links for at, value in t.intermediate_values.items()}
    if over and not seen:  # of a sweep that did not prune
        seen = {0: sign * last.values[0]}
    values = values_at(rungs, seen, over=over)
    paused, recipe = last.state == TrialState.PRUNED, RECIPE in last.user_attrs
    return Climber(number=number_of(last), values=values, paused=paused, recipe=recipe)

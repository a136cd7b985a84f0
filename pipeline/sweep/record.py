"""From Optuna's trials to the record of a sweep."""

import warnings

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from pipeline.config.rules.sweeping import directions, seeds_of
from pipeline.config.schema import Config
from pipeline.config.settings import as_overrides
from pipeline.records import SweepRecord, TrialRecord
from pipeline.sweep.objectives import name_of
from pipeline.sweep.trial_lineage import REASON, number_of
from pipeline.sweep.trial_registry import CELLS, FROM_RECIPE, PRUNER, SAMPLER, TrialRegistry

_TELLING = 5  # complete trials that importances rest on at least
_STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


def record_of(registry: TrialRegistry, config: Config) -> SweepRecord:
    """The sweep as it stands: trials that are over, lost ones left out, and the best of them."""
    trials = registry.counted()
    best = registry.best()
    return SweepRecord(
        name=registry.name,
        task=config.task.name,
        arm=config.arm.name,
        size=config.train.size,
        seeds=seeds_of(config),
        metric=config.task.metric,
        objectives=tuple(name_of(o) for o in config.sweep.objectives),
        directions=directions(config),
        sampler=str(registry.came_from(SAMPLER)),
        from_recipe=bool(registry.came_from(FROM_RECIPE)),
        pruner=str(registry.came_from(PRUNER)),
        asked=registry.asked,
        trials=tuple(_trial(t) for t in trials),
        best=tuple(number_of(t) for t in best),
        importances=_importances(registry),
        overrides=as_overrides(best[0].params) if best else "",
    )


def _importances(registry: TrialRegistry) -> dict[str, float]:
    """How much of the first objective each setting explains (Watanabe et al. 2023); needs trials that differ."""
    complete = [t for t in registry.counted() if t.state == TrialState.COMPLETE]
    if len(complete) < _TELLING or len({t.values[0] for t in complete}) == 1:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = get_param_importances(
            registry.study, evaluator=PedAnovaImportanceEvaluator(), target=lambda t: float(t.values[0])
        )
    return {name: float(share) for name, share in shares.items()}


def _trial(trial: FrozenTrial) -> TrialRecord:
    return TrialRecord(
        number=number_of(trial),
        state=_STATES[trial.state],
        reason=trial.user_attrs.get(REASON, ""),
        params=dict(trial.params),
        values=tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        steps=tuple(trial.intermediate_values),
        seen=tuple(trial.intermediate_values.values()),
        cells=tuple(trial.user_attrs.get(CELLS, ())),
        feasible=all(value <= 0 for value in trial.constraints.values()),
    )

"""What a trial costs beyond its training, in a sweep that has a thousand behind it."""

import time
from pathlib import Path

import numpy as np
import optuna
from optuna.trial import TrialState, create_trial

from pipeline.config.compose import compose
from pipeline.files import lock
from pipeline.sweep.trial_registry import TrialRegistry
from tests.bench.options import Options
from tests.bench.rows import Bench, Row

BEFORE, POINTS = 1000, 25  # trials that are over; points of a trajectory that the pruner judges
BAR = 1.0  # seconds
_OVERRIDES = ("arm=scratch", "train.size=400", "sweep.trials=100000")


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Seconds to begin a trial, to judge it at every point, and to tell what it came to."""
    print(f"Laying {BEFORE} finished trials in a sweep.", flush=True)
    registry = TrialRegistry(
        compose(_OVERRIDES),
        folder,
        name="bench",
        contract="bench",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )
    chance = np.random.default_rng(0)
    _fill(registry, chance)
    with lock(registry.lock_file(registry.holder)):
        seconds = [_one(registry, chance) for _ in range(options.repetitions)]
    note = f"sampler tpe, pruner median, SQLite, {POINTS} points; to which the overhead of a cell comes"
    return [bench.under(f"a trial beyond its training, after {BEFORE}", seconds, "s", BAR, note)]


def _fill(registry: TrialRegistry, chance: np.random.Generator) -> None:
    """Finished trials with values of the sampler's own kind, drawn at random."""
    begun = registry.begin()
    assert begun
    trial, _ = begun
    kinds = trial.distributions
    registry.finish(trial, [0.6], TrialState.COMPLETE)
    sampler = optuna.samplers.RandomSampler(seed=0)
    for _ in range(BEFORE - 1):
        params = {n: sampler.sample_independent(registry.study, None, n, kind) for n, kind in kinds.items()}  # type: ignore[arg-type]
        seen = {400 * (i + 1): float(chance.uniform(0.5, 0.7)) for i in range(POINTS)}
        done = create_trial(params=params, distributions=kinds, value=max(seen.values()), intermediate_values=seen)
        registry.study.add_trial(done)


def _one(registry: TrialRegistry, chance: np.random.Generator) -> float:
    started = time.perf_counter()
    begun = registry.begin()
    assert begun
    trial, _ = begun
    for i in range(POINTS):
        trial.report(float(chance.uniform(0.6, 0.7)), 400 * (i + 1))
        trial.should_prune()
    registry.finish(trial, [0.65], TrialState.COMPLETE)
    return time.perf_counter() - started

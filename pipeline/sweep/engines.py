"""Optuna's samplers and pruners by the names that configuration gives them."""

import warnings
from collections.abc import Callable

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner, WilcoxonPruner
from optuna.samplers import BaseSampler

from pipeline.config.schema import Range, Sweep
from pipeline.files import digest
from pipeline.sweep.suggest import grid_of

_ONE_SEQUENCE = ("quasi_random", "grid")  # samplers whose trials are places in a sequence that the seed fixes


def sampler(sweep: Sweep, space: dict[str, Range], *, number: int, conditional: bool) -> BaseSampler:
    """The sampler of trial `number`.

    Its random numbers follow from the sweep's seed and the trial's number, so that a sweep that was interrupted goes on
    as if it had not been.
    """
    seed = sweep.seed if sweep.sampler in _ONE_SEQUENCE else int(digest(str(sweep.seed), f"trial {number}")[:8], 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is experimental
        return _SAMPLERS[sweep.sampler](sweep, space, seed, conditional)


def _tpe(sweep: Sweep, _: dict[str, Range], seed: int, conditional: bool) -> BaseSampler:
    return optuna.samplers.TPESampler(
        n_startup_trials=sweep.startup_trials, seed=seed, multivariate=True, group=conditional, constant_liar=True
    )


_SAMPLERS: dict[str, Callable[[Sweep, dict[str, Range], int, bool], BaseSampler]] = {
    "tpe": _tpe,
    "gp": lambda sweep, _, seed, __: optuna.samplers.GPSampler(
        n_startup_trials=sweep.startup_trials, seed=seed, warn_independent_sampling=False
    ),
    "cmaes": lambda sweep, _, seed, __: optuna.samplers.CmaEsSampler(
        n_startup_trials=max(1, sweep.startup_trials),
        seed=seed,
        consider_pruned_trials=sweep.pruner != "none",
        warn_independent_sampling=False,
    ),
    "random": lambda _, __, seed, ___: optuna.samplers.RandomSampler(seed=seed),
    "quasi_random": lambda _, __, seed, ___: optuna.samplers.QMCSampler(
        seed=seed, scramble=True, warn_independent_sampling=False
    ),
    "grid": lambda _, space, seed, __: optuna.samplers.GridSampler(grid_of(space), seed=seed),
    "brute_force": lambda _, __, seed, ___: optuna.samplers.BruteForceSampler(seed=seed),
}


def pruner(sweep: Sweep, *, first: int, most: int) -> BasePruner:
    """The pruner of a sweep; one that pauses is none of Optuna's (see successive_halving.py).

    Args:
        first: training examples before which scores say little.
        most: training examples of the longest trial.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _PRUNERS[sweep.pruner](sweep, first, max(most, 1))


_PRUNERS: dict[str, Callable[[Sweep, int, int], BasePruner]] = {
    "median": lambda sweep, first, __: MedianPruner(n_startup_trials=sweep.startup_trials, n_warmup_steps=first),
    "halving": lambda _, first, __: SuccessiveHalvingPruner(min_resource=first, reduction_factor=4),
    "hyperband": lambda _, first, most: HyperbandPruner(
        min_resource=first, max_resource=max(most, first + 1), reduction_factor=3
    ),
    "wilcoxon": lambda _, __, ___: WilcoxonPruner(p_threshold=0.1),
    "pausing": lambda _, __, ___: NopPruner(),
    "none": lambda _, __, ___: NopPruner(),
}

"""The sweep's own registry in Optuna's storage: which trials there are, who holds them, how many are still to be begun.

A trial counts towards the total unless it was lost, that is, its holder died. A lost one is failed without a reason and
begun again with the same values. Everything that creates trials happens under one lock of all processes, so that the
total is exact whoever dies when. What pauses and goes on is one trial here (see trial_lineage.py).
"""

import uuid
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import optuna
from optuna.storages import RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from pipeline.config.rules.sweeping import FINITE, PAUSING, directions
from pipeline.config.schema import Config
from pipeline.config.space import default_values, space_of
from pipeline.errors import ConfigError
from pipeline.files import digest, is_locked
from pipeline.records import encode
from pipeline.sweep import engines
from pipeline.sweep.objectives import name_of
from pipeline.sweep.storage import alone, explained, opened
from pipeline.sweep.successive_halving import next_to_go_on
from pipeline.sweep.suggest import points, suggest
from pipeline.sweep.trial_lineage import (
    GOES_ON,
    LOSSES,
    PAUSED_AT,
    REASON,
    RECIPE,
    chains,
    halving_trial,
    lost,
    number_of,
)

RETRY_OF, RETRIES, HOLDER, CELLS, CONTRACT = "retry_of", "retries", "holder", "cells", "contract"
SAMPLER, PRUNER, FROM_RECIPE = "sampler", "pruner", "from_recipe"  # what its trials came from
HOLDERS = "sweep-holder-*.lock"
MOST_RETRIES = 2  # of a trial whose worker was killed
T = TypeVar("T")


class TrialRegistry:
    """Trials of one sweep, as seen by one of the processes that work on it.

    Raises:
        ConfigError: the name belongs to a sweep over another space or other data.
        StorageError: the storage cannot be used.
    """

    def __init__(self, config: Config, root: Path, *, name: str, contract: str, pruner: optuna.pruners.BasePruner):
        self.config, self.root, self.name = config, root, name
        self.space = space_of(config)
        self.holder = uuid.uuid4().hex
        self.held: set[int] = set()  # ids of the trials this process works on
        self.storage: RDBStorage = opened(config.sweep, root)
        self.study = self._guarded(lambda: self._open(contract, pruner))

    def lock_file(self, holder: str) -> Path:
        """The file that a process keeps locked as long as it works on the sweep."""
        return self.root / "locks" / HOLDERS.replace("*", holder)

    def _guarded(self, act: Callable[[], T]) -> T:
        """`act`, alone among all processes on this sweep."""
        with (
            explained(self.config.sweep, self.root),
            alone(self.storage.engine, self.name, self.root),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            return act()

    def _open(self, contract: str, pruner: optuna.pruners.BasePruner) -> Study:
        known = {s.study_name for s in optuna.get_all_study_summaries(self.storage, include_best_trial=False)}
        if self.config.sweep.restart and self.name in known:
            optuna.delete_study(study_name=self.name, storage=self.storage)
            known.remove(self.name)
        if self.name in known:
            study = optuna.load_study(study_name=self.name, storage=self.storage, pruner=pruner)
            _require_same(self.name, study.user_attrs.get(CONTRACT), contract)
            self._add_ways(study)
            return study
        study = optuna.create_study(
            study_name=self.name,
            storage=self.storage,
            pruner=pruner,
            directions=[optuna.study.StudyDirection[d.upper()] for d in directions(self.config)],
        )
        study.set_user_attr(CONTRACT, contract)
        study.set_metric_names([name_of(o) for o in self.config.sweep.objectives])  # for Optuna's own dashboard
        first = self.config.sweep.from_recipe and self.config.sweep.sampler not in FINITE  # these come to it anyway
        recipe = default_values(self.config) if first else None
        if recipe:
            study.enqueue_trial(recipe, user_attrs={RECIPE: True})
        study.set_user_attr(FROM_RECIPE, bool(recipe))
        self._add_ways(study)
        return study

    def _add_ways(self, study: Study) -> None:
        """Note the sampler and the pruner that further trials come from, beside those of earlier ones."""
        if len(_counted(study.get_trials(deepcopy=False))) >= self.asked:
            return
        for attribute, way in ((SAMPLER, self.config.sweep.sampler), (PRUNER, self.config.sweep.pruner)):
            used = str(study.user_attrs.get(attribute, way)).split(", ")
            study.set_user_attr(attribute, ", ".join(dict.fromkeys([*used, way])))

    def came_from(self, attribute: str) -> Any:
        """SAMPLER or PRUNER of the trials, "tpe, random" where a later command chose another one; or FROM_RECIPE."""
        with explained(self.config.sweep, self.root):
            return self.study.user_attrs[attribute]

    @property
    def asked(self) -> int:
        """How many trials the sweep is to have: as many as were asked for, or as a finite space holds."""
        if self.config.sweep.sampler in FINITE:
            return min(self.config.sweep.trials, points(self.space))
        return self.config.sweep.trials

    def trials(self) -> list[FrozenTrial]:
        """All trials, lost ones too, by number."""
        with explained(self.config.sweep, self.root):
            return self.study.get_trials(deepcopy=False)

    def counted(self) -> list[FrozenTrial]:
        """Those that count towards the total and are over, or paused."""
        return _counted(self.trials())

    def paused(self) -> list[FrozenTrial]:
        """Those of them that have paused."""
        return [t for t in self.counted() if t.state == TrialState.PRUNED and LOSSES in t.user_attrs]

    def over(self) -> bool:
        """Whether as many trials are over as were asked for, and none that has paused is to go on."""
        trials = self.trials()
        return len(_counted(trials)) >= self.asked and self._next_to_go_on(trials) is None

    def _next_to_go_on(self, trials: list[FrozenTrial]) -> FrozenTrial | None:
        if self.config.sweep.pruner != PAUSING:
            return None
        racing = {c.number: (c, links[-1]) for links in chains(trials) if (c := halving_trial(links)) is not None}
        number = next_to_go_on([one for one, _ in racing.values()], self.asked)
        return None if number is None else racing[number][1]

    def best(self) -> list[FrozenTrial]:
        """The best trial, or those of the Pareto front, best in the first objective first; feasible ones alone."""
        with explained(self.config.sweep, self.root):
            if len(self.study.directions) > 1:
                sign = -1 if self.study.directions[0] == optuna.study.StudyDirection.MAXIMIZE else 1
                return sorted(self.study.best_trials, key=lambda t: sign * t.values[0])
            try:
                return [self.study.best_trial]
            except ValueError:  # none is complete and feasible
                return []

    def begin(self) -> tuple[Trial, dict[str, Any]] | None:
        """A trial to run, with its values; None where all are begun."""
        return self._guarded(self._begin)

    def _begin(self) -> tuple[Trial, dict[str, Any]] | None:
        self._fail_lost()
        trials = self._requeued()
        waiting = [t for t in trials if t.state == TrialState.WAITING]
        if not waiting and sum(not lost(t) and GOES_ON not in t.user_attrs for t in trials) >= self.asked:
            paused = self._next_to_go_on(trials)
            if paused is None:
                return None
            goes_on = {GOES_ON: number_of(paused), PAUSED_AT: max(paused.intermediate_values)}
            self.study.enqueue_trial(paused.params, user_attrs=_kept(paused) | goes_on)
        conditional = any(r.when for r in self.space.values())
        self.study.sampler = engines.sampler(self.config.sweep, self.space, number=len(trials), conditional=conditional)
        trial = self.study.ask()
        values = suggest(trial, self.space)
        self.study.sampler = optuna.samplers.RandomSampler()  # told of ends, those of finite spaces stop `optimize`
        self.storage.record_heartbeat(trial._trial_id)
        trial.set_user_attr(HOLDER, self.holder)  # last: without a holder it is lost, without a beat waited for
        self.held.add(trial._trial_id)
        return trial, values

    def _fail_lost(self) -> None:
        """Fail, without a reason, the trials of dead holders: at once on this machine, after a while elsewhere."""
        for trial in self.study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            holder = trial.user_attrs.get(HOLDER)
            if holder is None or (holder != self.holder and self._is_dead(holder)):
                self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        optuna.storages.fail_stale_trials(self.study)

    def _is_dead(self, holder: str) -> bool:
        """Whether a process that worked on the same paths.root is gone; of others only their silence tells."""
        file = self.lock_file(holder)
        return file.is_file() and not is_locked(file)

    def _requeued(self) -> list[FrozenTrial]:
        """All trials, every lost one with another in its place."""
        trials = self.study.get_trials(deepcopy=False)
        replaced = {t.user_attrs.get(RETRY_OF) for t in trials}
        orphans = [t for t in trials if lost(t) and t.number not in replaced]
        for trial in orphans:
            retries = trial.user_attrs.get(RETRIES, 0) + 1
            again = {RETRY_OF: trial.number, RETRIES: retries}
            self.study.enqueue_trial(trial.params, user_attrs=_kept(trial) | again)
        return self.study.get_trials(deepcopy=False) if orphans else trials

    def finish(self, trial: Trial, values: Sequence[float] | None, state: TrialState, reason: str = "") -> None:
        """Tell what became of a trial; without values or a reason a failed one is lost, and begun again."""
        with explained(self.config.sweep, self.root):
            if reason:
                trial.set_user_attr(REASON, reason)
            self.study.tell(trial, values, state, skip_if_finished=True)
        self.held.discard(trial._trial_id)

    def beat(self) -> None:
        """A sign of life for every trial this process holds."""
        for trial_id in list(self.held):
            self.storage.record_heartbeat(trial_id)


def _counted(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    return [links[-1] for links in chains(trials) if links[-1].state.is_finished()]


def _kept(trial: FrozenTrial) -> dict[str, Any]:
    """What the trial that takes this one's place has of it."""
    return {name: value for name, value in trial.user_attrs.items() if name in (RECIPE, GOES_ON, PAUSED_AT)}


def contract_of(config: Config, identity: str) -> str:
    """What must be the same for trials to belong to one sweep: base, data, settings, space, seeds and objectives.

    Args:
        identity: of the arm's own cell, in which base, data and all settings stand.
    """
    space = {name: encode(range_) for name, range_ in space_of(config).items()}
    sweep = config.sweep
    judged = (sweep.seeds, sweep.objectives, sorted(sweep.constraints.items()))
    return digest(identity, repr(space), repr(judged))


def _require_same(name: str, stored: str | None, contract: str) -> None:
    if stored != contract:
        raise ConfigError(
            [
                f"sweep.name={name}: a sweep of this name is there already, over another space or with other settings, "
                "data or objectives. Choose another name (sweep.name=NAME), or forget that one and begin again "
                "(sweep.restart=true)."
            ]
        )

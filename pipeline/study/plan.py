"""From overrides to the cells of a study, each with its identity. Nothing heavy is imported and nothing is trained."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.audits import audits_of
from pipeline.config.cell import Cell, cell_of
from pipeline.config.claim_sets import with_sets_named
from pipeline.config.compose import compose
from pipeline.config.identity import cell_id
from pipeline.config.preset_files import about_own_files
from pipeline.config.rules.sweeping import seeds_of, sweep_violations
from pipeline.config.schema import Config, Precision, Study
from pipeline.config.search_path import program
from pipeline.config.settings import assigned
from pipeline.config.typed_text import setting_name
from pipeline.data.fingerprint import data_fingerprint, set_fingerprints
from pipeline.data.prepare import prepared_folder
from pipeline.data.sets import Prepared
from pipeline.data.store import is_prepared, load, set_folder
from pipeline.errors import ConfigError
from pipeline.files import digest
from pipeline.hardware import Resolved, resolve
from pipeline.language import Sentence
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.records import CellResult, SweepRecord
from pipeline.storage.coverage import Coverage
from pipeline.storage.results import ResultStore
from pipeline.study.arm_rules import (
    kinds_wanted,
    require_audits,
    require_comparable,
    require_rivals,
    require_solvable,
    require_ways,
    settled,
    unjudged_because,
)
from pipeline.study.finding.audited import audits_claimed
from pipeline.study.looks import looks_within_budget, require_levels
from pipeline.tasks import kind_of


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done: `cells` by identity, by seed, size and arm."""

    config: Config
    study_id: str
    hardware: Resolved
    located: Located
    data_fingerprint: str
    cells: dict[str, Cell]
    evaluated: dict[str, str] = field(default_factory=dict)  # sets that are only evaluated: fingerprints by name
    audits: tuple[str, ...] = ()
    others: dict[str, Located] = field(default_factory=dict)  # by name, the bases of arms on another than the study's
    unjudged: tuple[str, ...] = ()  # sentences on claims that the study leaves out
    tuned: tuple[SweepRecord, ...] = ()  # the sweeps whose best trials its cells follow
    own_files: tuple[Sentence, ...] = ()  # sentences on files of the working folder that are named like presets
    ended_by: str = ""  # the budget that ended the study; its last look is then the one that it ended with

    @property
    def root(self) -> Path:
        """paths.root."""
        return Path(self.config.paths.root)

    @property
    def store(self) -> ResultStore:
        """Where finished cells are."""
        return ResultStore(self.root)

    @property
    def folder(self) -> Path:
        """Where the study's findings and report go."""
        return self.root / "studies" / self.config.study.name

    @property
    def data_folder(self) -> Path:
        """Where the prepared data lie, or will lie."""
        return prepared_folder(
            self.config.task,
            tokenizer_fingerprint=self.located.tokenizer,
            data_fingerprint=self.data_fingerprint,
            root=self.root,
            prefix=self.config.base.prefix,
        )

    def prepared(self) -> Prepared | None:
        """The prepared data as far as they are there; None before the first preparation."""
        if not is_prepared(self.data_folder):
            return None
        folders = {name: set_folder(self.data_folder, name, content) for name, content in self.evaluated.items()}
        return load(self.data_folder, {n: self.evaluated[n] for n, folder in folders.items() if is_prepared(folder)})

    def identity(self, cell: Cell) -> str:
        """The id of a cell on its base and these data."""
        located = self.others.get(cell.base.name, self.located)
        return cell_id(cell, base_fingerprint=located.whole, data_fingerprint=self.data_fingerprint)

    @property
    def from_scratch(self) -> tuple[str, ...]:
        """The arms whose network starts without pretrained weights."""
        return tuple(dict.fromkeys(c.arm.name for c in self.cells.values() if c.arm.start == "scratch"))

    def results(self) -> list[CellResult]:
        """The results of the finished cells, in the plan's order, with the sets and audits that reach all of them."""
        return self.coverage(*self.cells).results()

    def result(self, name: str) -> CellResult:
        """The result of one finished cell, with the sets and audits that reach it."""
        return self.coverage(name).results()[0]

    def coverage(self, *names: str) -> Coverage:
        """What was measured beside the trainings of those of these cells that are finished."""
        finished = tuple(name for name in names if self.store.has(name))
        return Coverage(store=self.store, cells=finished, evaluated=self.evaluated, audits=self.audits)

    def missing(self) -> dict[str, Cell]:
        """The cells without a result."""
        return {name: cell for name, cell in self.cells.items() if not self.store.has(name)}


def on_each_base(plan: Plan) -> list[Plan]:
    """The plan in parts that have one base each, with the cells on it; recorded under the study of `plan`."""
    plans = []
    for name, located in {plan.config.base.name: plan.located, **plan.others}.items():
        cells = {key: cell for key, cell in plan.cells.items() if cell.base.name == name}
        if cells:
            config = dataclasses.replace(plan.config, base=next(iter(cells.values())).base)
            plans.append(dataclasses.replace(plan, config=config, located=located, others={}, cells=cells))
    return plans


def plan_study(overrides: Sequence[str], tuned: Sequence[SweepRecord] = ()) -> Plan:
    """The plan of the study that `overrides` choose.

    Args:
        tuned: sweeps of its arms, at all its sizes or at one for all; cells follow the best trial.

    Raises:
        ConfigError: no study is chosen, or a setting breaks a rule.
        DataError, BaseModelError: data or base are not there.
    """
    config = compose(overrides)
    if not config.study.name:
        raise ConfigError(["A study must be chosen: experiments=quickstart (experiments/README.md lists them)."])
    _refuse(overrides, "arm", "a study takes its arms from study.arms=[pretrained,scratch]")
    _refuse(overrides, "cell", "a study takes its cells from study.arms, study.sizes and study.seeds")
    require_audits(config)
    config = dataclasses.replace(config, study=with_sets_named(config.study, config.task))
    arms = arms_of(overrides, config)
    rivals = [arm.arm.name for arm in arms if arm.arm.start == "scratch"]
    left_out = {
        k: why for k, c in config.study.claims.items() if (why := unjudged_because(overrides, config, k, c, rivals))
    }
    unjudged = tuple(f"Not judged: {config.study.claims[k].statement or k!r}. {why}" for k, why in left_out.items())
    judged = {k: c for k, c in config.study.claims.items() if k not in left_out}
    study = looks_within_budget(dataclasses.replace(config.study, claims=judged))
    require_levels(study)
    config = dataclasses.replace(config, study=study)
    require_rivals(config.study, rivals)
    require_ways(config.study, arms)
    return dataclasses.replace(_plan(config, arms, tuned), unjudged=unjudged, tuned=tuple(tuned))


def arms_of(overrides: Sequence[str], config: Config) -> list[Config]:
    """The whole configuration with each of the study's arms in turn."""
    return [_arm(overrides, name, config.base.name) for name in config.study.arms]


def _arm(overrides: Sequence[str], name: str, own: str) -> Config:
    """With the arm called `name`, in a study on the base `own`; what is said of that is not about another one."""
    arm, at, base = name.partition("@")
    if not at:
        return compose([*overrides, f"arm={arm}"])
    general = [o for o in overrides if setting_name(o).partition(".")[0] != "base"]
    config = compose([*general, f"base={base}", f"arm={arm}"])
    if config.base.name == own:
        raise ConfigError([f"study.arms names {name!r}, but {own} is the base of the study: {arm} alone means it."])
    return dataclasses.replace(config, arm=dataclasses.replace(config.arm, name=name))


def plan_cell(overrides: Sequence[str]) -> Plan:
    """The plan of one training, as `train` runs it: a study of one cell, named after its task and without claims."""
    _refuse(overrides, "experiments", f"`train` runs one cell; a study is run by: {program()} study")
    _refuse(overrides, "cell", "a cell's identity follows from its settings; `predict` and `export` take cell=ID")
    _refuse(overrides, "plan", f"it shows the cells of a study: {program()} study experiments=NAME plan=true")
    config = compose(overrides)
    study = dataclasses.replace(
        config.study,
        name=f"train-{config.task.name}",
        question=f"Single trainings on {config.task.name}",
        arms=(config.arm.name,),
        sizes=(config.train.size,),
        seeds=(config.train.seed,),
        claims={},
    )
    return _plan(dataclasses.replace(config, study=study), [config])


def plan_sweep(overrides: Sequence[str]) -> Plan:
    """The plan of a sweep: its one cell is the arm as it stands, which trials differ from in what the space holds.

    Raises:
        ConfigError: as `compose`, or the sweep or its space breaks a rule.
        DataError, BaseModelError: data or base are not there.
    """
    _refuse(overrides, "experiments", f"a sweep searches one arm; a study is run by: {program()} study")
    _refuse(overrides, "cell", "a cell's identity follows from its settings")
    _refuse(overrides, "plan", "the cells of a sweep follow from its trials, each from those before it")
    config = compose(overrides)
    name = config.sweep.name or f"{config.task.name}-{config.arm.name}-{config.train.size}"
    return plan_of_sweep(config, name)


def plan_of_sweep(config: Config, name: str) -> Plan:
    """See `plan_sweep`; `config` is the sweep's own, with its arm, size and seed."""
    wrong = sweep_violations(config)
    if wrong:
        raise ConfigError(wrong)
    seeds = seeds_of(config)
    train = dataclasses.replace(config.train, seed=seeds[0])
    executor = dataclasses.replace(config.executor, workers=config.sweep.workers or config.executor.workers)
    study = Study(
        name=name,
        question=f"Which settings suit {config.arm.name} on {config.task.name} at n={config.train.size}?",
        arms=(config.arm.name,),
        sizes=(config.train.size,),
        seeds=seeds,
    )
    config = dataclasses.replace(config, train=train, executor=executor, study=study)
    return _plan(config, [config])


def plan_of_challenge(cell: Cell, config: Config, study: Study) -> Plan:
    """The plan of a study of a finished cell's arm on its own base and on that of `config`, as ARM@BASE.

    Args:
        cell: whose task, arm and settings both have.
        config: the other base, hardware and paths.
        study: names both arms, the other one last.
    """
    train = dataclasses.replace(cell.train, keep=config.train.keep)
    whole = dataclasses.replace(config, base=cell.base, task=cell.task, arm=cell.arm, train=train, study=study)
    arm = dataclasses.replace(cell.arm, name=study.arms[-1])
    return _plan(whole, [whole, dataclasses.replace(whole, base=config.base, arm=arm)])


def plan_of_cell(cell: Cell, config: Config) -> Plan:
    """The plan of a cell that is finished already, to reach its data and results; hardware and paths are `config`'s."""
    train = dataclasses.replace(cell.train, keep=config.train.keep)
    study = Study(
        name=f"train-{cell.task.name}", arms=(cell.arm.name,), sizes=(cell.train.size,), seeds=(cell.train.seed,)
    )
    whole = dataclasses.replace(config, base=cell.base, task=cell.task, arm=cell.arm, train=train, study=study)
    return _plan(whole, [whole])


def _refuse(overrides: Sequence[str], name: str, why: str) -> None:
    given = [o for o in overrides if setting_name(o) == name]
    if given:
        raise ConfigError([f"{given[0]} has no place here: {why}."])


def _plan(config: Config, arms: Sequence[Config], tuned: Sequence[SweepRecord] = ()) -> Plan:
    audits = audits_of(kind_of(config.task), (*config.study.audits, *(of.audit for of in audits_claimed(config.study))))
    require_solvable(config, arms)
    hardware = resolve(
        config.hardware,
        precision=config.train.precision,
        workers=config.executor.workers,
        elsewhere=config.executor.name != "local",
    )
    kinds = kinds_wanted(config, arms)
    bases = {c.base.name: c.base for c in arms if c.base.name != config.base.name}
    located, *rest = (locate(base, Path(config.paths.root), kinds) for base in (config.base, *bases.values()))
    others = dict(zip(bases, rest, strict=True))
    require_comparable(config, located, others)
    fingerprint = data_fingerprint(config.task)
    config, *arms = (settled(each, others.get(each.base.name, located)) for each in (config, *arms))
    trainings = [
        _cell(_tuned(arm, size, tuned), size=size, seed=seed, precision=hardware.precision)
        for seed in config.study.seeds
        for size in config.study.sizes
        for arm in arms
    ]
    plan = Plan(
        config=config,
        study_id="",  # which follows from its cells
        hardware=hardware,
        located=located,
        others=others,
        data_fingerprint=fingerprint,
        evaluated=set_fingerprints(config.task),
        audits=audits,
        cells={},
        own_files=about_own_files(),
    )
    cells = {plan.identity(cell): cell for cell in trainings}
    return dataclasses.replace(plan, study_id=f"{config.study.name}-{digest(*cells)[:10]}", cells=cells)


def _tuned(arm: Config, size: int | str, tuned: Sequence[SweepRecord]) -> Config:
    """The arm with the values of the best trial of its sweep at this size, or of the only one it has."""
    own = [record for record in tuned if record.arm == arm.arm.name]
    sweep = next((r for r in own if r.size == size), own[0] if len(own) == 1 else None)
    return assigned(arm, sweep.trial(sweep.best[0]).params) if sweep and sweep.best else arm


def _cell(config: Config, *, size: int | str, seed: int, precision: Precision) -> Cell:
    cell = cell_of(config, precision=precision)
    return dataclasses.replace(cell, train=dataclasses.replace(cell.train, size=size, seed=seed))

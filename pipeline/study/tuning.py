"""The sweeps that a study begins with: every arm that is trained in steps gets as many trials.

A solved arm has nothing to search: its optimum is found, and its one strength is chosen on validation.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from pipeline.config.schema import Config
from pipeline.errors import ConfigError, UserError
from pipeline.methods import METHODS
from pipeline.records import SweepRecord, from_json
from pipeline.study.plan import Plan, arms_of, plan_of_sweep, plan_study

RECORD = "sweep.json"


def tuning_plans(overrides: Sequence[str], plan: Plan) -> list[Plan]:
    """The plans of the sweeps that the study of `plan` begins with; none where it asks for no trials.

    Raises:
        ConfigError: the space of an arm breaks a rule; all arms' are listed.
    """
    config = plan.config
    if not config.tuning.trials:
        return []
    sizes = config.study.sizes if config.tuning.size is None else (config.tuning.size,)
    plans, broken = [], []
    for arm in (each for each in arms_of(overrides, config) if not METHODS[each.arm.method].solved):
        for size in sizes:
            try:
                name = f"{config.study.name}-{arm.arm.name}-{size}".replace("@", "-")
                plans.append(plan_of_sweep(_own(arm, config, size), name))
            except ConfigError as error:
                broken += [f"arm {arm.arm.name}: {text}" for text in error.violations]
    if broken:
        raise ConfigError(list(dict.fromkeys(broken)))
    return plans


def _own(arm: Config, study: Config, size: int | str) -> Config:
    train = dataclasses.replace(arm.train, size=size, seed=study.study.seeds[0])
    return dataclasses.replace(arm, train=train, sweep=dataclasses.replace(arm.sweep, trials=study.tuning.trials))


def sweep_folder(plan: Plan) -> Path:
    """Where what the sweep of `plan` leaves goes."""
    return plan.root / "sweeps" / plan.config.study.name


def tuned_as_before(overrides: Sequence[str], plan: Plan) -> Plan:
    """The plan with the cells that follow from the sweeps which the study ran; `plan` itself where it has none.

    Raises:
        UserError: a sweep has not been run.
    """
    plans = tuning_plans(overrides, plan)
    return plan_study(overrides, [_read(p) for p in plans]) if plans else plan


def _read(plan: Plan) -> SweepRecord:
    path = sweep_folder(plan) / RECORD
    if not path.is_file():
        raise UserError(f"The sweep {plan.config.study.name} has not been run: {path} is missing. Run the study first.")
    return from_json(SweepRecord, path.read_text(encoding="utf-8"), str(path))

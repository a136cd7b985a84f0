"""`challenge`: a registered model's arm is trained on another base, which becomes the champion if it is better.

All challenges of a model are judged on one test set, and among many one wins by chance. So they share an error of 0.05:
the k-th has 0.05/2^k of it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands import study
from pipeline.commands.steps.registering import CELL, named, register, store_for_models
from pipeline.commands.steps.trained import restored_cell, validation_score
from pipeline.config.cell import Cell
from pipeline.config.compose import compose
from pipeline.config.schema import Claim, Config, Study
from pipeline.config.typed_text import setting_name
from pipeline.errors import ConfigError, UserError
from pipeline.execution.local import warm_up
from pipeline.records import Findings
from pipeline.storage.results import ResultStore
from pipeline.study.plan import Plan, plan_of_cell, plan_of_challenge
from pipeline.study.references import in_use
from pipeline.study.run import prepare
from pipeline.tracking.store import Store

if TYPE_CHECKING:
    from pipeline.tracking.registry import Registry, Version

ERROR = 0.05  # of all challenges on one test set together
SEEDS = (0, 1, 2, 3, 4)
COUNTED = "headstart.challenges."  # before a test set's fingerprint: the tag with the bases that were tried on it


def run(overrides: Sequence[str]) -> int:
    """Train both on the same data, judge them, and give the alias to the challenger if the interval says so."""
    config = compose(overrides, trained=True)
    name, store = named(config), store_for_models(config)
    if not any(setting_name(override) == "base" for override in overrides):
        raise ConfigError(["base must be the one that challenges the champion, but got none. Use base=NAME."])

    from pipeline.tracking.registry import Registry

    registry = Registry(store)
    champion = registry.champion(name)
    cell = _cell_of(champion, config)
    number = _counted(registry, name, _test_set(plan_of_cell(cell, config)), config.base.name)
    print(
        f"Challenge {number} on this test set: {cell.arm.name} on {config.base.name} against {cell.base.name}, "
        f"{len(SEEDS)} seeds each, judged at an error of {_error(number):.3g} ({ERROR}/2^{number}).",
        flush=True,
    )
    plan = plan_of_challenge(cell, config, _study(name, cell, config.base.name, number))
    with in_use(plan.root):
        plan, outcome, findings = study.run_planned(plan, ["challenge", *overrides])
    if findings.verdicts[0].verdict == "supported":
        _promote(registry, store, champion, plan, findings)
    else:
        print(f"Not shown to be better: {name} stays at version {champion.number}, on {cell.base.name}.")
    return 1 if outcome.failed else 0


def _cell_of(champion: "Version", config: Config) -> Cell:
    """The champion's cell, whose base must be another than the challenger's."""
    if CELL not in champion.tags:
        raise UserError(
            f"Version {champion.number} of {champion.name} was not registered by `register`: it has no cell."
        )
    store = ResultStore(Path(config.paths.root))
    cell = store.cell(store.find(champion.tags[CELL]))
    if cell.base.name == config.base.name:
        raise ConfigError([f"base={config.base.name} is the champion's own base. Name another one."])
    return cell


def _test_set(plan: Plan) -> str:
    """The fingerprint of the test set of the champion's data."""
    if plan.prepared() is None:  # deleted by hand, or by `prune`
        warm_up(plan.hardware.threads)
        prepare(plan)
    prepared = plan.prepared()
    assert prepared
    return prepared.test.fingerprint[:16]


def _counted(registry: "Registry", name: str, test_set: str, base: str) -> int:
    """Which challenge on the test set this is, from 1 on; one that is begun again keeps its number."""
    bases = json.loads(registry.tags(name).get(f"{COUNTED}{test_set}", "[]"))
    if base not in bases:
        bases.append(base)
        registry.tag(name, f"{COUNTED}{test_set}", json.dumps(bases))
    return int(bases.index(base)) + 1


def _error(number: int) -> float:
    """The error of the k-th challenge: all that may ever follow share what is left."""
    return float(ERROR / 2**number)


def _study(name: str, cell: Cell, base: str, number: int) -> Study:
    """Five seeds of both, one look, and one claim."""
    arm = f"{cell.arm.name.partition('@')[0]}@{base}"
    claim = Claim(statement=f"{arm} is better than the champion", arm=arm, against=cell.arm.name, size=cell.train.size)
    return Study(
        name=f"challenge-{name}-{number}",
        question=f"Should {base} take the place of {cell.base.name} in {name}?",
        arms=(cell.arm.name, arm),
        sizes=(cell.train.size,),
        seeds=SEEDS,
        confidence=1 - _error(number),
        claims={"challenger": claim},
    )


def _promote(registry: "Registry", store: Store, champion: "Version", plan: Plan, findings: Findings) -> None:
    """Register the challenger's best seed on validation as the new champion."""
    arm = plan.config.study.arms[-1]
    cells = [plan.store.result(cell_id) for cell_id in findings.cells.values()]
    own = [cell for cell in cells if cell.key.arm == arm]
    kept = [cell for cell in own if plan.store.weights(cell.cell_id)] or own
    trained = restored_cell(plan.store, max(kept, key=validation_score).cell_id)
    tags = {"headstart.replaced": str(champion.number)}
    registered = register(registry, champion.name, trained, plan.config, tags)
    print("\n".join(registered.sentences(trained, store)))

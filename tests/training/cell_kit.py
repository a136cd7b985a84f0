"""One cell trained in this process, without an executor."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.config.cell import Cell
from pipeline.files import digest
from pipeline.models.build import Network, build
from pipeline.records import encode, to_json
from pipeline.study.plan import plan_cell
from pipeline.study.run import run_context
from pipeline.training.job import Job
from pipeline.training.loop.finish import finish
from pipeline.training.loop.fit import Fitted, fit
from pipeline.training.setup.preflight import preflight


def job(overrides: Sequence[str]) -> Job:
    """What a worker would be given for the cell that `overrides` describe; its data are prepared here."""
    plan = plan_cell(overrides)
    ready = preflight(
        list(plan.cells.values()),
        plan.located,
        data_fingerprint=plan.data_fingerprint,
        evaluated=plan.evaluated,
        hardware=plan.hardware,
        root=plan.root,
        audits=plan.audits,
    )
    ((name, cell),) = plan.cells.items()
    return run_context(plan, ready).assignment(name, cell).job


def network(overrides: Sequence[str], *more: str) -> tuple[Cell, Network]:
    """The cell that `overrides` and `more` describe, for two classes, and its network before the first step."""
    plan = plan_cell([*overrides, *more])
    ((_, cell),) = plan.cells.items()
    return cell, build(cell, plan.located, ("bad", "good"), seed=0)


def trained(overrides: Sequence[str]) -> Fitted:
    """The cell, fitted."""
    return fit(job(overrides), lambda _: None)


def outcome(fitted: Fitted) -> str:
    """A digest of weights, scores, trajectory with its item scores, and cost; not of what was asked for or measured."""
    result, scores = finish(fitted)
    shown = {n: v for n, v in encode(result).items() if n not in ("cell_id", "key", "start_line", "measured")}
    weights = [f"{name} {values.numpy().tobytes().hex()}" for name, values in fitted.tensors().items()]
    items = [one.tobytes().hex() for one in fitted.trajectory.item_scores]
    return digest(to_json(shown), scores.tobytes().hex(), *items, *weights)


def small(base: Path, data: Path, root: Path) -> list[str]:
    """Overrides for a training of a fraction of a second; `tests.tiny.overrides` with fewer steps."""
    from tests import tiny

    return [
        *tiny.overrides(base, data, root),
        "train.size=32",
        "train.lr=3e-3",
        "train.epochs=2",
        "train.min_steps=6",
        "executor.workers=1",
        "hardware.threads=1",
    ]

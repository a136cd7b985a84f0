"""The one training that every side of the comparison does: same data, base, batch, epochs and recipe.

python -m tests.bench.workload PREPARED.json train|study OVERRIDES...
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.cell import Cell
from pipeline.execution.local import warm_up
from pipeline.files import write_text
from pipeline.records import from_json, to_json
from pipeline.study.plan import plan_cell, plan_study
from pipeline.study.run import prepare
from tests.bench.peer import PeerJob, Setting
from tests.bench.running import run

PLANS = {"train": plan_cell, "study": plan_study}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Rotten Tomatoes on the packaged base, in-domain test only; `examples` training sentences, `epochs` times."""

    examples: int = 960
    epochs: float = 3.0
    test_items: int = 1500

    @property
    def overrides(self) -> tuple[str, ...]:
        """What every Headstart command of the comparison is given."""
        return (
            "base=minilm",
            "task=sentiment",
            "~task.out_of_domain.imdb",
            f"task.data.test_size={self.test_items}",
            f"train.epochs={self.epochs:g}",
            "train.min_steps=0",
            "train.keep=none",
            "tracking=none",
        )

    def cell(self, root: Path, seed: int) -> tuple[str, ...]:
        """Overrides of one cell with all cores."""
        return (*self.overrides, f"train.size={self.examples}", f"train.seed={seed}", *_where(root, workers=1))

    def study(self, root: Path, seeds: range, *, workers: int) -> tuple[str, ...]:
        """Overrides of a study of such cells, one for each seed."""
        named = ("study.name=bench", "study.question=bench", "study.arms=[pretrained]")
        sizes = (f"study.sizes=[{self.examples}]", f"study.seeds={list(seeds)}".replace(" ", ""))
        return (*self.overrides, *named, *sizes, *_where(root, workers=workers))


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Where the prepared data and the base lie, and the cell whose recipe the peer follows."""

    data_folder: str
    base_directory: str
    cell: Cell


def prepare_once(command: str, overrides: Sequence[str], folder: Path) -> Prepared:
    """Prepare the data of `train` or `study` before anything is timed, in a process that is gone afterwards."""
    written = folder / "prepared.json"
    run([sys.executable, "-m", "tests.bench.workload", str(written), command, *overrides])
    return from_json(Prepared, written.read_text(encoding="utf-8"), str(written))


def peer_job(
    prepared: Prepared, setting: Setting, folder: Path, *, examples: int, epochs: float, evaluate: bool, seed: int = 0
) -> PeerJob:
    """What the peer is to train: the data, base and recipe of our own cell; it may write below `folder`."""
    cell = prepared.cell
    return PeerJob(
        setting=setting,
        data_folder=prepared.data_folder,
        base_directory=prepared.base_directory,
        scratch=str(folder / "trainer"),
        examples=examples,
        seed=seed,
        batch=cell.train.batch,
        epochs=epochs,
        max_length=cell.task.max_length,
        lr=cell.recipe.lr,
        weight_decay=cell.recipe.weight_decay,
        warmup=cell.recipe.warmup,
        clip=cell.train.clip,
        evaluate=evaluate,
    )


def _where(root: Path, *, workers: int) -> tuple[str, str]:
    return f"paths.root={root}", f"executor.workers={workers}"


def main(arguments: Sequence[str]) -> int:
    """Prepare the data of what the overrides describe, and say where they are."""
    written, command, *overrides = arguments
    plan = PLANS[command](overrides)
    warm_up(plan.hardware.threads)
    prepared = Prepared(
        data_folder=prepare(plan).data_folder,
        base_directory=str(plan.located.directory),
        cell=next(iter(plan.cells.values())),
    )
    write_text(Path(written), to_json(prepared))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

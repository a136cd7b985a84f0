"""Planning and reporting a study of ten thousand cells that were never trained.

python -m tests.bench.scale OVERRIDES...
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.study.plan import plan_study
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run
from tests.study.synthetic_cells import loader, synthetic_cells

SECONDS, MEGABYTES = 20.0, 1000.0
_PER_SEED = 20  # cells of data_efficiency: four arms at five sizes


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Wall time and peak memory of `report` on data_efficiency with as many seeds as it takes."""
    seeds = list(range(max(2, options.cells // _PER_SEED)))
    study = ("experiments=data_efficiency", f"study.seeds={seeds}".replace(" ", ""), f"paths.root={folder / 'scale'}")
    print(f"Laying {_PER_SEED * len(seeds)} synthetic cells on disk.", flush=True)
    run([sys.executable, "-m", "tests.bench.scale", *study])
    planning = [run([*HEADSTART, "study", *study, "plan=true"]) for _ in range(options.repetitions)]
    reporting = [run([*HEADSTART, "report", *study]) for _ in range(options.repetitions)]
    cells = f"{_PER_SEED * len(seeds)} cells"
    note = "the report command, which plans, reads every cell, finds and reports"
    return [
        bench.under(f"plan and report {cells}", [u.seconds for u in reporting], "s", SECONDS, note),
        bench.under(f"memory to report {cells}", [u.peak_bytes / 1e6 for u in reporting], "MB", MEGABYTES, note),
        bench.told(f"plan alone, {cells}", [u.seconds for u in planning], "s", "study ... plan=true"),
    ]


def main(overrides: Sequence[str]) -> int:
    """Write synthetic results for every cell of the study that the overrides describe."""
    plan = plan_study(overrides)
    study, task = plan.config.study, plan.config.task
    made = synthetic_cells(
        study.arms,
        study.sizes,
        study.seeds,
        task.data.test_size,
        np.random.default_rng(0),
        out_of_domain=tuple(task.out_of_domain),
        out_items=task.out_of_domain_size,
    )
    ids = {cell.key: name for name, cell in plan.cells.items()}
    for result, scores in made:
        name = ids[result.key]
        validation = loader(made).validation(result)
        with plan.store.writing(plan.cells[name], dataclasses.replace(result, cell_id=name), scores, validation):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

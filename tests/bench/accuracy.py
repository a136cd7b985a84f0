"""Whether what was faster is also as accurate: differences in held-out accuracy over seeds and items."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.analysis.crossed_interval import crossed_mean
from pipeline.hardware.machine import cores
from tests.bench.options import Options
from tests.bench.ours import train_cells
from tests.bench.peer import best_setting
from tests.bench.rows import Bench, Row
from tests.bench.running import run_peer
from tests.bench.workload import Prepared, Workload, peer_job, prepare_once

BAR = 1.5  # points
_NAMES = {"default": "trainer default", "best": "trainer best", "cell": "the cell", "study": "the study"}


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """The cells of a study and as many trainings by the peer, seed by seed; not timed, so side by side."""
    work = Workload(examples=options.examples, epochs=options.epochs, test_items=options.test_items)
    root, seeds = folder / "study", range(options.seeds)
    prepared = prepare_once("train", work.cell(root, 0), folder)
    cells = train_cells("study", work.study(root, seeds, workers=cores()), root, seeds, cores())
    with ThreadPoolExecutor(cores()) as lanes:
        peers = list(lanes.map(lambda seed: _peer(work, prepared, folder / f"peer-{seed}", seed), seeds))
    return rows(bench, {"study": cells.correct, "best": np.stack(peers)}, [("study", "best")])


def _peer(work: Workload, prepared: Prepared, folder: Path, seed: int) -> npt.NDArray[np.bool_]:
    """Trainer as it is fastest, but on one thread: which items it has right."""
    folder.mkdir()
    setting = best_setting(threads=1)
    job = peer_job(prepared, setting, folder, examples=work.examples, epochs=work.epochs, evaluate=True, seed=seed)
    result, correct = run_peer(job, folder)
    print(f"Trainer, seed {seed}: {100 * correct.mean():.1f}% in {result.training_seconds:.0f} s", flush=True)
    return correct


def rows(bench: Bench, correct: Mapping[str, npt.NDArray[np.bool_]], compared: Sequence[tuple[str, str]]) -> list[Row]:
    """Each variant's accuracy, and for each pair of variants the difference in points.

    Args:
        correct: for each variant, whether each test item was right under each seed, bool [seeds, N]. Rows are seeds
            from 0 on; the variants of a pair have as many of them, and are paired by seed.
    """
    scores = {name: values.astype(float) for name, values in correct.items()}
    means = [
        bench.told(f"accuracy of {_NAMES[name]}", [float(100 * v) for v in values.mean(axis=1)], "%")
        for name, values in scores.items()
    ]
    return means + [_difference(bench, ours, peer, scores[ours], scores[peer]) for ours, peer in compared]


def _difference(
    bench: Bench, ours: str, peer: str, first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> Row:
    mean = crossed_mean(first - second)
    low, high = mean.interval(0.95)
    return bench.within(
        f"accuracy, {ours} - {_NAMES[peer]}",
        100 * mean.value,
        (100 * low, 100 * high),
        "points",
        BAR,
        len(first),
    )

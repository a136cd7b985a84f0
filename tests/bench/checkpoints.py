"""What it costs to save a training every minute: the difference that many checkpoints make, for one of them."""

from pathlib import Path

from pipeline.storage.results import ResultStore
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run
from tests.bench.workload import Workload, prepare_once

BAR = 2.0  # per cent of a minute
_STEPS, _EVERY = 60, 6
_SAVES = _STEPS // _EVERY - 1  # none after the last step


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """The packaged base, every parameter trained, saved every sixth step and never, in turn."""
    work = Workload(examples=32 * _STEPS, epochs=1, test_items=64)
    prepare_once("train", work.cell(folder / "outputs", 0), folder)
    found = []
    for number in range(options.repetitions):
        often = _seconds(work, folder / "outputs", 2 * number, f"{_EVERY}steps")
        never = _seconds(work, folder / "outputs", 2 * number + 1, "never")
        found.append((often - never) / _SAVES)
        print(f"a checkpoint: {found[-1]:.2f} s", flush=True)
    cost = [100 * seconds / 60 for seconds in found]
    return [
        bench.told("a checkpoint", found, "s", f"weights and moments, {_SAVES} in a training"),
        bench.under("a checkpoint every minute", cost, "%", BAR, "of the training's time"),
    ]


def _seconds(work: Workload, root: Path, seed: int, every: str) -> float:
    """Of training, validation left out."""
    run([*HEADSTART, "train", *work.cell(root, seed), f"train.checkpoint_every={every}"])
    store = ResultStore(root)
    (result,) = [result for result in map(store.result, store.ids()) if result.key.seed == seed]
    return result.measured.training_seconds

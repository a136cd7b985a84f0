"""A cell on two processes of one thread beside the same cell on one process of two, at the same global batch."""

from pathlib import Path

import numpy as np

from pipeline.hardware.machine import cores
from tests.bench.options import Options
from tests.bench.ours import train_cells
from tests.bench.rows import Bench, Row
from tests.bench.workload import Workload, prepare_once

BAR = 0.9
BATCHES = (32, 128)  # the default, and one in which what each process does once a step weighs less
HARDWARE = {"one process": "hardware=cpu", "two processes": "hardware=ddp_cpu"}


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Both in turn, who comes first changing, for each batch; nothing where there are fewer than two cores."""
    if cores() < 2:
        print("ddp: left out, there is one core.", flush=True)
        return []
    work = Workload(examples=options.examples, epochs=options.epochs, test_items=64)
    each = (_at(batch, work, options.repetitions, bench, folder / str(batch)) for batch in BATCHES)
    return [row for rows in each for row in rows]


def _at(batch: int, work: Workload, repetitions: int, bench: Bench, folder: Path) -> list[Row]:
    rates: dict[str, list[float]] = {name: [] for name in HARDWARE}
    for name in HARDWARE:
        prepare_once("train", work.cell(folder / name, 0), folder)
    for seed in range(repetitions):
        for name in list(HARDWARE)[:: 1 if seed % 2 else -1]:
            root = folder / name
            overrides = (*work.cell(root, seed), HARDWARE[name], f"train.batch={batch}")
            rates[name].append(train_cells("train", overrides, root, range(seed, seed + 1), 1).rate)
            print(f"batches of {batch}, {name}, seed {seed}: {rates[name][-1]:.0f} examples/s", flush=True)
    ratios = np.divide(rates["two processes"], rates["one process"]).tolist()
    told = [bench.told(f"ddp, batches of {batch}, {name}", found, "examples/s") for name, found in rates.items()]
    return [*told, bench.at_least(f"two processes / one of as many threads, {batch}", ratios, "times", BAR)]

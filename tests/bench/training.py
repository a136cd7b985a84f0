"""The comparison with Hugging Face Trainer: four variants in turn, in every repetition."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.hardware.machine import cores
from tests.bench import accuracy
from tests.bench.options import Options
from tests.bench.ours import train_cells
from tests.bench.peer import PeerResult, Setting, default_setting, grid
from tests.bench.rows import Bench, Row
from tests.bench.running import run_peer
from tests.bench.workload import Workload, peer_job, prepare_once

CELLS_PER_WORKER = 2
GRID_ROUNDS = 2
BARS = {"cell": 1.4, "study": 1.9, "default": 8.0}


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """Rates in examples/s, and per-item correctness [cells, N], of the four variants measured in turn."""

    rates: dict[str, float]
    correct: dict[str, np.ndarray]


class Comparison:
    """Everything the four variants share."""

    def __init__(self, options: Options, folder: Path) -> None:
        self.work = Workload(examples=options.examples, epochs=options.epochs, test_items=options.test_items)
        self.folder = folder
        self.workers = cores()
        self.prepared = prepare_once("train", self.work.cell(self.root("cell"), 0), folder)
        prepare_once("train", self.work.cell(self.root("study"), 0), folder)
        self.best, self.grid_rates = self._search(options)

    def root(self, name: str) -> Path:
        """Where the cells of one of our variants go."""
        return self.folder / name

    def repeat(self, number: int) -> Repetition:
        """All four variants once; who comes first changes from one repetition to the next."""
        rates: dict[str, float] = {}
        correct: dict[str, np.ndarray] = {}
        variants: list[Callable[[], None]] = [
            lambda: self._peer("default", default_setting(cores()), number, rates, correct),
            lambda: self._peer("best", self.best, number, rates, correct),
            lambda: self._ours("cell", range(number, number + 1), rates, correct),
            lambda: self._ours("study", self._study_seeds(number), rates, correct),
        ]
        for variant in variants[number % 4 :] + variants[: number % 4]:
            variant()
        return Repetition(rates=rates, correct=correct)

    def _study_seeds(self, number: int) -> range:
        count = CELLS_PER_WORKER * self.workers
        return range(number * count, (number + 1) * count)

    def _ours(self, name: str, seeds: range, rates: dict[str, float], correct: dict[str, np.ndarray]) -> None:
        root = self.root(name)
        workers = 1 if name == "cell" else self.workers
        command = "train" if name == "cell" else "study"
        given = self.work.cell(root, seeds[0]) if name == "cell" else self.work.study(root, seeds, workers=workers)
        result = train_cells(command, given, root, seeds, workers)
        rates[name], rates[f"{name} span"], correct[name] = result.rate, result.span_rate, result.correct

    def _peer(
        self, name: str, setting: Setting, seed: int, rates: dict[str, float], correct: dict[str, np.ndarray]
    ) -> None:
        result, right = self._run(setting, seed, examples=self.work.examples, epochs=self.work.epochs)
        rates[name], correct[name] = result.rate, right[None]

    def _run(
        self, setting: Setting, seed: int, *, examples: int, epochs: float, evaluate: bool = True
    ) -> tuple[PeerResult, np.ndarray]:
        """One fine-tuning by the peer, in a process whose threads are fixed before torch is imported."""
        job = peer_job(
            self.prepared, setting, self.folder, examples=examples, epochs=epochs, evaluate=evaluate, seed=seed
        )
        return run_peer(job, self.folder)

    def _search(self, options: Options) -> tuple[Setting, dict[Setting, list[float]]]:
        """The peer's fastest setting, each tried on half an epoch, in turn."""
        rates: dict[Setting, list[float]] = {setting: [] for setting in grid(cores())}
        half = max(self.prepared.cell.train.batch, options.examples // 2)
        for number in range(min(GRID_ROUNDS, options.repetitions)):
            for setting, found in rates.items():
                result, _ = self._run(setting, number, examples=half, epochs=1, evaluate=False)
                found.append(result.rate)
                print(f"Trainer, {setting.label}: {result.rate:.1f} examples/s", flush=True)
        return max(rates, key=lambda setting: statistics.median(rates[setting])), rates


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Rows of speed against the peer; of the accuracies, the default's has seeds enough here."""
    comparison = Comparison(options, folder)
    repetitions = []
    for number in range(options.repetitions):
        repetitions.append(comparison.repeat(number))
        told = ", ".join(f"{name} {rate:.1f}" for name, rate in repetitions[-1].rates.items())
        print(f"Repetition {number + 1} of {options.repetitions}, examples/s: {told}", flush=True)
    correct = {name: np.concatenate([r.correct[name] for r in repetitions]) for name in ("cell", "default")}
    searched = [
        bench.told(f"trainer grid: {setting.label}", rates, "examples/s", "half an epoch")
        for setting, rates in comparison.grid_rates.items()
    ]
    return [*_speed(bench, comparison, repetitions), *accuracy.rows(bench, correct, [("cell", "default")]), *searched]


def _speed(bench: Bench, comparison: Comparison, repetitions: list[Repetition]) -> list[Row]:
    def rates(name: str) -> list[float]:
        return [r.rates[name] for r in repetitions]

    def ratio(name: str, peer: str) -> list[float]:
        return [r.rates[name] / r.rates[peer] for r in repetitions]

    cells = CELLS_PER_WORKER * comparison.workers
    parallel = f"{cells} cells on {comparison.workers} workers of one thread; examples / (training seconds / workers)"
    span = "from the first cell's first step to the last cell's record, validation, tests and forks included"
    return [
        bench.told("trainer default", rates("default"), "examples/s", default_setting(cores()).label),
        bench.told("trainer best", rates("best"), "examples/s", comparison.best.label),
        bench.told(
            "cell", rates("cell"), "examples/s", f"{comparison.workers} threads, from the first step to the last"
        ),
        bench.told("study", rates("study"), "examples/s", parallel),
        bench.told("study, everything included", rates("study span"), "examples/s", span),
        bench.at_least("cell / trainer best", ratio("cell", "best"), "times", BARS["cell"]),
        bench.at_least("study / trainer best", ratio("study", "best"), "times", BARS["study"], parallel),
        bench.at_least("cell / trainer default", ratio("cell", "default"), "times", BARS["default"]),
    ]

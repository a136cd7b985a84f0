"""Sweeps against a plain Optuna loop around Hugging Face Trainer, with and without a pruner.

Trials are drawn at random and do not learn from each other, so that both sides try the very same ones: what differs
then is how they are trained, and not the path that a sampler took.
"""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.analysis.crossed_interval import mean_over
from pipeline.config.schema import Sweep
from pipeline.hardware.machine import cores, gpus
from pipeline.records import SweepRecord, from_json, to_json
from pipeline.storage.results import ResultStore
from tests.bench.options import Options
from tests.bench.peer import best_setting
from tests.bench.peer_sweep import PeerSweep, PeerSweepResult
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run
from tests.bench.workload import Workload, peer_job, prepare_once

TRIALS, VALIDATION, LABELS, BATCH, SAMPLER = 20, 500, 400, 16, "random"
TIME_BAR, SCORE_BAR, LOST_BAR, EXAMPLES_BAR = 0.6, 1.0, 0.5, 0.5


@dataclass(frozen=True, kw_only=True)
class Found:
    """One search: wall time of its command in seconds, trials' validation accuracies, training examples of all.

    A pruned trial has none.
    """

    seconds: float
    values: tuple[float | None, ...]
    examples: int

    @property
    def best(self) -> float:
        """The best trial's accuracy."""
        return max(value for value in self.values if value is not None)


class Searches:
    """The same search by both sides; `seed` is the sampler's and the trainings'."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clean = folder / "prepared"
        self.prepared = prepare_once("train", (*self._given(0), f"paths.root={self.clean}"), folder)

    def _given(self, seed: int) -> tuple[str, ...]:
        fixed = (o for o in Workload(test_items=200).overrides if not o.startswith("train.epochs"))
        points = (f"task.data.validation_size={VALIDATION}", f"train.eval_every={LABELS}")
        return (*fixed, f"train.size={LABELS}", f"train.batch={BATCH}", f"train.seed={seed}", *points)

    def ours(self, seed: int, pruner: str) -> Found:
        """Through the command line, all cores as workers, with nothing to use again but the prepared data."""
        name = f"{pruner}-{seed}"
        root = self.folder / name
        shutil.copytree(self.clean, root)
        searched = (
            f"sweep.name={name}", f"sweep.trials={TRIALS}", f"sweep.sampler={SAMPLER}", f"sweep.seed={seed}",
            f"sweep.pruner={pruner}", f"sweep.workers={cores()}", "sweep.from_recipe=false", f"paths.root={root}",
        )  # fmt: skip
        used = run([*HEADSTART, "sweep", *self._given(seed), *searched])
        text = (root / "sweeps" / name / "sweep.json").read_text(encoding="utf-8")
        record = from_json(SweepRecord, text, name)
        store = ResultStore(root)
        examples = sum(
            store.result(t.cells[0]).cost.examples if t.state == "complete" else max(t.steps) for t in record.trials
        )
        values = tuple(t.values[0] if t.state == "complete" else None for t in record.trials)
        return Found(seconds=used.seconds, values=values, examples=examples)

    def peer(self, seed: int) -> Found:
        """In one process with all cores as threads, as Trainer is fastest, and without a pruner."""
        setting = best_setting(threads=cores(), gpu=bool(gpus()))
        job = PeerSweep(
            job=peer_job(self.prepared, setting, self.folder, examples=LABELS, epochs=1, evaluate=False, seed=seed),
            space=self.prepared.cell.arm.space,
            trials=TRIALS,
            sampler=Sweep(sampler=SAMPLER, seed=seed),
            every=LABELS,
        )
        files = [self.folder / "peer-sweep.json", self.folder / "peer-sweep-result.json"]
        files[0].write_text(to_json(job), encoding="utf-8")
        threads = {"OMP_NUM_THREADS": str(cores())}
        used = run([sys.executable, "-m", "tests.bench.peer_sweep", *map(str, files)], environment=threads)
        found = from_json(PeerSweepResult, files[1].read_text(encoding="utf-8"), str(files[1]))
        return Found(seconds=used.seconds, values=found.values, examples=found.examples)


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Rows of wall time, best score and training examples over several seeds of the sampler."""
    searches = Searches(folder)
    found: dict[str, list[Found]] = {}
    for seed in range(options.sampler_seeds):
        turn = [("ours", "none"), ("peer", "none"), ("ours", "pausing")]
        for side, pruner in turn if seed % 2 else turn[::-1]:
            one = searches.ours(seed, pruner) if side == "ours" else searches.peer(seed)
            found.setdefault(f"{side} {pruner}", []).append(one)
            print(f"Seed {seed}, {side}, pruner {pruner}: {json.dumps(vars(one))}", flush=True)
    return _rows(bench, found)


def _rows(bench: Bench, found: dict[str, list[Found]]) -> list[Row]:
    ours, peer, pruned = found["ours none"], found["peer none"], found["ours pausing"]
    told = [
        bench.told(f"sweep of {TRIALS} trials, {name}", [one.seconds for one in searches], "s", "20 trials")
        for name, searches in found.items()
    ]
    note = f"{TRIALS} trials at {LABELS} labels, the arm's own space, sampler {SAMPLER}, wall time of the command"
    return [
        *told,
        bench.under("sweep / Optuna and Trainer", _ratios(ours, peer), "times", TIME_BAR, note),
        bench.told("sweep with pauses / Optuna and Trainer without", _ratios(pruned, peer), "times"),
        _score(bench, [a.best - b.best for a, b in zip(ours, peer, strict=True)]),
        bench.told(
            "validation score of a trial, sweep - Optuna and Trainer",
            [100 * _mean_difference(a, b) for a, b in zip(ours, peer, strict=True)], "points", "mean over its trials",
        ),
        bench.at_least(
            "best score lost by pauses", [100 * (b.best - a.best) for a, b in zip(ours, pruned, strict=True)],
            "points", -LOST_BAR, "best on validation with the pruner less without",
        ),
        bench.under(
            "training examples with pauses", [b.examples / a.examples for a, b in zip(ours, pruned, strict=True)],
            "times", EXAMPLES_BAR, "of those without a pruner",
        ),
    ]  # fmt: skip


def _ratios(first: list[Found], second: list[Found]) -> list[float]:
    return [a.seconds / b.seconds for a, b in zip(first, second, strict=True)]


def _mean_difference(first: Found, second: Found) -> float:
    pairs = zip(first.values, second.values, strict=True)
    return float(np.mean([a - b for a, b in pairs if a is not None and b is not None]))


def _score(bench: Bench, differences: list[float]) -> Row:
    """Over sampler seeds; both sides are judged on the same validation texts."""
    mean = mean_over(100 * np.asarray(differences))
    name = "best validation score, sweep - Optuna and Trainer"
    return bench.within(name, mean.value, mean.interval(0.95), "points", SCORE_BAR, mean.seeds)

"""A finished study read from its files, and the intervals of docs/statistics.md over its scores. Nothing of `pipeline`.

Used by recompute_intervals.py. Arrays are [S, N], seeds by test items, or [B, S], bootstrap replicates by seeds.
"""

import json
import math
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

RIVAL = "best_from_scratch"
SUMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of the sums [..., K] of a set's statistics
    "corpus_bits_per_byte": lambda sums: sums[..., 0] / math.log(2) / sums[..., 2],
    "corpus_perplexity": lambda sums: np.exp(sums[..., 0] / sums[..., 1]),
    "micro_f1": lambda sums: np.where(sums[..., 1] == 0, 1.0, 2 * sums[..., 0] / np.maximum(sums[..., 1], 1)),
    "pearson": lambda sums: _pearson(*np.moveaxis(sums, -1, 0)),
}
# Of each audit the column that claims compare.
MEASURES = {
    "calibration": "brier",
    "bias": "excess_flips",
    "opacity": "faithfulness",
    "storage": "score_8bit",
    "storage_4bit": "score_4bit",
    "decay": "fall",
    "new_words": "fall",
    "latency": "log2_milliseconds",
    "memorisation": "auc",
}
# Audits whose items are those of the test set, with its groups.
OF_TEST = ("calibration", "storage", "storage_4bit", "decay", "new_words", "memorisation")
NOT_HERE = ("corpus_bleu", "corpus_chrf")
Group = tuple[str, Any]  # an arm and a size
Interval = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class Spread:
    """A mean over per-seed values [S], and of each set of N items its part of the variance, its noise, and N."""

    values: np.ndarray
    items: list[tuple[float, float, int]] = field(default_factory=list)

    def half(self, alpha: float) -> float:
        """Half the width of the interval at 1 - alpha."""
        seeds = len(self.values)
        varied = seeds > 1 and np.ptp(self.values) > 1e-12
        if seeds < 2 and not self.items:
            return math.inf
        total = t(seeds - 1, alpha) ** 2 * self.values.var(ddof=1) / seeds if varied else 0.0
        total += sum(t(max(1, n - 1), alpha) ** 2 * part for part, _, n in self.items if part > 0)
        floor = (t((seeds - 1) * (n - 1), alpha) ** 2 * noise / seeds for _, noise, n in self.items if noise > 0)
        return math.sqrt(max(total, sum(floor) / 4))

    def interval(self, level: float) -> Interval:
        """The value and both ends."""
        value, half = float(self.values.mean()), self.half(1 - level)
        return value, value - half, value + half

    def p(self) -> float:
        """The error at which the interval just reaches 0."""
        value, low, high = abs(float(self.values.mean())), 1e-300, 1.0
        if value == 0 or math.isinf(self.half(0.5)):
            return 1.0
        while high > low * (1 + 1e-12) and self.half(low) > value:
            middle = math.sqrt(low) * math.sqrt(high)
            low, high = (middle, high) if self.half(middle) > value else (low, middle)
        return high if self.half(1e-300) > value else 0.0


def t(df: int, alpha: float) -> float:
    """The two-sided quantile of Student's t."""
    return -float(stdtrit(df, alpha / 2))


def item_part(block: np.ndarray) -> tuple[float, float, int]:
    """From scores or differences [S, N]: (MS_item - MS_residual) / (S N), not below 0, and MS_residual / N."""
    seeds, items = block.shape
    if items == 1:
        return math.inf, 0.0, 1
    block = block.astype(np.float64)
    rows, columns = block.mean(axis=1, keepdims=True), block.mean(axis=0, keepdims=True)
    residual = ((block - rows - columns + block.mean()) ** 2).sum()
    residual = residual / ((seeds - 1) * (items - 1)) if seeds > 1 and residual > 1e-12 * block.size else 0.0
    ms_item = seeds * ((columns - block.mean()) ** 2).sum() / (items - 1)
    return max(0.0, ms_item - residual) / (seeds * items), residual / items, items


def drawn_part(draws: np.ndarray, items: int) -> tuple[float, float, int]:
    """The same from a metric [B, S] under B draws of the items."""
    if items == 1:
        return math.inf, 0.0, 1
    seeds, unbiased, common = draws.shape[1], items / (items - 1), draws.mean(axis=1, dtype=np.float64)
    noise = unbiased * float((draws - common[:, None]).var(axis=0).sum()) / (seeds - 1) if seeds > 1 else 0.0
    return max(0.0, unbiased * float(common.var()) - noise / seeds), noise, items


class Study:
    """The findings and cells of a study.

    Raises:
        ValueError: a file is missing, or the metric is one that this script cannot compute.
    """

    def __init__(self, folder: Path) -> None:
        self.findings: dict[str, Any] = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
        self.metric, self.sizes = self.findings["metric"], self.findings["sizes"]
        if self.metric in NOT_HERE:
            raise ValueError(f"The metric must follow from scores or sums, but {self.metric} needs sacrebleu.")
        self.sign = 1 if self.findings["higher_is_better"] else -1
        self.cells: dict[Group, dict[int, dict[str, Any]]] = {}
        self.labels: dict[str, np.ndarray] = {}
        self.groups: dict[str, np.ndarray] = {}  # the number of each item's group, from 0 on
        self.roles: dict[str, str] = {}
        self._weights: dict[str, np.ndarray] = {}
        shown = {each["dataset"] for each in self.findings["scores"]}
        for cell in _cells(folder, self.findings["cells"].values(), shown):
            key = cell["key"]
            self.cells.setdefault((key["arm"], key["size"]), {})[key["seed"]] = cell
            self._take_sets(cell)
        for choice in self.findings["choices"]:
            self.cells[RIVAL, choice["size"]] = {s: self._best(choice, s) for s in choice["seeds"]}

    def _take_sets(self, cell: dict[str, Any]) -> None:
        for place, said in enumerate(cell["evaluations"]):
            part = cell["table"][cell["table"]["dataset"] == place]
            if said["role"] == "train" or not len(part):
                continue
            name, part = said["dataset"], part[np.argsort(part["item"], kind="stable")]
            cell[name], self.roles[name], self.labels[name] = part, said["role"], part["label"]
            grouped = part["group"] if "group" in (part.dtype.names or ()) else part["item"]
            self.groups[name] = np.unique(grouped, return_inverse=True)[1]
        for audit, scores in cell["audits"].items():
            name = f"audit {audit}"
            cell[name] = {"score": scores}
            self.groups[name] = self.groups[self.test] if audit in OF_TEST else np.arange(len(scores))

    def _best(self, choice: dict[str, Any], seed: int) -> dict[str, Any]:
        """The cell from scratch that is best on validation."""
        rivals = [self.cells[arm, choice["size"]][seed] for arm in choice["shares"]]
        metrics = {id(c): next(e["metrics"] for e in c["evaluations"] if e["role"] == "validation") for c in rivals}
        return max(rivals, key=lambda c: (self.sign * metrics[id(c)][self.metric], -metrics[id(c)]["loss"]))

    @cached_property
    def validation(self) -> str:
        """The validation set."""
        return next(name for name, role in self.roles.items() if role == "validation")

    @cached_property
    def test(self) -> str:
        """The in-domain test set."""
        return next(name for name, role in self.roles.items() if role == "in_domain")

    def seeds(self, groups: Sequence[Group], among: Sequence[int]) -> list[int]:
        """The seeds that all these groups have."""
        return sorted(set(among).intersection(*(self.cells.get(group, {}) for group in groups)))

    def of(self, group: Group, seeds: Sequence[int]) -> list[dict[str, Any]]:
        """Cells, in the order of the seeds."""
        return [self.cells[group][seed] for seed in seeds]

    def rows(self, group: Group, name: str, seeds: Sequence[int]) -> np.ndarray:
        """What the metric is made of: scores or predictions [S, N], or statistics [S, N, K]."""
        mean = self.is_mean(name)
        made_of = "score" if mean else "statistics" if self.metric in SUMS else "predicted"
        return np.stack([cell[name][made_of] for cell in self.of(group, seeds)])

    def score(self, group: Group, name: str, seeds: Sequence[int]) -> np.ndarray:
        """The metric of every seed, [S]."""
        rows = self.rows(group, name, seeds)
        if self.is_mean(name):
            return rows.mean(axis=1, dtype=np.float64)
        return self.metric_of(rows, np.ones((1, rows.shape[1])), name)[0]

    def is_mean(self, name: str) -> bool:
        """Whether what is compared on a set is a mean of per-item scores: the metric, or the measure of an audit."""
        return name.startswith("audit ") or (self.metric not in SUMS and self.metric != "macro_f1")

    def weights(self, name: str) -> np.ndarray:
        """How often each item of a set is drawn, float32 [B, N]; groups are drawn as a whole."""
        if name not in self._weights:
            stored, groups = self.findings["resampling"], self.groups[name]
            rng, count = np.random.default_rng(stored["items"][name]), int(groups.max()) + 1
            drawn = (rng.integers(0, count, size=count) for _ in range(stored["replicates"]))
            counts = np.stack([np.bincount(one, minlength=count) for one in drawn])
            self._weights[name] = counts[:, groups].astype(np.float32)
        return self._weights[name]

    def draws(self, group: Group, name: str, seeds: Sequence[int]) -> np.ndarray:
        """The metric of every seed under every draw of the items, float32 [B, S]."""
        rows, weights = self.rows(group, name, seeds), self.weights(name)
        if self.is_mean(name):
            return weights @ rows.T.astype(np.float32) / weights.sum(axis=1, keepdims=True)
        return self.metric_of(rows, weights, name).astype(np.float32)

    def replicates(self, group: Group, name: str, seeds: Sequence[int]) -> np.ndarray:
        """Its mean over resampled seeds too, [B]; their deviations are widened by sqrt(S / (S - 1))."""
        stored, count = self.findings["resampling"], len(seeds)
        if count == 1:
            return self.draws(group, name, seeds)[:, 0].astype(np.float64)
        rng = np.random.default_rng([stored["seeds"], count])
        drawn = [np.bincount(rng.integers(0, count, size=count), minlength=count) for _ in range(stored["replicates"])]
        weights = 1 / count + (np.stack(drawn) / count - 1 / count) * math.sqrt(count / (count - 1))
        return np.sum(self.draws(group, name, seeds) * weights, axis=1, dtype=np.float64)

    def metric_of(self, rows: np.ndarray, weights: np.ndarray, name: str) -> np.ndarray:
        """A metric that is no mean, [B, S], of rows [S, N, ...] under weights [B, N]."""
        if self.metric in SUMS:
            sums = [weights.astype(np.float64) @ one.astype(np.float64) for one in rows]
            return np.stack([SUMS[self.metric](each) for each in sums], axis=1)
        return _macro_f1(self.labels[name], rows, weights)

    def spread(self, terms: Sequence[tuple[float, Group, str]], seeds: Sequence[int]) -> Spread:
        """The signed sum of scores, with an item part for each set."""
        values = np.sum([sign * self.score(group, name, seeds) for sign, group, name in terms], axis=0)
        return Spread(values, self.parts(terms, seeds))

    def parts(self, terms: Sequence[tuple[float, Group, str]], seeds: Sequence[int]) -> list[tuple[float, float, int]]:
        """The item parts of a signed sum; terms on one set are subtracted item by item."""
        parts = []
        for name in dict.fromkeys(name for _, _, name in terms):
            own = [(sign, group) for sign, group, other in terms if other == name]
            if self.is_mean(name):
                parts.append(self.item_part(sum(np.float64(s) * self.rows(g, name, seeds) for s, g in own), name))
            else:
                block = sum(np.float32(s) * self.draws(g, name, seeds) for s, g in own)
                parts.append(drawn_part(block, self.units(name)))
        return parts

    def units(self, name: str) -> int:
        """How many independent items a set has: its groups."""
        return int(self.groups[name].max()) + 1

    def item_part(self, block: np.ndarray, name: str) -> tuple[float, float, int]:
        """The item part of a mean on a set; a group of items counts as one, by its share in the mean."""
        groups = self.groups[name]
        counts = np.bincount(groups)
        if len(counts) == len(groups):
            return item_part(block)
        sums = np.stack([np.bincount(groups, weights=row) for row in block])
        means = block.mean(axis=1, dtype=np.float64)[:, None]
        return item_part(means + (sums - counts * means) * len(counts) / len(groups))


def _macro_f1(labels: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Macro F1 [B, S] over the classes that a draw holds, of predictions [S, N] under weights [B, N]."""
    total, classes = np.zeros((len(weights), len(predicted))), np.zeros((len(weights), 1))
    for k in np.unique(labels):
        support = (weights @ (labels == k).astype(weights.dtype))[:, None]
        hits = weights @ ((predicted == k) & (labels == k)).T.astype(weights.dtype)
        told = weights @ (predicted == k).T.astype(weights.dtype)
        total += 2.0 * hits / np.maximum(support + told, 1e-12)
        classes += support > 0
    return total / np.maximum(classes, 1)


def _pearson(n: np.ndarray, x: np.ndarray, y: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    spreads = np.stack([n * xx - x * x, n * yy - y * y])
    varied = (spreads > 1e-20 * n**2).all(axis=0)
    return np.where(varied, (n * xy - x * y) / np.sqrt(np.where(varied, spreads, 1.0).prod(axis=0)), 0.0)


def _cells(folder: Path, names: Iterable[str], shown: set[str]) -> Iterator[dict[str, Any]]:
    """The result of each cell, with its per-item scores as "table", and those of validation as "points" if kept.

    Sets that were evaluated beside the training are added, those that the findings show, and audits.
    """
    with tempfile.TemporaryDirectory() as unpacked:
        place, archive = folder / "../../cells", folder / "cells.tar.xz"
        if archive.is_file():
            place = Path(unpacked)
            with tarfile.open(archive, mode="r:xz") as packed:
                packed.extractall(place, filter="data")
        for name in names:
            cell = json.loads((place / name / "result.json").read_text(encoding="utf-8"))
            cell["table"], cell["audits"] = _array(place / name / "scores.npy"), {}
            beside = place / name / "evaluations"
            for evaluation in sorted(beside.iterdir(), key=lambda path: path.name) if beside.exists() else ():
                record = json.loads((evaluation / "record.json").read_text(encoding="utf-8"))
                if "audit" in record:
                    if record["audit"] in MEASURES:
                        column = record["columns"].index(MEASURES[record["audit"]])
                        cell["audits"][record["audit"]] = _array(evaluation / "items.npy")[:, column]
                elif record.get("dataset") in shown:
                    items = _array(evaluation / "items.npy").copy()
                    items["dataset"] = len(cell["evaluations"])
                    cell["evaluations"].append(record)
                    cell["table"] = np.concatenate([cell["table"], items])
            kept = place / name / "validation.npy"
            cell["points"] = _array(kept) if kept.exists() else None
            yield cell


def _array(path: Path) -> np.ndarray:
    return np.asarray(np.load(path, allow_pickle=False))

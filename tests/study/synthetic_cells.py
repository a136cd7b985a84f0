"""Finished cells without training: plausible learning curves with a known label multiplier for every arm."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.audits import AUDITS, Examination
from pipeline.records import (
    SCORES_DTYPE,
    AuditResult,
    CellKey,
    CellResult,
    CheckpointUse,
    Cost,
    Evaluation,
    Measured,
    StartLine,
    TrajectoryPoint,
)

Scores = npt.NDArray[np.void]
Items = npt.NDArray[Any]
SyntheticCell = tuple[CellResult, Scores]

# An arm with multiplier m scores at n labels what scratch scores at m * n.
MULTIPLIERS = {"scratch": 1.0, "scratch_small": 1.2, "frozen": 3.0, "lora": 6.0, "pretrained": 8.0}
WHOLE = CheckpointUse(body="bert.", loaded=103, loaded_parameters=22_713_216)
LABELS = ("negative", "positive")
GRID = 160  # examples between two evaluations
POINTS = 9  # of a trajectory, step 0 included
VALIDATION_ITEMS = 400
POOL = 6400  # training examples behind size "all"
DIFFICULTY = np.random.default_rng(5).permutation((np.arange(VALIDATION_ITEMS) + 0.5) / VALIDATION_ITEMS)


def planted_accuracy(arm: str, labels: float) -> float:
    """The expected accuracy of `arm` at so many training labels, in [0.5, 0.9]."""
    return float(0.9 - 0.4 * (1.0 + MULTIPLIERS[arm] * labels / 150.0) ** -0.6)


def synthetic_cells(
    arms: Sequence[str],
    sizes: Sequence[int | str],
    seeds: Sequence[int],
    items: int,
    rng: np.random.Generator,
    *,
    out_of_domain: Sequence[str] = (),
    out_items: int = 100,
    seed_sd: float = 0.01,
    metric: str = "accuracy",
) -> list[SyntheticCell]:
    """Every (arm, size, seed) as a result and its per-example scores (SCORES_DTYPE), test rows first.

    Items are crossed with seeds and shared by all arms; `seed_sd` is the spread of an arm's accuracy over seeds.
    Out-of-domain sets score 0.1 lower than the test.
    """
    counts = {"test": items, **dict.fromkeys(out_of_domain, out_items)}
    ease = {name: rng.uniform(-0.09, 0.09, count) for name, count in counts.items()}
    gold = {name: (np.arange(count) % 2).astype(np.int32) for name, count in counts.items()}
    return [
        _cell(arm, size, seed, ease, gold, metric, rng, rng.normal(0.0, seed_sd))
        for arm in arms
        for size in sizes
        for seed in seeds
    ]


def starting_well(cells: Sequence[SyntheticCell]) -> list[SyntheticCell]:
    """The same with a step 0 as good as the end: a training that fails would lose nothing."""

    def changed(result: CellResult) -> CellResult:
        first, *later = result.trajectory
        first = dataclasses.replace(first, validation_score=later[-1].validation_score)
        return dataclasses.replace(result, trajectory=(first, *later))

    return [(changed(result), scores) for result, scores in cells]


class Loader:
    """Reads cells' scores, as the store of results does from disk."""

    def __init__(self, cells: Sequence[SyntheticCell], audits: Mapping[tuple[str, str], Items]) -> None:
        self.by_id, self.audits = {result.cell_id: scores for result, scores in cells}, audits

    def scores(self, cell_id: str) -> Scores:
        """Those of a cell."""
        return self.by_id[cell_id]

    def scores_on(self, cell_id: str, evaluation_id: str) -> Items:
        """Items of an audit; synthetic cells have no set that was evaluated beside their training."""
        return self.audits[cell_id, evaluation_id]

    def validation(self, result: CellResult) -> npt.NDArray[np.float64]:
        """At each point of its trajectory the easiest items are right, as many as its score says.

        Of a metric of sums each has 2 hits in 2 labels, or none.
        """
        right = np.array([[point.validation_score] for point in result.trajectory]) > DIFFICULTY
        if result.metric == "micro_f1":
            return np.stack([right, np.full(right.shape, 2.0)], axis=-1)
        return right * 1.0


def loader(cells: Sequence[SyntheticCell], audits: Mapping[tuple[str, str], Items] = MappingProxyType({})) -> Loader:
    """What reads the scores of `cells`, and `audits`, the items of each by cell and evaluation."""
    return Loader(cells, audits)


def examined(
    cells: Sequence[SyntheticCell], audit: str, find: Callable[[CellResult], Items], dataset: str = "test"
) -> tuple[list[SyntheticCell], dict[tuple[str, str], Items]]:
    """The cells as an audit has examined them on a set, and its items: its measure of each is what `find` gives."""
    number = str(Examination(audit, dataset))
    record = AuditResult(
        audit=audit,
        version=1,
        items=0,
        columns=("other", AUDITS[audit].measure.column),
        numbers={},
        evaluation_id=number,
        dataset=dataset,
    )
    items = {(result.cell_id, number): find(result) for result, _ in cells}
    both = {key: np.stack([np.zeros_like(found), found], axis=1) for key, found in items.items()}
    return [(dataclasses.replace(r, audits=(*r.audits, record)), scores) for r, scores in cells], both


def start_line(arm: str, size: int | str, seed: int) -> StartLine:
    """The start line of a fair comparison: equal between arms but for recipe, trained part and base mode."""
    return StartLine(
        architecture="bert-6x384",
        pooling="mean",
        tokenizer="wordpiece",
        train_items=f"items-{size}-{seed}",
        order=f"order-{size}-{seed}",
        evaluation_grid=f"every {GRID} examples",
        global_batch=32,
        dropout=0.1,
        trained_mode="train",
        parameter_dtype="float32",
        precision="fp32",
        versions={"torch": "2.13.0", "transformers": "5.23.0"},
        recipe={"lr": 5e-4 if arm == "scratch" else 5e-5, "epochs": 10.0 if arm == "scratch" else 3.0},
        method={"frozen": "linear_probe", "lora": "lora"}.get(arm, "full"),
        base_mode="eval" if arm == "frozen" else "train",
    )


def _cell(
    arm: str,
    size: int | str,
    seed: int,
    ease: dict[str, npt.NDArray[np.float64]],
    gold: dict[str, npt.NDArray[np.int32]],
    metric: str,
    rng: np.random.Generator,
    luck: float,
) -> SyntheticCell:
    train_items = POOL if size == "all" else int(size)
    accuracy = planted_accuracy(arm, train_items) + luck
    tables = [
        _scores(index, accuracy - (0.1 if index else 0.0) + ease[name], gold[name], rng)
        for index, name in enumerate(ease)
    ]
    evaluations = [
        _evaluation(name, "out_of_domain" if index else "in_domain", tables[index], metric)
        for index, name in enumerate(ease)
    ]
    evaluations += [_unscored("validation", VALIDATION_ITEMS, metric, accuracy), _unscored("train", 20, metric, 0.95)]
    tables.append(_scored(len(ease), accuracy > DIFFICULTY, np.arange(VALIDATION_ITEMS) % 2))
    return _result(arm, size, seed, train_items, accuracy, evaluations, metric), np.concatenate(tables)


def _scores(
    index: int, chance_right: npt.NDArray[np.float64], gold: npt.NDArray[Any], rng: np.random.Generator
) -> Scores:
    return _scored(index, rng.random(len(gold)) < chance_right, gold)


def _scored(index: int, right: npt.NDArray[Any], gold: npt.NDArray[Any]) -> Scores:
    table = np.zeros(len(gold), dtype=SCORES_DTYPE)
    table["dataset"] = index
    table["item"] = table["group"] = np.arange(len(gold))
    table["label"] = gold
    table["predicted"] = np.where(right, gold, 1 - gold)
    table["score"] = right
    table["loss"] = np.where(right, 0.2, 1.5)
    return table


def _evaluation(name: str, role: str, table: Scores, metric: str) -> Evaluation:
    return Evaluation(
        dataset=name,
        role=role,
        items=len(table),
        truncated=0,
        fingerprint=f"fingerprint-{name}",
        metrics={metric: float(table["score"].mean())},
        constant=0.5,
    )


def _unscored(name: str, items: int, metric: str, value: float) -> Evaluation:
    return Evaluation(
        dataset=name,
        role=name,
        items=items,
        truncated=0,
        fingerprint=f"fingerprint-{name}",
        metrics={metric: value, "loss": 1.2 - value},
    )


def _result(
    arm: str,
    size: int | str,
    seed: int,
    train_items: int,
    accuracy: float,
    evaluations: Sequence[Evaluation],
    metric: str,
) -> CellResult:
    pace = 200.0 / MULTIPLIERS[arm]
    examples = [step * GRID for step in range(POINTS)]
    trajectory = tuple(
        _point(count, 0.5 + (accuracy - 0.5) * (1.0 - float(np.exp(-count / pace)))) for count in examples
    )
    return CellResult(
        cell_id=f"{arm}-{size}-{seed}",
        key=CellKey(base="minilm", task="sentiment", arm=arm, size=size, seed=seed),
        train_items=train_items,
        pool_items=POOL,
        labels=LABELS,
        metric=metric,
        higher_is_better=True,
        evaluations=tuple(evaluations),
        trajectory=trajectory,
        best_step=trajectory[-1].step,
        stopped_by="epochs",
        converged_gain=0.001,
        checkpoint=None if arm == "scratch" else WHOLE,
        start_line=start_line(arm, size, seed),
        cost=Cost(
            flops=trajectory[-1].flops,
            examples=trajectory[-1].examples,
            steps=trajectory[-1].step,
            parameters=22_700_000,
            trained_parameters=800 if arm == "frozen" else 22_700_000,
            stored_bytes=3_200 if arm == "frozen" else 90_800_000,
        ),
        measured=Measured(
            seconds=12.0,
            training_seconds=10.0,
            evaluation_seconds=2.0,
            trajectory_seconds=tuple(0.01 * count for count in examples),
            peak_memory_bytes=900_000_000,
            started_at=0.0,
            finished_at=12.0,
            threads=1,
            devices=1,
            concurrency=2,
        ),
    )


def _point(examples: int, score: float) -> TrajectoryPoint:
    return TrajectoryPoint(
        step=examples // 32,
        examples=examples,
        flops=1e9 * examples,
        train_loss=None if examples == 0 else 1.0 - score,
        validation_loss=1.2 - score,
        validation_score=score,
        learning_rate=5e-5,
    )

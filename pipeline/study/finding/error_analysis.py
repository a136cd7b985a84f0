"""Which test items each arm gets right or wrong, read off the stored scores of finished cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.config.schema import Study
from pipeline.records import CellResult, Evaluation
from pipeline.study.finding.cell_scores import CellScores
from pipeline.study.finding.table import Matrix, Size, ordered

NEARLY_ALL = 0.9  # of the cells: the share of wrong answers from which on an item's label is to be checked


@dataclass(frozen=True, kw_only=True)
class ArmAnswers:
    """What an arm scored on N test items under S seeds: `score` and `predicted` (a class, or -1) are [S, N].

    `truncated` is the share of the items whose text was longer than the base reads, or than task.max_length.
    """

    arm: str
    score: Matrix
    predicted: Matrix
    truncated: float

    @property
    def mean(self) -> Matrix:
        """The score of each item, mean over seeds, [N]."""
        return np.asarray(self.score.mean(axis=0, dtype=np.float64))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How many of the same test items one arm answers better than another.

    `better`, `worse` and `equal` compare means over seeds; of these items, `always_better` counts those whose lowest
    score under any seed of the one arm is above the highest of the other.
    """

    arm: str
    against: str
    better: int
    worse: int
    equal: int
    always_better: int
    always_worse: int


@dataclass(frozen=True, kw_only=True)
class ErrorAnalysis:
    """The answers of every arm on the task's own test set, at the largest size at which any arm has cells.

    `gold` [N] are the right classes; `labels` are their names, none where the kind has no classes.
    """

    size: Size
    dataset: str
    higher_is_better: bool
    labels: tuple[str, ...]
    gold: Matrix
    arms: tuple[ArmAnswers, ...]

    def of(self, arm: str) -> ArmAnswers | None:
        """The answers of one arm, None where it has no cell of this size."""
        return next((answers for answers in self.arms if answers.arm == arm), None)

    def gain(self, arm: ArmAnswers, against: ArmAnswers) -> Matrix:
        """By how much an arm's mean score is better than another's, of each item, [N]."""
        return np.asarray((arm.mean - against.mean) * (1 if self.higher_is_better else -1))

    def compare(self, arm: ArmAnswers, against: ArmAnswers) -> Comparison:
        """How many items the one answers better than the other."""
        sign, gain = (1 if self.higher_is_better else -1), self.gain(arm, against)
        one, other = sign * arm.score, sign * against.score
        return Comparison(
            arm=arm.arm,
            against=against.arm,
            better=int((gain > 0).sum()),
            worse=int((gain < 0).sum()),
            equal=int((gain == 0).sum()),
            always_better=int((one.min(axis=0) > other.max(axis=0)).sum()),
            always_worse=int((one.max(axis=0) < other.min(axis=0)).sum()),
        )

    @property
    def wrong(self) -> Matrix:
        """The share of all cells, of every arm and seed, that give an item the wrong class, [N]; 0 without classes."""
        if not self.labels:
            return np.zeros(len(self.gold))
        return np.asarray(((self.together.predicted != self.gold) & (self.gold >= 0)).mean(axis=0))

    @property
    def together(self) -> ArmAnswers:
        """The answers of all arms under all seeds as if they were one arm's."""
        return ArmAnswers(
            arm="all trainings",
            score=np.concatenate([arm.score for arm in self.arms]),
            predicted=np.concatenate([arm.predicted for arm in self.arms]),
            truncated=float(np.mean([arm.truncated for arm in self.arms])),
        )

    @property
    def suspects(self) -> Matrix:
        """The items that nearly all cells get wrong, the most first: their labels are the first to check. Indices."""
        wrong = self.wrong
        order = np.argsort(-wrong, kind="stable")
        return np.asarray(order[wrong[order] >= NEARLY_ALL])

    def usual(self, arm: ArmAnswers) -> Matrix:
        """The class that an arm gives most often over its seeds, of each item, -1 where it gives none; [N]."""
        votes = [(arm.predicted == known).sum(axis=0) for known in range(-1, len(self.labels))]
        return np.asarray(np.argmax(votes, axis=0) - 1)

    def by_class(self, arm: ArmAnswers) -> Matrix:
        """Recall, precision and F1 of each class, all seeds together, [C, 3]; 0 where a class is never predicted."""
        gold = np.broadcast_to(self.gold, arm.predicted.shape)
        classes = np.arange(len(self.labels))[:, None, None]
        told, true = arm.predicted == classes, gold == classes
        hit, predicted, actual = ((x).sum(axis=(1, 2), dtype=np.float64) for x in (told & true, told, true))
        recall, precision = hit / np.maximum(actual, 1), hit / np.maximum(predicted, 1)
        return np.stack([recall, precision, 2 * hit / np.maximum(predicted + actual, 1)], axis=1)


def analyse_errors(study: Study, cells: Sequence[CellResult], store: CellScores) -> ErrorAnalysis | None:
    """The answers of the study's cells on its own test set; None where no cell is finished.

    Raises:
        StorageError: a cell's scores do not fit its test set.
    """
    sizes = [cell.train_items for cell in cells if cell.key.arm in study.arms and cell.key.size in study.sizes]
    if not sizes:
        return None
    largest = next(c.key.size for c in cells if c.key.size in study.sizes and c.train_items == max(sizes))
    by_arm = {
        arm: [c for c in cells if (c.key.arm, c.key.size) == (arm, largest) and c.key.seed in study.seeds]
        for arm in study.arms
    }
    parts = {arm: [_tested(cell, store) for cell in of] for arm, of in by_arm.items() if of}
    if not parts:
        return None
    first, (tested, scores) = cells[0], next(iter(parts.values()))[0]
    return ErrorAnalysis(
        size=largest,
        dataset=tested.dataset,
        higher_is_better=first.higher_is_better,
        labels=first.labels if (scores["predicted"] >= 0).any() else (),
        gold=np.array(scores["label"]),
        arms=tuple(_answers(arm, of) for arm, of in parts.items()),
    )


def _tested(cell: CellResult, store: CellScores) -> tuple[Evaluation, Matrix]:
    index, evaluation = next((i, e) for i, e in enumerate(cell.evaluations) if e.role == "in_domain")
    table = store.scores(cell.cell_id)
    return evaluation, ordered(table[table["dataset"] == index], evaluation, cell)


def _answers(arm: str, cells: Sequence[tuple[Evaluation, Matrix]]) -> ArmAnswers:
    return ArmAnswers(
        arm=arm,
        score=np.stack([scores["score"] for _, scores in cells]),
        predicted=np.stack([scores["predicted"] for _, scores in cells]),
        truncated=float(np.mean([evaluation.truncated / max(evaluation.items, 1) for evaluation, _ in cells])),
    )

"""Finished cells of a study as compact [seeds, items] matrices, so that ten thousand cells fit in memory."""

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipeline.analysis.metrics import weighted_macro_f1
from pipeline.audits import AUDITS, Examination
from pipeline.config.schema import Study
from pipeline.errors import StorageError
from pipeline.records import BEST_FROM_SCRATCH, CellResult, Evaluation, FailedCell
from pipeline.records.metrics import MEANS
from pipeline.study.finding.audited import audits_claimed, measured, set_name
from pipeline.study.finding.cell_scores import CellScores
from pipeline.tasks.texts.corpus_metrics import OF_SUMS, of_draws

Size = int | str
Matrix = npt.NDArray[Any]
TESTED = ("in_domain", "out_of_domain")


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """One evaluation set of N items. `labels` is [N], -1 where an item has none.

    `groups` is the number of each item's group from 0 on, [N]; None where each is a group of its own.
    """

    name: str
    role: str
    items: int
    labels: Matrix
    groups: Matrix | None

    @property
    def units(self) -> int:
        """How many independent items it holds: the groups, where items come in groups."""
        return self.items if self.groups is None else int(self.groups.max()) + 1


class Table:
    """The study's finished cells by arm, size and seed. Each cell's scores are loaded once, when it is built.

    Where a claim is against it, `best_from_scratch` is an arm of the table too: under each seed it is the cell of the
    arm from scratch with the best score on the validation set. A seed under which one of them has no result is left
    out: the best of the others would be a weaker rival.

    Args:
        counted: what sizes are numbers of, label or text.
        from_scratch: the arms whose network starts without pretrained weights.
        pretraining: by arm, the FLOPs of pretraining on the task's own text that the cost of each of its cells holds.
        failed: the cells whose training failed.
    """

    def __init__(
        self,
        study: Study,
        cells: Sequence[CellResult],
        store: CellScores,
        metric: str,
        *,
        counted: Literal["label", "text"] = "label",
        from_scratch: Sequence[str] = (),
        pretraining: Mapping[str, float] = MappingProxyType({}),
        failed: Sequence[FailedCell] = (),
    ) -> None:
        self.failed = {(cell.arm, cell.size, cell.seed) for cell in failed}
        self.study, self.store, self.counted, self.pretraining = study, store, counted, pretraining
        self.from_scratch = tuple(arm for arm in study.arms if arm in from_scratch)
        self.cells: dict[tuple[str, Size], dict[int, CellResult]] = defaultdict(dict)
        for cell in _wanted(study, cells):
            self.cells[cell.key.arm, cell.key.size][cell.key.seed] = cell
        first = next(iter(self.all_cells()), None)
        self.metric = first.metric if first else metric
        self.is_mean = self.metric in MEANS  # of per-example scores: its item part follows from mean squares
        self.higher_is_better = first.higher_is_better if first else True
        self.labels = first.labels if first else ()
        self.sets: dict[str, TestSet] = {}
        self.audits: dict[Examination, TestSet] = {}  # those that claims are about and that reach every cell
        self.validation: TestSet | None = None
        self._rows: dict[tuple[str, Size, str], Matrix] = {}
        self._row_of: dict[tuple[str, Size], dict[int, int]] = {}  # by arm and size, where the row of a seed is
        for arm, size in self.groups():
            self._read(arm, size, self.of(arm, size))
        for examination in audits_claimed(study):
            self._examine(examination)
        if self.from_scratch and any(claim.against == BEST_FROM_SCRATCH for claim in study.claims.values()):
            for size in study.sizes:
                self._choose_rival(size)

    @property
    def _made_of(self) -> str:
        """The field of a cell's scores that the metric is made of."""
        if self.metric in OF_SUMS:
            return "statistics"
        return "score" if self.is_mean else "predicted"

    @property
    def sign(self) -> float:
        """1 where a higher metric is better, else -1."""
        return 1.0 if self.higher_is_better else -1.0

    @property
    def in_domain(self) -> TestSet | None:
        """The test set of the task, or None without cells."""
        return next((s for s in self.sets.values() if s.role == "in_domain"), None)

    def resolve(self, dataset: str) -> TestSet | None:
        """The set a claim means: "test" is the in-domain one, whatever it is called."""
        return self.in_domain if dataset == "test" else self.sets.get(dataset)

    def all_cells(self) -> list[CellResult]:
        """Every finished cell, in the order of the study's arms, sizes and ascending seeds."""
        return [cell for arm, size in self.groups() for cell in self.of(arm, size)]

    def groups(self) -> list[tuple[str, Size]]:
        """Every (arm, size) with at least one cell, in the study's order."""
        return self._present(self.study.arms)

    def scored(self) -> list[tuple[str, Size]]:
        """The same, then those of `best_from_scratch`."""
        return self._present((*self.study.arms, BEST_FROM_SCRATCH))

    def _present(self, arms: Sequence[str]) -> list[tuple[str, Size]]:
        return [(arm, size) for arm in arms for size in self.study.sizes if self.cells.get((arm, size))]

    def seeds(self, *groups: tuple[str, Size]) -> tuple[int, ...]:
        """The seeds that all of these (arm, size) have finished, ascending."""
        common = set.intersection(*(set(self.cells.get(group, ())) for group in groups))
        return tuple(sorted(common))

    def of(self, arm: str, size: Size, seeds: Sequence[int] | None = None) -> list[CellResult]:
        """The finished cells of an arm and size, in the order of `seeds`."""
        group = self.cells.get((arm, size), {})
        return [group[seed] for seed in (sorted(group) if seeds is None else seeds)]

    def train_items(self, arm: str, size: Size) -> int:
        """How many labels its cells trained on, the most of any seed."""
        return max(cell.train_items for cell in self.of(arm, size))

    def drawn_from(self, size: Size) -> tuple[int, int]:
        """How many labels cells of this size trained on, the most of any, and how many there were to draw from."""
        cells = [cell for arm, other in self.groups() if other == size for cell in self.of(arm, size)]
        return max(cell.train_items for cell in cells), max(cell.pool_items for cell in cells)

    def chance(self, arm: str, size: Size, dataset: str) -> float | None:
        """The score on a set of the best answer that reads no text, mean over seeds; None if there is none."""
        constants = [e.constant for c in self.of(arm, size) for e in c.evaluations if e.dataset == dataset]
        known = [constant for constant in constants if constant is not None]
        return float(np.mean(known)) if known and len(known) == len(constants) else None

    def curve_sizes(self, arm: str) -> list[Size]:
        """The sizes at which the arm has cells, by the labels they trained on, ascending."""
        present = [size for size in self.study.sizes if self.cells.get((arm, size))]
        return sorted(present, key=lambda size: self.train_items(arm, size))

    def rows(self, arm: str, size: Size, dataset: str, seeds: Sequence[int]) -> Matrix:
        """What the metric is made of, by seeds and examples: scores or classes told [S, N], or statistics [S, N, K]."""
        order, whole = self._row_of[arm, size], self._rows[arm, size, dataset]
        return whole if len(seeds) == len(order) else whole[[order[seed] for seed in seeds]]

    def score(self, rows: Matrix, dataset: str) -> npt.NDArray[np.float64]:
        """The metric of every seed, [S], from `rows`."""
        if self.is_mean:
            return np.asarray(rows.mean(axis=1, dtype=np.float64))
        return np.asarray(self.drawn(rows, np.ones((1, rows.shape[1])), self.sets[dataset])[0])

    def drawn(self, rows: Matrix, weights: Matrix, of: TestSet) -> npt.NDArray[np.float64]:
        """A metric that is no mean, of every seed under B draws of the set's items, [B, S]; `weights` are [B, N]."""
        if self.metric in OF_SUMS:
            return np.stack([of_draws(self.metric, one, weights) for one in rows], axis=1)
        return np.asarray(weighted_macro_f1(of.labels, rows, weights, classes=len(self.labels)))

    def under(self, seeds: Sequence[int]) -> "Table":
        """The same with the cells of these seeds alone."""
        kept = set(seeds)
        view = copy.copy(self)
        view.cells = defaultdict(dict)
        for group, cells in self.cells.items():
            view.cells[group] = {seed: cell for seed, cell in cells.items() if seed in kept}
        return view

    def of_audit(self, of: Examination) -> "Table | None":
        """The same cells with an audit's measure in place of the metric, on the items of the audit; None if it was not
        made of every cell.
        """
        if of not in self.audits:
            return None
        view, examined, metric = copy.copy(self), self.audits[of], AUDITS[of.audit].measure.metric
        view.metric, view.is_mean = metric or examined.name, metric is None or metric in MEANS
        view.sets = {examined.name: examined}
        return view

    def _examine(self, of: Examination) -> None:
        name, on = set_name(of), self.resolve(of.dataset)
        by_group = measured(of, {group: self.of(*group) for group in self.groups()}, self.store)
        if not by_group or on is None:
            return
        for (arm, size), rows in by_group.items():
            self._rows[arm, size, name] = rows
        items = next(iter(by_group.values())).shape[1]
        none = np.full(items, -1)
        labels, groups = (none, None) if AUDITS[of.audit].measure.of == "its_own" else (on.labels, on.groups)
        self.audits[of] = TestSet(name=name, role="audit", items=items, labels=labels, groups=groups)

    def _read(self, arm: str, size: Size, cells: list[CellResult]) -> None:
        self._row_of[arm, size] = {cell.key.seed: row for row, cell in enumerate(cells)}
        for position, cell in enumerate(cells):
            table = self.store.scores(cell.cell_id)
            for index, evaluation in enumerate(cell.evaluations):
                if evaluation.role == "validation" and self.validation is None:
                    part = ordered(table[table["dataset"] == index], evaluation, cell)
                    self.validation = self._set_of(evaluation, part)
                if evaluation.role in TESTED:
                    own = evaluation.evaluation_id
                    rows = self.store.scores_on(cell.cell_id, own) if own else table[table["dataset"] == index]
                    part = ordered(rows, evaluation, cell)
                    self.sets.setdefault(evaluation.dataset, self._set_of(evaluation, part))
                    made_of, key = part[self._made_of], (arm, size, evaluation.dataset)
                    if key not in self._rows:
                        self._rows[key] = np.zeros((len(cells), *made_of.shape), dtype=made_of.dtype)
                    self._rows[key][position] = made_of

    def _choose_rival(self, size: Size) -> None:
        groups = [(arm, size) for arm in self.from_scratch]
        seeds = self.seeds(*groups)
        if not seeds:
            return
        chosen = [best_on_validation([self.cells[group][seed] for group in groups]) for seed in seeds]
        self.cells[BEST_FROM_SCRATCH, size] = dict(zip(seeds, chosen, strict=True))
        self._row_of[BEST_FROM_SCRATCH, size] = {seed: row for row, seed in enumerate(seeds)}
        for dataset in (*self.sets, *(examined.name for examined in self.audits.values())):
            rows = [self.rows(c.key.arm, size, dataset, [seed])[0] for seed, c in zip(seeds, chosen, strict=True)]
            self._rows[BEST_FROM_SCRATCH, size, dataset] = np.stack(rows)

    def _set_of(self, evaluation: Evaluation, part: Matrix) -> TestSet:
        labels, (numbers, groups) = np.array(part["label"]), np.unique(part["group"], return_inverse=True)
        return TestSet(
            name=evaluation.dataset,
            role=evaluation.role,
            items=evaluation.items,
            labels=labels,
            groups=None if len(numbers) == len(groups) else groups,
        )


def best_on_validation(cells: Sequence[CellResult]) -> CellResult:
    """The cell with the best metric on the validation set; of equal ones that with the lowest loss there, then the
    first. No test item has a say.
    """

    def rank(cell: CellResult) -> tuple[float, float]:
        metrics = next(e.metrics for e in cell.evaluations if e.role == "validation")
        return (1.0 if cell.higher_is_better else -1.0) * metrics[cell.metric], -metrics["loss"]

    return max(cells, key=rank)


def _wanted(study: Study, cells: Sequence[CellResult]) -> list[CellResult]:
    return [
        cell
        for cell in cells
        if cell.key.arm in study.arms and cell.key.size in study.sizes and cell.key.seed in study.seeds
    ]


def ordered(part: Matrix, evaluation: Evaluation, cell: CellResult) -> Matrix:
    """The rows of one set by item, every item once."""
    items = part["item"]
    if len(items) == evaluation.items and np.array_equal(items, np.arange(evaluation.items)):
        return part
    if not np.array_equal(np.sort(items), np.arange(evaluation.items)):
        raise StorageError(
            f"The scores of cell {cell.cell_id} must hold each of the {evaluation.items} items of "
            f"{evaluation.dataset} once, but hold {len(items)} rows. Delete the cell's folder and run again."
        )
    return np.asarray(part[np.argsort(items)])

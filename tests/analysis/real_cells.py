"""The same arm against itself on trained cells: how often a study finds a difference where there is none.

A bank is a study of many seeds. A regrouping draws two disjoint groups of its seeds, calls the cells of one group the
arm "one" and those of the other the arm "other", numbers both from 0, and is judged as any study is. Banks of
docs/errors.md (under an hour on two cores), then the table (two minutes):

    cells="study.arms=[frozen,bag_of_words,pretrained] task.out_of_domain={} train.samples=0 train.keep=none"
    cells="$cells study.seeds=[$(seq -s, 1000 1039)]"
    headstart study study.name=bank_sentiment task=sentiment study.sizes=[50,200] $cells
    headstart study study.name=bank_intents task=intents study.sizes=[82,328] $cells
    python -m tests.analysis.real_cells outputs/studies/bank_sentiment outputs/studies/bank_intents
"""

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.analysis.crossed_interval import item_part
from pipeline.analysis.multiple_comparisons import simultaneous_level
from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import CellResult, Findings
from pipeline.storage.results import ResultStore
from pipeline.study.finding.findings import Basis, CellScores, find
from tests.analysis.coverage import Draws

SEEDS, REGROUPINGS, DELTA = 5, 1000, 0.02
LEVEL = 0.95  # of each claim's interval


@dataclass(frozen=True, kw_only=True)
class Bank:
    """The finished cells of one arm on one task, at every size under the same seeds."""

    arm: str
    task: str
    cells: tuple[CellResult, ...]
    store: CellScores

    @property
    def sizes(self) -> tuple[int | str, ...]:
        """The sizes, in the order of the cells."""
        return tuple(dict.fromkeys(cell.key.size for cell in self.cells))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every size has."""
        each = [{c.key.seed for c in self.cells if c.key.size == size} for size in self.sizes]
        return tuple(sorted(set.intersection(*each)))

    def table(self, size: int | str) -> np.ndarray:
        """The scores of the task's test set, [seeds, items]."""
        cells = {cell.key.seed: cell for cell in self.cells if cell.key.size == size}
        return np.stack([self._tested(cells[seed]) for seed in self.seeds])

    def _tested(self, cell: CellResult) -> np.ndarray:
        place = next(n for n, e in enumerate(cell.evaluations) if e.role == "in_domain")
        rows = self.store.scores(cell.cell_id)
        return np.asarray(rows["score"][rows["dataset"] == place])


def banks_of(folder: Path) -> list[Bank]:
    """The banks of a finished study, one for each arm; `folder` holds its findings.json."""
    names = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["cells"].values()
    store = ResultStore(folder.resolve().parents[1])
    cells = [store.result(name) for name in names]
    arms = dict.fromkeys((cell.key.arm, cell.key.task) for cell in cells)
    return [
        Bank(arm=arm, task=task, cells=tuple(c for c in cells if c.key.arm == arm), store=store) for arm, task in arms
    ]


def regrouped(bank: Bank, rng: np.random.Generator, seeds: int = SEEDS) -> Findings:
    """The findings of a study that compares the arm with itself: a claim for each size, each judged at LEVEL."""
    drawn = rng.permutation(bank.seeds)[: 2 * seeds]
    place = {int(seed): (("one", "other")[n // seeds], n % seeds) for n, seed in enumerate(drawn)}
    cells = [_as(cell, *place[cell.key.seed]) for cell in bank.cells if cell.key.seed in place]
    claims = {f"at_{s}": Claim(arm="one", against="other", size=s, delta=DELTA) for s in bank.sizes}
    study = Study(
        name="regrouped",
        question="Does an arm differ from itself?",
        arms=("one", "other"),
        sizes=bank.sizes,
        seeds=tuple(range(seeds)),
        claims=claims,
        confidence=1 - (1 - LEVEL) * len(claims),
    )
    found = find(Basis(study=study, base=Base(name="bank"), task=Task(name=bank.task)), cells, bank.store)
    assert all(abs(v.level - LEVEL) < 1e-12 for v in found.verdicts if v.level)
    return found


def _as(cell: CellResult, arm: str, seed: int) -> CellResult:
    """The cell under another name. Train items and order differ between groups, which a study would refuse."""
    line = dataclasses.replace(cell.start_line, train_items=f"items {seed}", order=f"order {seed}")
    return dataclasses.replace(cell, key=dataclasses.replace(cell.key, arm=arm, seed=seed), start_line=line)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares of regroupings, at one size on the test set: what intervals say, and what verdicts do, which leave room
    for skewed seeds and for failures.
    """

    excludes_95: float
    excludes_90: float
    supported: float
    opposite: float
    too_small: float
    verdict_supported: float
    verdict_refuted: float


def rates(bank: Bank, regroupings: int, *, key: int = 71, seeds: int = SEEDS) -> dict[int | str, Rates]:
    """How often a difference is found, by size."""
    rng = np.random.default_rng(key)
    found = [regrouped(bank, rng, seeds) for _ in range(regroupings)]
    return {size: _rates(found, size) for size in bank.sizes}


def _rates(found: Sequence[Findings], size: int | str) -> Rates:
    verdicts = [next(v for v in each.verdicts if v.size == size) for each in found]
    estimates = [v.estimate for v in verdicts if v.estimate]
    p, low, high = (np.array([getattr(e, name) for e in estimates]) for name in ("p", "low", "high"))
    return Rates(
        excludes_95=float(np.mean(p < 0.05)),
        excludes_90=float(np.mean(p < 0.1)),
        supported=float(np.mean(low >= DELTA)),
        opposite=float(np.mean(high < 0.0)),
        too_small=float(np.mean((high >= 0.0) & (high < DELTA))),
        verdict_supported=float(np.mean([v.verdict == "supported" for v in verdicts])),
        verdict_refuted=float(np.mean([v.verdict == "refuted" for v in verdicts])),
    )


def predicted_too_small(table: np.ndarray, seeds: int = SEEDS, repetitions: int = 200_000) -> float:
    """How often "too small" would come from Gaussian seeds with the variance components of a bank's scores [K, N].

    Of the difference of two groups, both the variance over seeds and the residual are twice those of the arm; what is
    hard about an item cancels, so there is no part of the items but what the residual feigns.
    """
    items = table.shape[1]
    over_seeds, residual = 2 * table.mean(axis=1).var(ddof=1), 2 * item_part(table).noise * items
    rng = np.random.default_rng(72)
    degrees = np.array([seeds - 1, items - 1, (seeds - 1) * (items - 1)])
    drawn = rng.chisquare(degrees, size=(repetitions, 3)) / degrees * [over_seeds, residual, residual]
    draws = Draws(
        error=rng.normal(0.0, np.sqrt(over_seeds / seeds), repetitions),
        seed=drawn[:, 0] / seeds,
        item=np.maximum(0.0, drawn[:, 1] - drawn[:, 2]) / (seeds * items),
        noise=drawn[:, 2] / (seeds * items),
        seeds=seeds,
        items=items,
    )
    high = draws.error + draws.half_widths(simultaneous_level(LEVEL, 1))
    return float(np.mean((high >= 0.0) & (high < DELTA)))


def main(folders: Sequence[str]) -> None:
    """Print the table."""
    columns = ("task", "arm", "labels", "seeds in the bank", "sd over seeds", "excludes 0 at 95%", "at 90%",
               "supported", "opposite", "too small", "predicted", "verdict supported", "refuted")  # fmt: skip
    print(f"| {' | '.join(columns)} |")
    print("| --- " * len(columns) + "|")
    for folder in folders:
        for bank in banks_of(Path(folder)):
            for size, found in rates(bank, REGROUPINGS).items():
                table = bank.table(size)
                print(
                    f"| {bank.task} | {bank.arm} | {size} | {len(bank.seeds)} | {table.mean(axis=1).std(ddof=1):.3f} | "
                    f"{found.excludes_95:.3f} | {found.excludes_90:.3f} | {found.supported:.3f} | {found.opposite:.3f} "
                    f"| {found.too_small:.3f} | {predicted_too_small(table):.3f} | {found.verdict_supported:.3f} | "
                    f"{found.verdict_refuted:.3f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])

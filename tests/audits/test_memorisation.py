"""The audit of memorisation tells trained texts from others where their losses do, and nowhere else."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from pipeline.audits import AUDITS
from pipeline.audits.audit import AuditReport
from pipeline.audits.memorisation import placements
from pipeline.data.sets import EncodedSet
from pipeline.data.subsets import TRAIN_SAMPLE, nested_subset
from tests import tiny
from tests.audits.planted import Planted, encoded
from tests.training.cell_kit import small, trained

AUDIT = AUDITS["memorisation"]
STRENGTHS = (0.25, 0.5, 1.0)  # by how many standard deviations the losses of training texts are lower
SEEDS = 60


class Remembering(Planted):
    """A cell whose losses are Gaussian, and lower on the texts that it was trained on."""

    def __init__(self, strength: float, seed: int, *, texts: int = 200) -> None:
        super().__init__(lambda _: 0.5, [f"test {n}" for n in range(texts)])
        self.sets["train"] = encoded("train", [f"train {n}" for n in range(2 * texts)])
        self.cell = SimpleNamespace(train=SimpleNamespace(size=texts, seed=seed))
        self.rows = nested_subset(np.zeros(2 * texts, dtype=int), texts, seed)
        rng = np.random.default_rng([seed, 7])
        self.losses = {"test": rng.normal(size=texts), "train": rng.normal(size=2 * texts) - strength}

    def outputs(self, asked: EncodedSet, rows: np.ndarray | None = None) -> Any:
        """Its losses."""
        losses = self.losses[asked.name]
        return SimpleNamespace(losses=losses if rows is None else losses[rows])


def found(strength: float) -> Sequence[AuditReport]:
    return [AUDIT.examine(Remembering(strength, seed)) for seed in range(SEEDS)]  # type: ignore[arg-type]


def test_a_planted_memory_is_found_the_more_the_stronger_it_is() -> None:
    told = {strength: np.array([r.numbers["auc"] for r in found(strength)]) for strength in (0.0, *STRENGTHS)}
    errors = {strength: values.std(ddof=1) / np.sqrt(SEEDS) for strength, values in told.items()}
    assert abs(told[0.0].mean() - 0.5) < 3 * errors[0.0]
    expected = {0.25: 0.570, 0.5: 0.638, 1.0: 0.760}  # of two Gaussians so far apart: Phi(strength / sqrt(2))
    for strength in STRENGTHS:
        assert told[strength].mean() == pytest.approx(expected[strength], abs=3 * errors[strength] + 0.0005)


def test_an_arm_against_itself_differs_no_more_often_than_promised() -> None:
    differences = np.array([one.numbers["auc"] for one in found(0.0)]) - 0.5
    pairs = differences.reshape(-1, 2) @ np.array([1.0, -1.0])
    assert abs(pairs.mean()) < 3 * pairs.std(ddof=1) / np.sqrt(len(pairs))


def test_its_numbers_are_those_of_scipy_from_stored_losses() -> None:
    cell = Remembering(0.5, 3)
    report = AUDIT.examine(cell)  # type: ignore[arg-type]
    assert report.columns == ("auc", "loss")
    test = cell.losses["test"]
    trained_on = cell.losses["train"][cell.rows]
    auc = mannwhitneyu(test, trained_on).statistic / (len(test) * len(trained_on))
    assert report.numbers["auc"] == pytest.approx(auc, abs=1e-9)
    assert report.items[:, 0].mean(dtype=np.float64) == pytest.approx(auc, abs=1e-7)
    assert report.numbers["caught"] == np.mean(trained_on < np.quantile(test, 0.01))


def test_ties_count_half() -> None:
    assert placements(np.array([1.0, 2.0, 0.0]), np.array([1.0, 1.0, 2.0])).tolist() == pytest.approx([1 / 3, 5 / 6, 0])


def test_of_many_training_texts_it_reads_a_part() -> None:
    cell = Remembering(0.0, 1, texts=TRAIN_SAMPLE + 50)
    report = AUDIT.examine(cell)  # type: ignore[arg-type]
    shares = report.items[:, 0] * 2 * TRAIN_SAMPLE
    assert np.allclose(shares, np.round(shares), atol=1e-3)


def test_what_is_fitted_to_few_texts_is_caught_more_than_what_is_fitted_to_many(tmp_path: Path) -> None:
    """A label in five is wrong, which no other text tells: what is right of these afterwards is remembered."""
    rng, rows = np.random.default_rng(4), []
    for text, label in tiny.rows(900):
        wrong = rng.random() < 0.2
        rows.append((text, next(other for other in tiny.LABELS if other != label) if wrong else label))
    base, data = tiny.write_base(tmp_path / "base"), tiny.write_csv(tmp_path / "rows.csv", rows)
    settings = [*small(base, data, tmp_path / "out"), "arm=bag_of_words", "task.data.test_size=200"]
    few, many = (AUDIT.examine(trained([*settings, f"train.size={size}"])).numbers for size in (16, 400))
    assert few["auc"] > 0.7 > many["auc"] + 0.02
    assert few["loss_trained"] < few["loss_test"]

"""What the metric is made of, for every validation item and point of a trajectory, as it is stored with a cell."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from cell_kit import small, trained

from pipeline.analysis.metrics import macro_f1
from pipeline.errors import StorageError
from pipeline.storage.item_scores import packed, unpacked
from pipeline.storage.results import VALIDATION, ResultStore
from pipeline.tasks.texts.corpus_metrics import of_set
from pipeline.training.loop.finish import finish, save
from tests.tiny_kinds import settings, table

__all__ = ["table"]


@pytest.mark.parametrize(
    ("rows", "dtype"),
    [
        (np.random.default_rng(0).integers(0, 2, (21, 130)), "uint8"),
        (np.random.default_rng(0).integers(-1, 12, (5, 130)), "float16"),
        (np.random.default_rng(0).random((5, 7), dtype=np.float32), "float32"),
        (np.random.default_rng(0).integers(0, 90, (5, 7, 3)), "float16"),
        (np.random.default_rng(0).random((5, 7, 2), dtype=np.float32) * 1e6, "float32"),
        (np.ones((1, 1)), "uint8"),
    ],
)
def test_what_is_stored_is_small_and_comes_back_whole(rows: np.ndarray, dtype: str) -> None:
    stored = packed(rows)
    assert stored.dtype == dtype
    np.testing.assert_array_equal(unpacked(stored, points=rows.shape[0], items=rows.shape[1]), rows)


def test_right_and_wrong_take_a_bit_an_item() -> None:
    assert packed(np.ones((21, 128))).nbytes == 336


@pytest.mark.parametrize(
    "stored", [np.zeros((3, 2), np.uint8), np.zeros((2, 9), np.float32), np.zeros((3, 9)), np.zeros((3, 9), object)]
)
def test_what_does_not_fit_the_trajectory_is_refused(stored: np.ndarray) -> None:
    if stored.shape == (3, 2):
        unpacked(stored, points=3, items=9)
    with pytest.raises(ValueError, match="evaluations of"):
        unpacked(stored, points=3, items=17 if stored.shape == (3, 2) else 9)


@pytest.mark.parametrize(
    ("kind", "metric", "arm"),
    [
        ("classification", "accuracy", "pretrained"),
        ("classification", "accuracy", "frozen"),
        ("classification", "macro_f1", "pretrained"),
        ("masked_language_modelling", "top1", "scratch"),
        ("similarity", "pearson", "frozen"),
    ],
)
def test_a_finished_cell_gives_back_the_score_of_each_of_its_points(
    kind: str, metric: str, arm: str, tiny_base: Path, table: Path, tmp_path: Path
) -> None:
    asked = [*settings(kind), f"task.metric={metric}", f"arm={arm}"]
    fitted = trained([*small(tiny_base, table, tmp_path), *asked])
    store, (result, scores) = ResultStore(tmp_path), finish(fitted)
    save(store, fitted, result, scores)
    found = store.validation(result)
    assert found.shape[:2] == (len(result.trajectory), len(fitted.prepared.validation))
    labels = np.asarray(fitted.prepared.validation.labels)
    again = [
        of_set(metric, rows) if metric == "pearson"
        else macro_f1(labels, rows, classes=2) if metric == "macro_f1"
        else rows.mean()
        for rows in found
    ]  # fmt: skip
    assert again == pytest.approx([point.validation_score for point in result.trajectory], rel=1e-5, abs=1e-6)


def test_a_cell_without_them_or_with_those_of_another_is_refused(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    fitted = trained([*small(tiny_base, reviews, tmp_path), "arm=frozen"])
    store, (result, scores) = ResultStore(tmp_path), finish(fitted)
    save(store, fitted, result, scores)
    shorter = dataclasses.replace(result, trajectory=result.trajectory[1:])
    with pytest.raises(StorageError, match="Delete its folder to train the cell again"):
        store.validation(shorter)
    (store.folder(result.cell_id) / VALIDATION).unlink()
    with pytest.raises(StorageError, match="Delete its folder to train the cell again"):
        store.validation(result)


def test_scores_name_the_group_of_each_item(tiny_base: Path, table: Path, tmp_path: Path) -> None:
    asked = [*small(tiny_base, table, tmp_path), *settings("classification"), "arm=bag_of_words"]
    found = {}
    for column in ("null", "rating"):
        fitted = trained([*asked, f"task.data.group={column}", "task.deduplicate=false"])
        result, scores = finish(fitted)
        index = next(i for i, e in enumerate(result.evaluations) if e.role == "in_domain")
        found[column] = scores["group"][scores["dataset"] == index]
    assert found["null"].tolist() == list(range(len(found["null"])))
    assert 1 <= len(set(found["rating"].tolist())) <= 5 < len(found["rating"])

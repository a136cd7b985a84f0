"""Cells that are solved: a linear probe and a bag of words, against scikit-learn on features made without us."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cell_kit import job, outcome, small, trained

from pipeline.data.store import stored_examples
from pipeline.errors import ConfigError
from pipeline.models.logistic_regression import ALL_STRENGTHS
from pipeline.records import SCORES_DTYPE
from pipeline.study.plan import plan_cell
from pipeline.training.loop.finish import finish
from pipeline.training.loop.fit import fit
from pipeline.training.loop.fitted import Fitted
from tests.examples_kit import texts_of

SOLVED = ("frozen", "bag_of_words")


@pytest.fixture(scope="module")
def overrides(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return small(tiny_base, reviews, tmp_path_factory.mktemp("solved"))


@pytest.fixture(scope="module")
def cells(overrides: list[str]) -> dict[str, Fitted]:
    return {arm: trained([*overrides, f"arm={arm}"]) for arm in SOLVED}


def first_positions(base: Path, read: list[str]) -> np.ndarray:
    """What the tiny BERT's pooler makes of each text, by transformers alone, one text at a time."""
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(base).eval(), AutoTokenizer.from_pretrained(base)
    with torch.no_grad():
        found = [model(**tokenizer(text, return_tensors="pt")).pooler_output[0] for text in read]
    return torch.stack(found).double().numpy()


def counted_words(train: list[str], read: list[str]) -> Any:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = [
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 5)),
    ]
    return hstack([part.fit(train).transform(read) for part in parts]).tocsr()


def by_sklearn(arm: str, fitted: Fitted, base: Path, strength: float) -> np.ndarray:
    """Probabilities of the test set."""
    from sklearn.linear_model import LogisticRegression

    train = [texts_of(stored_examples(fitted.prepared, "train"))[row] for row in fitted.rows]
    test = texts_of(stored_examples(fitted.prepared, "test"))
    labels = np.asarray(fitted.prepared.train.labels)[fitted.rows]
    of_train, of_test = (
        (first_positions(base, train), first_positions(base, test))
        if arm == "frozen"
        else (counted_words(train, train), counted_words(train, test))
    )
    model = LogisticRegression(C=strength, tol=1e-12, max_iter=20_000).fit(of_train, labels)
    return np.asarray(model.predict_proba(of_test))


@pytest.mark.parametrize("arm", SOLVED)
def test_its_answers_are_those_of_scikit_learn_at_one_of_the_strengths(
    cells: dict[str, Fitted], tiny_base: Path, arm: str
) -> None:
    fitted = cells[arm]
    ours = fitted.outputs(fitted.prepared.test, None).probabilities
    apart = [np.abs(by_sklearn(arm, fitted, tiny_base, c) - ours).max() for c in ALL_STRENGTHS]
    assert min(apart) < 1e-4
    assert sorted(apart)[1] > 1e-3, "the strengths cannot be told apart"


@pytest.mark.parametrize("arm", SOLVED)
def test_it_has_two_points_and_keeps_the_second(cells: dict[str, Fitted], arm: str) -> None:
    result, scores = finish(cells[arm])
    start, end = result.trajectory
    assert (start.step, start.examples, start.flops) == (0, 0, 0.0)
    assert (end.step, end.examples) == (result.best_step, len(cells[arm].rows))
    assert end.flops == result.cost.flops > 0
    assert result.stopped_by == "solved"
    assert scores.dtype == SCORES_DTYPE
    assert end.validation_score > start.validation_score


def test_a_probe_costs_a_forward_pass_over_what_it_reads_and_the_solver(overrides: list[str]) -> None:
    few, many = (trained([*overrides, "arm=frozen", f"train.size={n}"]).cost for n in (16, 64))
    scratch = trained([*overrides, "arm=scratch", "arm.head=fresh"]).cost
    assert few.flops < many.flops
    assert few.flops / few.examples < 30 * scratch.flops / scratch.examples  # validation is read as well


@pytest.mark.parametrize("arm", SOLVED)
def test_the_same_cell_has_the_same_bits_again(overrides: list[str], cells: dict[str, Fitted], arm: str) -> None:
    assert outcome(trained([*overrides, f"arm={arm}"])) == outcome(cells[arm])


def test_parameters_of_a_fixed_base_are_counted_and_not_stored(cells: dict[str, Fitted]) -> None:
    cost = cells["frozen"].cost
    assert cost.trained_parameters == 2 * 32 + 2 < cost.parameters
    assert set(cells["frozen"].tensors()) == {"classifier.weight", "classifier.bias"}


@pytest.mark.parametrize("arm", SOLVED)
def test_neither_batch_nor_recipe_makes_it_another_model(overrides: list[str], arm: str) -> None:
    one, other = (plan_cell([*overrides, f"arm={arm}", f"train.lr={lr}"]).cells for lr in ("1e-3", "1e-2"))
    assert list(one) == list(other)


@pytest.mark.parametrize("arm", SOLVED)
@pytest.mark.parametrize("kind", ["masked_language_modelling", "causal_language_modelling"])
def test_a_kind_without_a_linear_problem_is_refused_with_those_that_have_one(
    overrides: list[str], arm: str, kind: str
) -> None:
    asked = [*overrides, f"arm={arm}", f"task.kind={kind}", "task.metric=loss", "task.data.label=null"]
    with pytest.raises(ConfigError, match=r"It can do classification, multi_label_classification, pair_class"):
        plan_cell(asked)


def test_features_are_computed_once_for_all_sizes_and_seeds(overrides: list[str], tmp_path: Path) -> None:
    asked = [*overrides, f"paths.root={tmp_path}", "arm=frozen"]
    for more in (["train.size=all"], ["train.size=64"], ["train.seed=1"], ["train.size=16", "train.seed=2"]):
        trained([*asked, *more])
    parts = [np.load(path) for path in sorted((tmp_path / "features").glob("*/rows.npy"))]
    prepared = trained(asked).prepared
    assert sum(map(len, parts)) == len(prepared.train) + len(prepared.validation)
    assert len(parts) == 2


def test_features_of_a_text_are_the_same_bits_in_whatever_company(overrides: list[str], tmp_path: Path) -> None:
    def features(*more: str, root: Path) -> set[tuple[int, bytes]]:
        fit(job([*overrides, f"paths.root={root}", "arm=frozen", *more]), lambda _: False)
        parts = sorted((root / "features").iterdir(), key=lambda part: len(np.load(part / "rows.npy")))
        rows, vectors = (np.load(parts[-1] / f"{name}.npy") for name in ("rows", "vectors"))
        return {(int(n), v.tobytes()) for n, v in zip(rows, vectors, strict=True)}

    every = features("train.size=all", root=tmp_path / "every")
    some = features("train.size=64", "train.seed=3", root=tmp_path / "some")
    assert some < every


def test_a_pretrained_start_with_a_probe_reads_the_same_features(overrides: list[str], tmp_path: Path) -> None:
    asked = [*overrides, f"paths.root={tmp_path}"]
    trained([*asked, "arm=frozen"])
    before = sorted((tmp_path / "features").iterdir())
    trained([*asked, "arm=pretrained", "arm.head=probe"])
    assert sorted((tmp_path / "features").iterdir()) == before

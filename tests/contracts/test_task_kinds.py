"""What every task kind promises, run against each of them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.schema import TEXTS as TEXT_FIELDS
from pipeline.config.schema import Predict
from pipeline.errors import ConfigError
from pipeline.models.build import build, configuration
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.models.flops import count
from pipeline.tasks import (
    FIELDS,
    KINDS,
    Example,
    Field,
    Outputs,
    SummedKind,
    TaskKind,
    inputs,
    kind,
    kind_of,
    parts_of,
)
from pipeline.tasks.texts.corpus_metrics import of_draws
from tests.contracts.kinds_kit import batch_of, cell, columns, task_of
from tests.examples_kit import singles, within
from tests.models.tiny_bases import LABELS, LONGEST, base_in, save_tiny, tiny_tokenizer

TEXTS = singles("the film is good", "dull", "a very long and dull plot but a fine actor or not", "")
FAMILY = {"causal_language_modelling": "llama"}  # of the bases that a kind can do with; else BERT
FIRST_ALONE = {"causal_language_modelling"}  # kinds whose texts have a special token before them, and none after
RNG = np.random.default_rng(4)


@pytest.fixture(params=sorted(KINDS))
def task(request: pytest.FixtureRequest) -> TaskKind:
    """Each kind in turn."""
    return kind(request.param)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Located]:
    """A tiny base for each kind."""
    folder = tmp_path_factory.mktemp("bases")
    return {name: locate(base_in(save_tiny(folder / name, FAMILY.get(name, "bert")))) for name in KINDS}


@pytest.fixture
def located(task: TaskKind, bases: dict[str, Located]) -> Located:
    """The kind's tiny base."""
    return bases[task.name]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Its tokenizer."""
    return tiny_tokenizer()


def answered(task: TaskKind, located: Located, items: int = 12) -> tuple[torch.Tensor, dict[str, Any]]:
    """Logits of a fresh network, and the batch that they belong to."""
    words = RNG.integers(5, 30, (items, 9)).astype(np.int32)
    ids = [np.concatenate([[2], row[: 1 + i % 8], [3]]).astype(np.int32) for i, row in enumerate(words)]
    batch = batch_of(task, ids)
    with torch.no_grad():
        return task.forward(build(cell(task, located), located, LABELS, seed=2).model.eval(), batch), batch


def outputs_of(task: TaskKind, located: Located, items: int = 12) -> Outputs:
    logits, batch = answered(task, located, items)
    return task.outputs(task.answers(logits, batch).float().numpy(), batch["labels"].numpy())


def test_it_is_found_by_its_own_name(task: TaskKind) -> None:
    assert KINDS[task.name] is task


def test_a_metric_it_does_not_have_is_refused_with_the_nearest(task: TaskKind) -> None:
    assert kind_of(task_of(task)) is task
    with pytest.raises(ConfigError, match=f"task.metric .* Did you mean '{task.metrics[0]}'"):
        kind_of(dataclasses.replace(task_of(task), metric=task.metrics[0] + "s"))


@pytest.mark.parametrize("field", [name for name in FIELDS if name != "text"])
def test_a_column_is_asked_for_exactly_where_its_field_is_read(task: TaskKind, field: Field) -> None:
    read = field in task.reads
    wrong = dataclasses.replace(columns(task), **{field: None if read else "stars"})
    needed = "a column" if read else "null"
    with pytest.raises(ConfigError, match=f"task.data.{field} must be {needed} for {task.name}"):
        kind_of(task_of(task, data=wrong))
    with pytest.raises(ConfigError, match=f"task.out_of_domain.far.{field} must be"):
        kind_of(task_of(task, out_of_domain={"far": wrong}))


def test_what_is_predicted_is_read_and_is_not_given_to_the_network(task: TaskKind) -> None:
    assert task.target is None or task.target in task.reads
    assert task.target not in inputs(task)
    assert inputs(task)[0] == "text"


def test_token_ids_are_int32_with_special_tokens_and_never_longer_than_asked(task: TaskKind, tokenizer: Any) -> None:
    encoded = task.encode(TEXTS, tokenizer, within(8))
    ids = encoded.ids
    assert len(ids) == len(TEXTS)
    assert {name: len(numbers) for name, numbers in encoded.beside.items()} == dict.fromkeys(task.beside, len(TEXTS))
    assert {row.dtype for row in ids} == {np.dtype(np.int32)}
    assert all(1 <= len(row) <= 8 for row in ids)
    assert all(row[0] == tokenizer.cls_token_id for row in ids)
    assert all((row[-1] == tokenizer.sep_token_id) == (task.name not in FIRST_ALONE) for row in ids)


@pytest.mark.parametrize(("beyond", "truncated"), [(-1, 0), (0, 0), (1, 1), (1000, 1)])
def test_a_text_counts_as_truncated_exactly_when_its_tokens_do_not_all_fit(
    beyond: int, truncated: int, task: TaskKind, tokenizer: Any
) -> None:
    special = 1 if task.name in FIRST_ALONE else 2
    encoded = task.encode(singles(" ".join(["film"] * (8 - special + beyond)), "dull"), tokenizer, within(8))
    assert encoded.truncated == truncated
    assert len(encoded.ids[0]) == min(8, 8 + beyond)


def test_what_a_tokenizer_is_given_are_the_texts_that_are_read(task: TaskKind) -> None:
    fields = [name for part in task.parts for name in part]
    assert sorted(fields) == sorted(name for name in TEXT_FIELDS if name in task.reads)
    assert 1 <= len(task.parts) <= 2
    whole: dict[str, Any] = {name: name for name in TEXT_FIELDS}
    assert parts_of(task, Example(**whole)) == tuple(" ".join(part) for part in task.parts)


def test_of_several_texts_all_are_read_and_their_words_stay_apart(task: TaskKind, tokenizer: Any) -> None:
    words = ("the", "film", "good", "plot")
    fields = [name for part in task.parts for name in part]
    texts = dict(zip(fields, words[: len(fields) - 1], strict=False)) | {fields[-1]: " ".join(words[len(fields) - 1 :])}
    (row,) = task.encode([Example(**{"text": ""} | texts)], tokenizer, within(16)).ids
    known = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
    assert [i for i in row.tolist() if i > tokenizer.mask_token_id][:4] == known


def test_no_texts_are_no_rows(task: TaskKind, tokenizer: Any) -> None:
    encoded = task.encode([], tokenizer, within(8))
    assert (encoded.ids, encoded.truncated) == ([], 0)


def test_a_text_is_encoded_alike_alone_and_among_others(task: TaskKind, tokenizer: Any) -> None:
    together = task.encode(TEXTS, tokenizer, within(16)).ids
    for text, row in zip(TEXTS, together, strict=True):
        alone = task.encode([text], tokenizer, within(16)).ids
        assert np.array_equal(alone[0], row)


def test_a_batch_is_padded_to_its_longest_and_the_mask_says_where(task: TaskKind, tokenizer: Any) -> None:
    ids = task.encode(TEXTS, tokenizer, within(16)).ids
    batch = batch_of(task, ids)
    longest = max(len(row) for row in ids)
    assert {tuple(batch[name].shape) for name in ("input_ids", "attention_mask")} == {(4, longest)}
    assert batch["labels"].tolist() == [0, 1, 2, 0]
    assert {len(values) for values in batch.values()} == {4}
    assert {values.dtype for name, values in batch.items() if name != "numbers"} == {torch.int64}
    for i, row in enumerate(ids):
        assert batch["attention_mask"][i].tolist() == [1] * len(row) + [0] * (longest - len(row))


def test_each_number_of_a_batch_has_its_own_place_so_that_it_can_be_copied_to_pinned_memory(
    task: TaskKind, tokenizer: Any
) -> None:
    batch = batch_of(task, task.encode(TEXTS, tokenizer, within(16)).ids)
    assert all(values.is_contiguous() for values in batch.values())


def test_the_padding_token_is_the_one_given(task: TaskKind, tokenizer: Any) -> None:
    ids = task.encode(singles("good", "a good film"), tokenizer, within(16)).ids
    assert batch_of(task, ids, pad=4)["input_ids"][0, len(ids[0]) :].unique().tolist() == [4]


def test_what_is_drawn_for_an_example_follows_from_its_seed_alone(task: TaskKind, tokenizer: Any) -> None:
    ids = task.encode([*TEXTS[:3], *TEXTS[:3]], tokenizer, within(16)).ids
    whole, part, again = batch_of(task, ids), batch_of(task, ids[2:], seed=2), batch_of(task, ids)
    for name, values in whole.items():
        assert torch.equal(values, again[name])
    for row in range(4):
        length = len(ids[row + 2])
        assert torch.equal(whole["input_ids"][row + 2, :length], part["input_ids"][row, :length])


def test_collating_leaves_the_stored_tokens_as_they_are(task: TaskKind, tokenizer: Any) -> None:
    ids = task.encode(TEXTS, tokenizer, within(16)).ids
    before = [row.copy() for row in ids]
    batch_of(task, ids)
    assert all(np.array_equal(one, two) for one, two in zip(ids, before, strict=True))


def test_company_does_not_change_what_is_kept_of_an_example(task: TaskKind, tokenizer: Any, located: Located) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    ids = task.encode(TEXTS, tokenizer, within(16)).ids

    def kept(rows: list[np.ndarray], seed: int) -> torch.Tensor:
        batch = batch_of(task, rows, seed=seed)
        with torch.no_grad():
            return task.answers(task.forward(model, batch), batch)

    together = kept(ids, 0)
    assert together.shape == (len(ids), task.width(len(LABELS)))
    for i, row in enumerate(ids):
        assert torch.allclose(together[i], kept([row], i)[0], atol=1e-5)


def test_a_batch_that_says_it_is_whole_is_learned_and_told_as_without_saying_so(
    task: TaskKind, located: Located
) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    batch = batch_of(task, [np.array([2, *row, 3], dtype=np.int32) for row in RNG.integers(5, 30, (4, 9))])
    found = []
    for said in ({}, {"whole": True}):
        with torch.no_grad():
            logits = task.forward(model, batch | said)
            found.append((task.losses(logits, batch | said), task.answers(logits, batch | said)))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_the_loss_trained_is_the_loss_reported(task: TaskKind, located: Located) -> None:
    logits, batch = answered(task, located)
    trained = task.losses(logits, batch)
    out = task.outputs(task.answers(logits, batch).numpy(), batch["labels"].numpy())
    assert trained.shape == out.losses.shape
    assert np.allclose(trained.numpy(), out.losses, atol=1e-5)
    assert task.measure(out)["loss"] == pytest.approx(float(out.losses.mean()), rel=1e-5)


def test_half_precision_logits_give_a_float32_loss(task: TaskKind, located: Located) -> None:
    logits, batch = answered(task, located, 6)
    assert task.losses(logits.bfloat16(), batch).dtype == torch.float32


def test_outputs_have_a_row_for_each_item_and_the_stated_types(task: TaskKind, located: Located) -> None:
    out = outputs_of(task, located)
    assert type(out) is task.outputs_type
    assert {len(values) for values in vars(out).values()} == {12}
    assert {name: getattr(out, name).dtype.name for name in ("labels", "predicted", "scores", "losses")} == {
        "labels": "int32", "predicted": "int32", "scores": "float32", "losses": "float32"
    }  # fmt: skip
    assert (out.labels >= 0).all() == (task.target == "label")


def test_every_metric_named_is_measured_and_finite(task: TaskKind, located: Located) -> None:
    measured = task.measure(outputs_of(task, located))
    assert set(measured) >= {*task.metrics, "loss"}
    assert all(np.isfinite(v) for v in measured.values())


def test_the_first_metric_is_the_mean_of_the_per_example_scores(task: TaskKind, located: Located) -> None:
    out = outputs_of(task, located, 40)
    assert task.measure(out)[task.metrics[0]] == pytest.approx(float(out.scores.mean()))


def test_a_metric_of_sums_is_that_of_the_texts_drawn_as_often_as_they_weigh(task: TaskKind, located: Located) -> None:
    logits, batch = answered(task, located)
    answers, labels = task.answers(logits, batch).float().numpy(), batch["labels"].numpy()
    assert not isinstance(task, SummedKind) or set(task.of_sums) < set(task.metrics)
    for metric in task.of_sums if isinstance(task, SummedKind) else ():
        statistics = task.statistics(task.outputs(answers, labels))
        drawn = RNG.integers(0, len(labels), (3, len(labels)))
        weights = np.stack([np.bincount(row, minlength=len(labels)) for row in drawn]).astype(np.float32)
        expected = [task.measure(task.outputs(answers[row], labels[row]))[metric] for row in drawn]
        assert statistics.dtype == np.float32
        assert of_draws(metric, statistics, weights) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_text_is_given_what_the_kind_says_of_it(task: TaskKind, tokenizer: Any, located: Located) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    texts, settings = ["the film is [MASK]", "a [MASK] plot"], within(16, classes=LABELS)
    with torch.no_grad():
        rows = list(task.predict(model, tokenizer, singles(*texts), settings, Predict(tokens=4)))
    assert {len(row) for row in rows} == {1 + len(task.predicted)}
    assert list(dict.fromkeys(row[0] for row in rows)) == texts


def test_an_exercise_made_of_a_text_is_one_that_it_answers(task: TaskKind, tokenizer: Any, located: Located) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    given: dict[str, Any] = {"label": "mixed", "score": 0.25, "labels": ("mixed",)}
    given |= dict.fromkeys(TEXT_FIELDS[1:], "not bad")
    read = {name: value for name, value in given.items() if name in task.reads}
    exercise = task.exercise(Example(text="the film is good and not dull", **read))
    assert exercise is not None
    assert exercise.right
    assert task.answer in task.predicted
    with torch.no_grad():
        rows = list(task.predict(model, tokenizer, [exercise.given], within(16, classes=LABELS), Predict(tokens=4)))
    assert rows[0][0] == exercise.given.text


def test_scores_are_equal_after_saving_and_loading(task: TaskKind, located: Located, tmp_path: Path) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    model.save_pretrained(tmp_path)
    again, info = task.load(str(tmp_path), model.config)
    batch = batch_of(task, [np.array([2, 6, 7, 3], dtype=np.int32)])
    with torch.no_grad():
        assert torch.allclose(task.forward(model, batch), task.forward(again.eval(), batch), atol=1e-6)
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in model.state_dict().items())
    assert not info["missing_keys"]
    assert next(again.parameters()).dtype == torch.float32


def test_its_cost_can_be_counted(task: TaskKind, located: Located) -> None:
    one = cell(task, located)
    flops = count(one, configuration(one, located, LABELS))
    assert 0 < flops.inference(1, 16) < flops.training(1, 16) < flops.training(1, LONGEST)
    assert json.dumps(dataclasses.asdict(flops))

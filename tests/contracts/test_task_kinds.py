"""What every task kind promises, run against each of them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.schema import Task
from pipeline.errors import ConfigError
from pipeline.models.build import build, configuration
from pipeline.models.flops import count
from pipeline.models.locate import Located, locate
from pipeline.tasks import KINDS, TaskKind, kind, kind_of
from tests.models.tiny_bases import LABELS, LONGEST, base_in, cell_for, save_tiny, tiny_tokenizer

TEXTS = ["the film is good", "dull", "a very long and dull plot but a fine actor or not", ""]
RNG = np.random.default_rng(4)


@pytest.fixture(params=sorted(KINDS))
def task(request: pytest.FixtureRequest) -> TaskKind:
    """Each kind in turn."""
    return kind(request.param)


@pytest.fixture(scope="module")
def located(tmp_path_factory: pytest.TempPathFactory) -> Located:
    """A tiny base."""
    return locate(base_in(save_tiny(tmp_path_factory.mktemp("bases") / "bert")))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Its tokenizer."""
    return tiny_tokenizer()


def cell(task: TaskKind, located: Located) -> Any:
    plain = cell_for("pretrained", base_in(located.directory))
    return dataclasses.replace(plain, task=dataclasses.replace(plain.task, kind=task.name, metric=task.metrics[0]))


def random_logits(items: int = 30) -> tuple[np.ndarray, np.ndarray]:
    return RNG.normal(0, 2, (items, len(LABELS))).astype(np.float32), np.arange(items, dtype=np.int32) % len(LABELS)


def test_it_is_found_by_its_own_name(task: TaskKind) -> None:
    assert KINDS[task.name] is task


def test_a_metric_it_does_not_have_is_refused_with_the_nearest(task: TaskKind) -> None:
    assert kind_of(Task(kind=task.name, metric=task.metrics[0])) is task
    with pytest.raises(ConfigError, match=f"task.metric .* Did you mean '{task.metrics[0]}'"):
        kind_of(Task(kind=task.name, metric=task.metrics[0] + "s"))


def test_token_ids_are_int32_with_special_tokens_and_never_longer_than_asked(task: TaskKind, tokenizer: Any) -> None:
    ids, _ = task.encode(TEXTS, tokenizer, 8)
    assert len(ids) == len(TEXTS)
    assert {row.dtype for row in ids} == {np.dtype(np.int32)}
    assert all(2 <= len(row) <= 8 for row in ids)
    assert all(row[0] == tokenizer.cls_token_id and row[-1] == tokenizer.sep_token_id for row in ids)


@pytest.mark.parametrize(("words", "truncated"), [(5, 0), (6, 0), (7, 1), (1000, 1)])
def test_a_text_counts_as_truncated_exactly_when_its_tokens_do_not_all_fit(
    words: int, truncated: int, task: TaskKind, tokenizer: Any
) -> None:
    ids, cut = task.encode([" ".join(["film"] * words), "dull"], tokenizer, 8)
    assert cut == truncated
    assert len(ids[0]) == min(8, words + 2)


def test_no_texts_are_no_rows(task: TaskKind, tokenizer: Any) -> None:
    assert task.encode([], tokenizer, 8) == ([], 0)


def test_a_text_is_encoded_alike_alone_and_among_others(task: TaskKind, tokenizer: Any) -> None:
    together, _ = task.encode(TEXTS, tokenizer, 16)
    for text, row in zip(TEXTS, together, strict=True):
        alone, _ = task.encode([text], tokenizer, 16)
        assert np.array_equal(alone[0], row)


def test_a_batch_is_padded_to_its_longest_and_the_mask_says_where(task: TaskKind, tokenizer: Any) -> None:
    ids, _ = task.encode(TEXTS, tokenizer, 16)
    batch = task.collate(ids, np.array([0, 1, 2, 0]), pad_id=0)
    longest = max(len(row) for row in ids)
    assert {k: (tuple(v.shape), v.dtype) for k, v in batch.items()} == {
        "input_ids": ((4, longest), torch.int64),
        "attention_mask": ((4, longest), torch.int64),
        "labels": ((4,), torch.int64),
    }
    for i, row in enumerate(ids):
        assert batch["input_ids"][i, : len(row)].tolist() == row.tolist()
        assert batch["attention_mask"][i].tolist() == [1] * len(row) + [0] * (longest - len(row))


def test_the_padding_token_is_the_one_given(task: TaskKind, tokenizer: Any) -> None:
    ids, _ = task.encode(["good", "a good film"], tokenizer, 16)
    batch = task.collate(ids, np.array([0, 1]), pad_id=4)
    assert batch["input_ids"][0, len(ids[0]) :].unique().tolist() == [4]


def test_padding_does_not_change_an_examples_logits(task: TaskKind, tokenizer: Any, located: Located) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    ids, _ = task.encode(TEXTS, tokenizer, 16)

    def logits(rows: list[np.ndarray]) -> torch.Tensor:
        batch = task.collate(rows, np.zeros(len(rows), dtype=np.int64), pad_id=0)
        with torch.no_grad():
            return model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits

    together = logits(ids)
    for i, row in enumerate(ids):
        assert torch.allclose(together[i], logits([row])[0], atol=1e-5)


def test_the_head_has_an_output_for_each_label(task: TaskKind, located: Located) -> None:
    config = configuration(cell(task, located), located, LABELS)
    logits = task.build(config)(input_ids=torch.tensor([[2, 6, 3]])).logits
    assert logits.shape == (1, len(LABELS))
    assert logits.dtype == torch.float32


def test_the_loss_trained_is_the_loss_reported(task: TaskKind) -> None:
    logits, labels = random_logits()
    trained = task.losses(torch.from_numpy(logits), torch.from_numpy(labels).long())
    reported = task.outputs(logits, labels).losses
    assert trained.shape == (len(labels),)
    assert np.allclose(trained.numpy(), reported, atol=1e-5)
    assert task.measure(task.outputs(logits, labels))["loss"] == pytest.approx(float(reported.mean()), rel=1e-5)


def test_half_precision_logits_give_a_float32_loss(task: TaskKind) -> None:
    logits, labels = random_logits(6)
    losses = task.losses(torch.from_numpy(logits).bfloat16(), torch.from_numpy(labels).long())
    assert losses.dtype == torch.float32


def test_outputs_have_a_row_for_each_item_and_the_stated_types(task: TaskKind) -> None:
    logits, labels = random_logits(12)
    out = task.outputs(logits, labels)
    assert {f.name: (getattr(out, f.name).dtype.name, getattr(out, f.name).shape) for f in dataclasses.fields(out)} == {
        "labels": ("int32", (12,)),
        "predicted": ("int32", (12,)),
        "scores": ("float32", (12,)),
        "losses": ("float32", (12,)),
        "probabilities": ("float32", (12, len(LABELS))),
    }
    assert np.allclose(out.probabilities.sum(axis=1), 1, atol=1e-6)


def test_every_metric_named_is_measured_and_finite(task: TaskKind) -> None:
    measured = task.measure(task.outputs(*random_logits()))
    assert set(measured) == {*task.metrics, "loss"}
    assert all(np.isfinite(v) for v in measured.values())


def test_the_first_metric_is_the_mean_of_the_per_example_scores(task: TaskKind) -> None:
    out = task.outputs(*random_logits(50))
    assert task.measure(out)[task.metrics[0]] == pytest.approx(float(out.scores.mean()))


def test_huge_logits_overflow_nothing(task: TaskKind) -> None:
    out = task.outputs(np.array([[1e5, -1e5, 0]], dtype=np.float32), np.array([1]))
    assert np.isfinite(out.losses).all()
    assert out.probabilities.tolist() == [[1.0, 0.0, 0.0]]


def test_scores_are_equal_after_saving_and_loading(task: TaskKind, located: Located, tmp_path: Path) -> None:
    model = build(cell(task, located), located, LABELS, seed=2).model.eval()
    model.save_pretrained(tmp_path)
    again, info = task.load(str(tmp_path), model.config)
    ids = torch.tensor([[2, 6, 7, 3]])
    with torch.no_grad():
        assert torch.allclose(model(input_ids=ids).logits, again.eval()(input_ids=ids).logits, atol=1e-6)
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in model.state_dict().items())
    assert not info["missing_keys"]
    assert next(again.parameters()).dtype == torch.float32


def test_its_cost_can_be_counted(task: TaskKind, located: Located) -> None:
    one = cell(task, located)
    flops = count(one, configuration(one, located, LABELS))
    assert 0 < flops.inference(1, 16) < flops.training(1, 16) < flops.training(1, LONGEST)
    assert json.dumps(dataclasses.asdict(flops))

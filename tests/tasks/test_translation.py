"""One text written from another: what is told, what is written, and how it is judged."""

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.config.schema import Predict
from pipeline.errors import BaseModelError
from pipeline.models.build import Network, build, configuration
from pipeline.models.checkpoints.locate import locate
from pipeline.models.flops import count
from pipeline.models.memory import footprint
from pipeline.tasks import Example, Vocabulary, kind
from pipeline.tasks.heads.encoder_decoder import split
from pipeline.tasks.texts.corpus_metrics import of_set
from pipeline.tasks.texts.text_metrics import counts, sentence_scores
from pipeline.tasks.translation import Translation
from tests.contracts.test_task_kinds import cell
from tests.examples_kit import pair, singles, within
from tests.models.tiny_bases import ARMS, LABELS, base_in, save_tiny, tiny_tokenizer

TASK = kind("translation")
TEXTS = [pair("the film was good", "a fine film"), pair("dull", "a very long and dull plot"), pair("a plot", "bad")]
ASKED = Predict()
SAID = ["o gato está na mesa", "", "abrir o arquivo agora", "não há nada aqui"]
REFERENCES = ["o gato está em cima da mesa", "fechar", "abrir o arquivo", "não há nada aqui"]


def network(folder: Path, family: str, arm: str = "pretrained") -> Network:
    located = locate(base_in(save_tiny(folder / family, family)))
    one = dataclasses.replace(cell(TASK, located), arm=ARMS[arm])
    return build(one, located, LABELS, seed=2)


def batch(examples: Sequence[Example] = TEXTS) -> dict[str, torch.Tensor]:
    encoded, none = TASK.encode(examples, tiny_tokenizer(), within(32)), np.zeros(len(examples), dtype=np.int64)
    return TASK.collate(
        encoded.ids, none, vocabulary=Vocabulary(pad=0), seeds=none.astype(np.uint64), beside=encoded.beside
    )


def written(model: Any, texts: list[str], asked: Predict = ASKED) -> list[str]:
    with torch.no_grad():
        rows = TASK.predict(model, tiny_tokenizer(), singles(*texts), within(32), asked)
        return [said for _, said in rows]


def test_each_text_is_encoded_by_itself_and_keeps_within_half() -> None:
    tokenizer = tiny_tokenizer()
    long = pair("film " * 40, "plot")
    encoded = TASK.encode([TEXTS[0], long], tokenizer, within(16))
    first, second = TEXTS[0].text, TEXTS[0].second
    assert encoded.ids[0].tolist() == tokenizer(first)["input_ids"] + tokenizer(second)["input_ids"]
    assert encoded.beside["second"].tolist() == [6, 8]
    assert (len(encoded.ids[1]), encoded.truncated) == (8 + 3, 1)


def test_a_batch_is_split_into_what_is_read_and_what_is_told() -> None:
    tokenizer, parts = tiny_tokenizer(), split(batch())
    for i, each in enumerate(TEXTS):
        first, second = (tokenizer(part)["input_ids"] for part in (each.text, each.second))
        assert parts.source[i][parts.source_mask[i].bool()].tolist() == first
        assert parts.target[i][parts.target_mask[i]].tolist() == second


@pytest.mark.parametrize("family", ["bert", "roberta", "t5", "bart", "marian"])
@pytest.mark.filterwarnings("ignore:.*computing the loss inside the encoder-decoder:FutureWarning")
def test_a_texts_loss_is_transformers_own(family: str, tmp_path: Path) -> None:
    model = network(tmp_path, family).model.eval()
    model.config.decoder_start_token_id = 2 if family in ("bert", "roberta") else model.config.decoder_start_token_id
    model.config.pad_token_id = 0
    with torch.no_grad():
        losses = TASK.losses(TASK.forward(model, batch()), batch())
        for each, loss in zip(TEXTS, losses, strict=True):
            both = (each.text, each.second)
            first, second = (tiny_tokenizer()(part, return_tensors="pt")["input_ids"] for part in both)
            assert float(model(input_ids=first, labels=second).loss) == pytest.approx(float(loss), rel=1e-4)


@pytest.mark.parametrize("family", ["bert", "t5", "bart", "marian"])
def test_what_is_written_is_the_same_in_any_company_and_at_any_time(family: str, tmp_path: Path) -> None:
    model = network(tmp_path, family).model.eval()
    texts = ["the film was good", "dull", "a plot"]

    def said(asked: list[str]) -> list[str]:
        return written(model, asked)

    together = said(texts)
    assert together == said(texts)
    assert together == [said([text])[0] for text in texts]


@pytest.mark.parametrize("family", ["bert", "t5", "bart", "marian"])
def test_texts_are_written_by_length_and_each_token_is_read_once(family: str, tmp_path: Path) -> None:
    model, read, told = network(tmp_path, family).model.eval(), [], []
    model.get_encoder().register_forward_hook(
        lambda _, __, given, ___: read.append(given["input_ids"].shape[1]), with_kwargs=True
    )

    def without_end(_: Any, given: tuple[torch.Tensor, ...], logits: torch.Tensor) -> torch.Tensor:
        told.append(given[0].shape[1])
        return logits.index_fill(-1, torch.tensor([3]), -1e4)

    model.get_output_embeddings().register_forward_hook(without_end)
    texts = [" ".join(["film"] * (1 + i * 7 % 20)) for i in range(40)]
    with torch.no_grad():
        rows = list(TASK.predict(model, tiny_tokenizer(), singles(*texts), within(32), ASKED))
    assert [text for text, _ in rows] == texts
    assert (len(read), read) == (2, sorted(read))
    assert read[0] < read[1]
    assert len(told) > 20
    assert set(told) == {1}  # what was told before is remembered


def test_a_text_that_does_not_end_is_cut_off_by_the_length_of_its_own_source(tmp_path: Path) -> None:
    model = network(tmp_path, "bert").model.eval()
    model.get_output_embeddings().bias.data[6] = 1e4  # the one word that it ever says
    (said,) = written(model, ["dull film"])
    assert len(said.split()) == 10 + 2 * 4


def test_nothing_written_is_an_empty_text(tmp_path: Path) -> None:
    model = network(tmp_path, "bert").model.eval()
    model.get_output_embeddings().bias.data[3] = 1e4  # the end
    assert written(model, ["dull"]) == [""]


def test_with_a_temperature_the_seed_decides(tmp_path: Path) -> None:
    model = network(tmp_path, "bert").model.eval()

    def said(seed: int) -> list[str]:
        return written(model, ["a long film"], Predict(temperature=2.0, seed=seed))

    assert said(1) == said(1) != said(2)


def test_scores_of_a_set_are_those_of_sacrebleus_command_line(tmp_path: Path) -> None:
    for name, lines in (("said", SAID), ("references", REFERENCES)):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", str(tmp_path / "references"), "-i", str(tmp_path / "said")]
    settings = ["-m", "chrf", "bleu", "-b", "-w", "6"]
    found = subprocess.run([*command, *settings], capture_output=True, text=True, check=True)
    lines = [float(word) for word in found.stdout.replace("[", " ").replace("]", " ").replace(",", " ").split()]
    ours = [100 * of_set(metric, counts(SAID, REFERENCES)) for metric in ("corpus_bleu", "corpus_chrf")]
    assert ours == pytest.approx(lines, abs=1e-5)


def test_a_texts_score_is_sacrebleus_sentence_score() -> None:
    from sacrebleu.metrics import CHRF

    own = [CHRF().sentence_score(said, [wanted]).score / 100 for said, wanted in zip(SAID, REFERENCES, strict=True)]
    assert sentence_scores(counts(SAID, REFERENCES)).tolist() == pytest.approx(own, abs=1e-6)
    assert own[1] == 0
    assert own[3] == pytest.approx(1)


def test_a_judge_reads_what_the_network_writes_against_its_own_reference(tmp_path: Path) -> None:
    assert isinstance(TASK, Translation)
    model, tokenizer = network(tmp_path, "bert").model.eval(), tiny_tokenizer()
    model.get_output_embeddings().bias.data[3] = -1e4  # it does not end, so that all have something to be judged by
    sources = [each.text for each in TEXTS]
    said = written(model, sources)
    with torch.no_grad():
        judge = TASK.judge(tokenizer, [pair(one, wrote) for one, wrote in zip(sources, said, strict=True)])
        items = np.array([2, 0])
        given = batch([TEXTS[2], TEXTS[0]])
        given["written"] = judge(model, given, items)
        out = TASK.outputs(TASK.answers(TASK.forward(model, given), given).numpy(), np.zeros(2, dtype=np.int32))
    assert all(said)
    assert out.scores.tolist() == pytest.approx([1, 1])
    measured: dict[str, Any] = TASK.measure(out)
    assert measured["chrf"] == pytest.approx(1)
    assert measured["corpus_chrf"] == pytest.approx(1)


def test_an_encoders_weights_stand_in_either_part_and_all_else_is_every_arms(tmp_path: Path) -> None:
    pretrained, scratch = (network(tmp_path, "bert", arm).model.state_dict() for arm in ("pretrained", "scratch"))
    inner = "encoder.layer.0.attention.self.query.weight"
    assert torch.equal(pretrained[f"encoder.{inner}"], pretrained[f"decoder.bert.{inner}"])
    assert not torch.equal(pretrained[f"encoder.{inner}"], scratch[f"encoder.{inner}"])
    crossing = [name for name in scratch if "crossattention" in name]
    assert crossing
    assert all(torch.equal(pretrained[name], scratch[name]) for name in crossing)


def test_adapters_are_put_into_the_encoder_and_the_decoder_is_trained_whole(tmp_path: Path) -> None:
    model = network(tmp_path, "bert", "lora").model
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert any("lora_A" in name for name in trained)
    assert any("crossattention" in name for name in trained)
    losses = TASK.losses(TASK.forward(model, batch()), batch())
    losses.sum().backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if n in trained and "crossattention" in n)


@pytest.mark.parametrize("family", ["t5", "bart", "marian"])
def test_a_base_of_two_parts_is_taken_as_it_is(family: str, tmp_path: Path) -> None:
    found = {arm: network(tmp_path, family, arm) for arm in ("pretrained", "scratch", "lora")}
    assert found["pretrained"].checkpoint.absent == ()
    assert {each.architecture for each in found.values()} == {found["scratch"].architecture}
    adapters = {name for name, p in found["lora"].model.named_parameters() if p.requires_grad}
    assert adapters
    assert all("lora_" in name for name in adapters)


@pytest.mark.parametrize("family", ["bert", "t5", "bart", "marian"])
def test_what_it_costs_and_takes_can_be_counted(family: str, tmp_path: Path) -> None:
    located = locate(base_in(save_tiny(tmp_path / family, family)))
    one = cell(TASK, located)
    flops = count(one, configuration(one, located, LABELS))
    assert 0 < flops.inference(1, 16) < flops.training(1, 16) < flops.training(1, 40)
    found = footprint(build(one, located, LABELS, seed=2), TASK, method=one.method, precision="fp32")
    assert found.linear > 0
    assert found.layers == (4 if family == "bert" else 2)


@pytest.mark.parametrize(("family", "why"), [("llama", "is a decoder"), ("distilbert", "made into a decoder")])
def test_a_base_that_cannot_be_both_is_refused(family: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=f"cannot do translation: .*{why}"):
        network(tmp_path, family)

"""A base that cannot do a task's kind: refused at the command line before anything is written, with what it can do."""

import json
from pathlib import Path

import pytest
from command_kit import Done, command

from tests import tiny
from tests.models.tiny_bases import save_tiny, without
from tests.tiny import reviews, tiny_base
from tests.tiny_kinds import settings, table, tiny_decoder

__all__ = ["reviews", "table", "tiny_base", "tiny_decoder"]

Capture = pytest.CaptureFixture[str]
OF_ANY = (
    "classification",
    "multi_label_classification",
    "pair_classification",
    "prompted_classification",
    "similarity",
)
OF_ENCODERS = (*OF_ANY, "masked_language_modelling", "token_classification", "translation")
OF_DECODERS = (*OF_ANY, "causal_language_modelling")


def assert_refused(done: Done, root: Path, why: str, can: tuple[str, ...], cannot: str) -> None:
    """Exit code 2, the reason, every kind that it can do and no other, and nothing written."""
    assert (done.code, "Traceback" in done.err) == (2, False), done.err
    assert why in done.err
    assert set(done.err.rpartition("It can do ")[2].split(". ")[0].strip(".\n").split(", ")) == set(can)
    assert f"cannot do {cannot}" in done.err
    assert not root.exists()


@pytest.mark.parametrize("asked", ["train", "sweep"])
@pytest.mark.parametrize(("kind", "why"), [("masked_language_modelling", "is a decoder"), ("translation", "decoder")])
def test_a_decoder_is_refused_for_what_needs_an_encoder(
    asked: str, kind: str, why: str, tiny_decoder: Path, table: Path, tmp_path: Path, capsys: Capture
) -> None:
    root = tmp_path / "out"
    done = command(capsys, asked, *tiny.overrides(tiny_decoder, table, root), *settings(kind))
    assert_refused(done, root, why, OF_DECODERS, kind)
    assert "base=minilm" in done.err


def test_an_encoder_is_refused_for_continuing_texts_in_a_study_and_in_its_plan(
    tiny_base: Path, table: Path, tmp_path: Path, capsys: Capture
) -> None:
    root, kind = tmp_path / "out", "causal_language_modelling"
    known = [*tiny.overrides(tiny_base, table, root), *settings(kind), *tiny.study(sizes="16", claim=False)]
    for more in ((), ("plan=true",)):
        done = command(capsys, "study", *known, *more)
        assert_refused(done, root, "base=smollm2", OF_ENCODERS, kind)


@pytest.mark.parametrize("kind", OF_DECODERS)
def test_an_encoder_with_a_decoder_can_do_translation_alone(
    kind: str, table: Path, tmp_path: Path, capsys: Capture
) -> None:
    root, base = tmp_path / "out", save_tiny(tmp_path / "t5", "t5")
    done = command(capsys, "train", *tiny.overrides(base, table, root), *settings(kind))
    assert_refused(done, root, "(t5)", ("translation",), kind)


def test_a_decoder_is_refused_by_an_arm_that_begins_with_filling_gaps(
    tiny_decoder: Path, table: Path, tmp_path: Path, capsys: Capture
) -> None:
    root = tmp_path / "out"
    done = command(capsys, "train", *tiny.overrides(tiny_decoder, table, root), "arm=adapted")
    assert_refused(done, root, "arm.pretraining.objective", OF_DECODERS, "masked_language_modelling")


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("fill_gaps", "masked_language_modelling"),
        pytest.param("messages", "translation", marks=pytest.mark.slow),
    ],
)
def test_the_packaged_decoder_is_not_even_unpacked_for_what_it_cannot_do(
    task: str, kind: str, tmp_path: Path, capsys: Capture
) -> None:
    root = tmp_path / "out"
    done = command(capsys, "train", "base=smollm2", f"task={task}", f"paths.root={root}", "tracking=none")
    assert_refused(done, root, "(llama)", OF_DECODERS, kind)


@pytest.mark.parametrize(
    ("tensors", "settings", "said"),
    [
        ("layer.1.attention.self.query.weight", {}, "1 of 39 is missing (bert.encoder.layer.1.attention"),
        ("LayerNorm", {}, "10 of 39 are missing (bert.embeddings.LayerNorm.weight"),
        (None, {"max_position_embeddings": 128}, "64 x 32 in the checkpoint, 128 x 32 by config.json"),
        (None, {"auto_map": {"AutoModel": "mine.Mine"}}, "must not bring code of its own"),
        (None, {"quantization_config": {"quant_method": "gptq"}}, "quantised (gptq)"),
    ],
)
def test_a_broken_base_is_refused_at_the_command_line(
    tensors: str | None, settings: dict[str, object], said: str, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    base = tiny.write_base(tmp_path / "base")
    if tensors:
        without(base, tensors)
    config = base / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | settings))
    done = command(capsys, "train", *tiny.overrides(base, reviews, tmp_path / "out"), "train.size=16")
    assert (done.code, "Traceback" in done.err, said in done.err) == (2, False, True), done.err
    assert not list((tmp_path / "out" / "cells").glob("*"))


def test_a_decoder_cannot_be_pooled_by_its_first_position(
    tiny_decoder: Path, table: Path, tmp_path: Path, capsys: Capture
) -> None:
    given = [*tiny.overrides(tiny_decoder, table, tmp_path / "out"), *settings("classification"), "train.size=16"]
    done = command(capsys, "train", *given, "base.pooling=cls")
    assert (done.code, "Traceback" in done.err) == (2, False), done.err
    assert "base.pooling=cls needs an encoder" in done.err
    assert "Use base.pooling=last or mean." in done.err
    assert not list((tmp_path / "out" / "cells").glob("*"))


def test_a_solved_arm_does_not_read_a_pooler_that_the_base_lacks(
    reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    base = without(tiny.write_base(tmp_path / "base"), "pooler")
    given = [*tiny.overrides(base, reviews, tmp_path / "out"), "train.size=16", "base.pooling=head"]
    done = command(capsys, "train", *given, "arm=frozen")
    assert (done.code, "Traceback" in done.err) == (2, False), done.err
    assert "base.pooling=head reads a layer that 'tiny' (bert) does not hold" in done.err


def test_modules_without_the_network_that_they_name_are_refused(reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    module = {"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}
    network = tmp_path / "base" / "0_Transformer"
    network.mkdir(parents=True)
    (network.parent / "modules.json").write_text(json.dumps([module]))
    (network / "config.json").write_text(json.dumps({"model_type": "bert"}))
    done = command(capsys, "train", *tiny.overrides(network.parent, reviews, tmp_path / "out"), "train.size=16")
    assert (done.code, "Traceback" in done.err) == (2, False), done.err
    assert f"has no weights: {network} holds no model.safetensors" in " ".join(done.err.split())
    assert not (tmp_path / "out").exists()

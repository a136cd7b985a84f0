"""Directories that are no base, or would run code: what is said, and that nothing runs."""

import contextlib
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import BaseModelError
from pipeline.files import sha256
from pipeline.models.build import Network, build
from pipeline.models.checkpoints.locate import locate
from pipeline.models.tokenizer import load_tokenizer
from tests.models.tiny_bases import LABELS, base_in, cell_for, tiny_tokenizer, whole_checkpoint


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (self.path,)


@pytest.fixture
def copied(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny base to spoil."""
    return Path(shutil.copytree(tiny, tmp_path / "base"))


def edit(directory: Path, **changes: Any) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def load_all(directory: Path, arm: str = "pretrained") -> Network:
    found = locate(base_in(directory))
    load_tokenizer(found.directory)
    return build(cell_for(arm, base_in(directory)), found, LABELS, seed=1)


def test_the_copy_itself_can_be_loaded(copied: Path) -> None:
    assert load_all(copied).checkpoint == whole_checkpoint()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=r"base.path=.*nowhere: there is no such directory"):
        locate(base_in(tmp_path / "nowhere"))


def test_a_directory_without_weights_is_refused(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    with pytest.raises(BaseModelError, match=r"has no weights: .* holds no model.safetensors"):
        locate(base_in(copied))


@pytest.mark.parametrize("keep", [0, 5, 100, 2000, -1])
def test_truncated_weights_are_refused_before_anything_is_built(keep: int, copied: Path) -> None:
    file = copied / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(BaseModelError, match=r"model.safetensors is (truncated|not a safetensors file).*Copy it again"):
        locate(base_in(copied))


def test_pickled_weights_are_refused_and_never_unpickled(copied: Path, tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    (copied / "model.safetensors").unlink()
    (copied / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Bomb(trace)}))
    with pytest.raises(BaseModelError, match=r"pickled weights \(pytorch_model.bin\).*Convert them to safetensors"):
        load_all(copied)
    assert not trace.exists()
    pickle.loads((copied / "pytorch_model.bin").read_bytes())
    assert trace.exists(), "the trap itself must work"


def test_pickled_weights_beside_safe_ones_are_left_alone(copied: Path, tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    for name in ("pytorch_model.bin", "training_args.bin", "model.pt"):
        (copied / name).write_bytes(pickle.dumps(Bomb(trace)))
    load_all(copied)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("model_type", "said"),
    [
        ("bert", r"must not bring code of its own.*auto_map: AutoConfig.*remove auto_map"),
        ("my-own-model", "cannot be used"),
    ],
)
@pytest.mark.parametrize("arm", ["pretrained", "scratch"])
def test_code_that_a_configuration_brings_along_never_runs(
    model_type: str, said: str, arm: str, copied: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "executed"
    source = f"from pathlib import Path\nPath({str(trace)!r}).touch()\nclass Mine: pass\n"
    (copied / "mine.py").write_text(source)
    names = ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification", "AutoTokenizer")
    edit(copied, model_type=model_type, auto_map=dict.fromkeys(names, "mine.Mine"))
    tokenizer = copied / "tokenizer_config.json"
    mapped = json.loads(tokenizer.read_text()) | {"auto_map": {"AutoTokenizer": ["mine.Mine", None]}}
    tokenizer.write_text(json.dumps(mapped))
    with pytest.raises(BaseModelError, match=said):
        build(cell_for(arm, base_in(copied)), locate(base_in(copied)), LABELS, seed=1)
    with contextlib.suppress(BaseModelError):  # of a type that it does not know, transformers knows no tokenizer
        load_tokenizer(copied)
    assert not trace.exists()


def test_an_encoder_with_a_decoder_is_refused_by_its_kind(copied: Path) -> None:
    import transformers

    transformers.T5Config(vocab_size=100, d_model=16, d_kv=4, num_layers=1, num_heads=2).save_pretrained(copied)
    with pytest.raises(
        BaseModelError, match=r"\(t5\) cannot do classification: it is an encoder with a decoder.*base=minilm"
    ):
        load_all(copied)


def test_a_configuration_that_is_not_json_is_refused(copied: Path) -> None:
    (copied / "config.json").write_text("{")
    with pytest.raises(BaseModelError, match=r"configuration that cannot be used"):
        build(cell_for("scratch", base_in(copied)), locate(base_in(copied)), LABELS, seed=1)


def test_an_architecture_that_does_not_classify_is_refused(copied: Path) -> None:
    import transformers

    transformers.WhisperConfig().save_pretrained(copied)
    with pytest.raises(BaseModelError, match=r"whisper"):
        build(cell_for("scratch", base_in(copied)), locate(base_in(copied)), LABELS, seed=1)


@pytest.mark.parametrize("whole", [True, False])
def test_an_adapter_is_refused_since_another_base_would_be_loaded(whole: bool, copied: Path) -> None:
    if not whole:  # as peft saves it
        (copied / "config.json").unlink()
    (copied / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "elsewhere"}))
    with pytest.raises(BaseModelError, match=r"holds an adapter. Merge it"):
        locate(base_in(copied))


def test_weights_of_another_content_than_declared_are_refused(copied: Path) -> None:
    right = sha256(copied / "model.safetensors")
    locate(base_in(copied, sha256=right))
    with pytest.raises(BaseModelError, match=f"must have SHA-256 {'0' * 64}.*{right}"):
        locate(base_in(copied, sha256="0" * 64))


def test_a_right_file_beside_the_loaded_one_does_not_vouch_for_it(copied: Path) -> None:
    right = sha256(copied / "model.safetensors")
    shutil.copy(copied / "model.safetensors", copied / "another.safetensors")
    data = bytearray((copied / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copied / "model.safetensors").write_bytes(data)
    with pytest.raises(BaseModelError, match=r"must have SHA-256"):
        locate(base_in(copied, sha256=right))


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"weight_map": {"a": "missing.safetensors"}}', "lacks missing.safetensors"),
        ('{"weight_map": {"a": "../../x.safetensors"}}', "must name safetensors files beside it"),
        ('{"weight_map": {"a": "weights.bin"}}', "must name safetensors files beside it"),
    ],
)
def test_an_index_of_parts_must_name_parts_that_are_there(index: str, said: str, copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors.index.json").write_text(index)
    with pytest.raises(BaseModelError, match=said):
        locate(base_in(copied))


def test_a_base_in_parts_loads_like_one_in_one_piece(copied: Path) -> None:
    import transformers

    whole = locate(base_in(copied))
    model = transformers.AutoModel.from_pretrained(copied, local_files_only=True)
    (copied / "model.safetensors").unlink()
    model.save_pretrained(copied, max_shard_size="10KB")
    assert len(list(copied.glob("model-*.safetensors"))) > 1
    parts = locate(base_in(copied))
    assert parts.weights != whole.weights
    assert build(cell_for("pretrained", base_in(copied)), parts, LABELS, seed=1).checkpoint == whole_checkpoint()


def test_a_tokenizer_is_never_made_up(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(BaseModelError, match=r"has no tokenizer: .*tokenizer.save_pretrained"):
        locate(base_in(copied))


@pytest.mark.parametrize("content", ["", "{}", '{"version": "1.0"', "[1]"])
def test_a_damaged_tokenizer_is_refused(content: str, copied: Path) -> None:
    (copied / "tokenizer.json").write_text(content)
    with pytest.raises(BaseModelError, match=r"no tokenizer that can be used"):
        load_tokenizer(copied)


def test_another_bases_tokenizer_is_refused(copied: Path) -> None:
    edit(copied, vocab_size=20)
    with pytest.raises(BaseModelError, match=r"tokens, but config.json there allows 20 \(vocab_size\)"):
        load_tokenizer(copied)


def test_without_a_padding_token_the_end_token_pads(copied: Path) -> None:
    tiny_tokenizer(pad_token=None, eos_token="[SEP]").save_pretrained(copied)
    assert load_tokenizer(copied).pad_token_id == 3


def test_without_padding_and_end_tokens_a_tokenizer_is_refused(copied: Path) -> None:
    tiny_tokenizer(pad_token=None).save_pretrained(copied)
    with pytest.raises(BaseModelError, match=r"neither a padding nor an end token"):
        load_tokenizer(copied)


def test_fingerprints_follow_the_content_and_not_the_place_or_the_time(copied: Path, tmp_path: Path) -> None:
    first = locate(base_in(copied))
    moved = locate(base_in(Path(shutil.copytree(copied, tmp_path / "moved")), name="other"))
    assert (moved.weights, moved.tokenizer, moved.whole) == (first.weights, first.tokenizer, first.whole)
    edit(copied, hidden_dropout_prob=0.2)
    changed = locate(base_in(copied))
    assert changed.weights != first.weights
    assert changed.tokenizer == first.tokenizer
    tiny_tokenizer(eos_token="[SEP]").save_pretrained(copied)
    assert locate(base_in(copied)).tokenizer != first.tokenizer

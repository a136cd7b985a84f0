"""Bases in the forms that they have on the hub: every one is read as it was made, or refused by what it is."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModel
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

from pipeline.config.schema import Base
from pipeline.errors import BaseModelError
from pipeline.models.checkpoints.base_files import PATTERNS, tokenizer_files
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.models.positions import longest_text
from pipeline.models.tokenizer import load_tokenizer
from tests.models.tiny_architectures import tiny_architecture

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Paris", "paris", "Bright", "bright", "film", "Não", "nao")


def of(directory: Path, tmp_path: Path) -> Located:
    return locate(Base(name="mine", source="local", path=str(directory)), tmp_path / "outputs")


@pytest.fixture
def base(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny base, to be changed."""
    return Path(shutil.copytree(tiny, tmp_path / "base"))


def weights(located: Located) -> dict[str, Any]:
    return dict(AutoModel.from_pretrained(located.directory, local_files_only=True).state_dict())


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[n], expected[n]) for n in found)


def halves(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    tensors = load_file(file)
    names = sorted(tensors)
    middle = len(names) // 2
    return {n: tensors[n] for n in names[:middle]}, {n: tensors[n] for n in names[middle:]}


def as_variant(base: Path) -> None:
    (base / "model.safetensors").rename(base / "model.fp32.safetensors")


def as_parts(base: Path, named: str = "model-{}-of-00002.safetensors", index: str = "") -> None:
    parts = halves(base / "model.safetensors")
    (base / "model.safetensors").unlink()
    names = [named.format(f"{number:05}") for number in (1, 2)]
    for name, tensors in zip(names, parts, strict=True):
        save_file(tensors, base / name, metadata={"format": "pt"})
    if index:
        where = {tensor: name for name, part in zip(names, parts, strict=True) for tensor in part}
        (base / index).write_text(json.dumps({"metadata": {}, "weight_map": where}))


def as_indexed_parts(base: Path) -> None:
    as_parts(base, index="model.safetensors.index.json")


def as_parts_of_a_variant(base: Path) -> None:
    as_parts(base, "model.fp32-{}-of-00002.safetensors", "model.safetensors.index.fp32.json")


@pytest.mark.parametrize("change", [as_variant, as_parts, as_indexed_parts, as_parts_of_a_variant])
def test_weights_under_every_usual_name_are_read(base: Path, tiny: Path, tmp_path: Path, change: Any) -> None:
    expected = weights(of(tiny, tmp_path))
    change(base)
    located = of(base, tmp_path)
    assert same(weights(located), expected)
    assert len(load_tokenizer(located.directory)) == len(load_tokenizer(tiny))
    assert of(base, tmp_path) == located, "found again"
    assert located.tokenizer == of(tiny, tmp_path).tokenizer


def test_a_part_that_is_missing_is_named(base: Path, tmp_path: Path) -> None:
    as_parts(base)
    (base / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(BaseModelError, match=r"lacks model-00001-of-00002.safetensors, which the names of the others"):
        of(base, tmp_path)


def test_of_several_variants_none_is_chosen(base: Path, tmp_path: Path) -> None:
    as_variant(base)
    shutil.copy(base / "model.fp32.safetensors", base / "model.fp16.safetensors")
    with pytest.raises(BaseModelError, match=r"has fp16 and fp32. Copy the one that you mean to model.safetensors"):
        of(base, tmp_path)


def test_whole_weights_come_before_a_variant(base: Path, tiny: Path, tmp_path: Path) -> None:
    (base / "model.fp16.safetensors").write_bytes(b"not read")
    assert of(base, tmp_path).whole == of(tiny, tmp_path).whole


@pytest.mark.parametrize(
    ("name", "said"),
    [("tf_model.h5", r"tf_model.h5 \(TensorFlow\)"), ("flax_model.msgpack", r"\(Flax\)"), ("a.Q4.gguf", r"\(GGUF\)")],
)
def test_weights_in_another_format_are_called_what_they_are(base: Path, tmp_path: Path, name: str, said: str) -> None:
    (base / "model.safetensors").rename(base / name)
    with pytest.raises(BaseModelError, match=said):
        of(base, tmp_path)


def in_the_older_format(base: Path, folder: Path) -> Path:
    """As Sentence Transformers saved it once, with the network in a folder of its own and the mean as its pooling."""
    shutil.move(base, folder / "0_Transformer")
    modules = [("0_Transformer", "sentence_transformers.models.Transformer"),
               ("1_Pooling", "sentence_transformers.models.Pooling")]  # fmt: skip
    (folder / "modules.json").write_text(json.dumps([{"path": p, "type": t} for p, t in modules]))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    return folder


def test_the_older_format_of_sentence_transformers_is_read(base: Path, tiny: Path, tmp_path: Path) -> None:
    located = of(in_the_older_format(base, tmp_path / "older"), tmp_path)
    assert located.whole == of(tiny, tmp_path).whole
    assert located.declared.pooling == "mean"
    assert located.directory.name == "0_Transformer"


def wordpiece(folder: Path, words: Sequence[str] = WORDS, **stated: object) -> Path:
    """A directory with a BERT's configuration and nothing but vocab.txt of its tokenizer."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": len(words)}))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    if stated:
        (folder / "tokenizer_config.json").write_text(json.dumps(stated))
    return folder


def test_a_cased_vocabulary_is_read_in_its_case(tmp_path: Path) -> None:
    assert load_tokenizer(wordpiece(tmp_path / "cased")).tokenize("Paris Bright Não") == ["Paris", "Bright", "Não"]
    lower = wordpiece(tmp_path / "uncased", [word for word in WORDS if word == word.lower() or word[0] == "["])
    assert load_tokenizer(lower).tokenize("Paris Bright") == ["paris", "bright"]


def test_what_is_stated_of_the_case_counts(tmp_path: Path) -> None:
    stated = wordpiece(tmp_path / "stated", do_lower_case=True)
    assert load_tokenizer(stated).tokenize("Paris Não") == ["paris", "nao"]
    unstated = wordpiece(tmp_path / "unstated", model_max_length=64)
    assert load_tokenizer(unstated).tokenize("Paris Não") == ["Paris", "Não"]


@pytest.mark.parametrize("lower", [True, False])
def test_the_case_that_tokenizer_json_states_counts(tmp_path: Path, lower: bool) -> None:
    folder = wordpiece(tmp_path / "json")
    made = transformers.AutoTokenizer.from_pretrained(folder, do_lower_case=lower, strip_accents=False)
    made.backend_tokenizer.save(str(folder / "tokenizer.json"))
    assert load_tokenizer(folder).tokenize("Paris Bright") == (["paris", "bright"] if lower else ["Paris", "Bright"])


def test_a_vocabulary_that_the_tokenizer_does_not_read_is_refused(tmp_path: Path) -> None:
    folder = wordpiece(tmp_path / "other")
    (folder / "config.json").write_text(json.dumps({"model_type": "roberta", "vocab_size": 50}))
    with pytest.raises(BaseModelError, match=r"\(RobertaTokenizer\) knows no word"):
        load_tokenizer(folder)


@pytest.mark.parametrize(
    ("config", "stated"),
    [
        ({"model_type": "canine"}, {}),
        ({"model_type": "t5", "tokenizer_class": "T5"}, {"tokenizer_class": "ByT5Tokenizer"}),
    ],
)
def test_tokenizers_of_bytes_and_characters_need_no_vocabulary(
    base: Path, tmp_path: Path, config: dict[str, str], stated: dict[str, str]
) -> None:
    for file in tokenizer_files(base, Base(name="mine")):
        file.unlink()
    (base / "config.json").write_text(json.dumps(config))
    if stated:
        (base / "tokenizer_config.json").write_text(json.dumps(stated))
    assert len(load_tokenizer(of(base, tmp_path).directory)("ação")["input_ids"]) >= 4
    before = of(base, tmp_path).tokenizer
    (base / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PerceiverTokenizer"}))
    assert of(base, tmp_path).tokenizer != before


def test_every_file_that_a_tokenizer_reads_is_fetched_and_fingerprinted(base: Path, tmp_path: Path) -> None:
    from fnmatch import fnmatch

    classes = {getattr(transformers, name, None) for name in TOKENIZER_MAPPING_NAMES.values() if name}
    named = [f for c in classes for f in (getattr(c, "vocab_files_names", None) or {}).values()]
    files = {name for each in named for name in ([each] if isinstance(each, str) else each)}
    assert {"source.spm", "bpe.codes", "vocab.txt"} <= files
    before = of(base, tmp_path)
    for name in sorted(files):
        assert any(fnmatch(name, pattern) for pattern in PATTERNS), f"{name} is not fetched"
        content = (base / name).read_bytes() if (base / name).exists() else None
        (base / name).write_bytes(b"{}" if content is None else content + b" ")
        assert of(base, tmp_path).tokenizer != before.tokenizer, f"{name} is not fingerprinted"
        (base / name).unlink() if content is None else (base / name).write_bytes(content)
    assert of(base, tmp_path) == before


@pytest.mark.parametrize(
    "model_type",
    ["bert", "roberta", "mpnet", "gpt2", "opt", "longformer", "yoso", "distilbert", "deberta-v2", "biogpt"],
)
def test_a_network_reads_as_many_tokens_as_its_positions_and_no_more(model_type: str) -> None:
    model = AutoModel.from_config(tiny_architecture(model_type)).eval()
    longest = longest_text(model)
    assert longest is not None
    with torch.no_grad():
        model(input_ids=torch.full((1, longest), 5))
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, longest + 1), 5))


@pytest.mark.parametrize("model_type", ["llama", "mixtral", "t5"])
def test_positions_that_are_not_looked_up_set_no_limit(model_type: str) -> None:
    assert longest_text(AutoModel.from_config(tiny_architecture(model_type))) is None

"""Which files of a directory are a base's weights and its tokenizer."""

import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pipeline.config.schema import Base
from pipeline.errors import BaseModelError
from pipeline.files import digest, staged_directory
from pipeline.models.checkpoints.tensor_names import complete_header

# What is fetched from the hub: configuration, weights, and whatever tokenizers of transformers read.
PATTERNS = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", "*.spm", "*.codes", "*.tokenizer")
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "*vocab*", "merges*", "sentencepiece*", "spiece*", "spm*",
                 "*.spm", "bpe.codes", "dict.txt", "prophetnet.tokenizer", "byte_maps.json")  # fmt: skip
_BESIDE = ("tokenizer*", "special_tokens*", "added_tokens*", "emoji.json", "normalizer.json", "word_*.json")
_WITHOUT_VOCABULARY = ("ByT5Tokenizer", "CanineTokenizer", "DiaTokenizer", "PerceiverTokenizer")  # of bytes, characters
_THEIR_MODELS = {"byt5": "ByT5Tokenizer", "canine": "CanineTokenizer", "perceiver": "PerceiverTokenizer"}

_PICKLED = ("pytorch_model.bin", "model.pt", "model.pth", "pytorch_model.bin.index.json")
_FOREIGN = {"tf_model.h5": "TensorFlow", "flax_model.msgpack": "Flax", "*.gguf": "GGUF", "*.onnx": "ONNX",
            "consolidated*.safetensors": "Mistral", "*.ckpt*": "TensorFlow"}  # fmt: skip
_STANDARD, _INDEX = "model.safetensors", "model.safetensors.index.json"
_VARIANT = re.compile(r"model\.(\w+)\.safetensors|model\.safetensors\.index\.(\w+)\.json")
_PART = re.compile(r"model-(\d{5})-of-(\d{5})\.safetensors")


def weight_files(directory: Path, base: Base) -> list[Path]:
    """The weights: model.safetensors, the parts that its index names or that its parts count, or a single variant.

    Raises:
        BaseModelError: there are none, parts are missing, or they are in another format than safetensors.
    """
    if (directory / _STANDARD).exists():
        return [directory / _STANDARD]
    if (directory / _INDEX).is_file():
        return _indexed(directory / _INDEX, base)
    present = sorted(directory.iterdir())
    if parts := [file for file in present if _PART.fullmatch(file.name)]:
        return _all_parts(parts, base)
    if variants := sorted({_variant(file) for file in present} - {""}):
        return _of_variant(directory, variants, base)
    raise _no_weights(directory, base)


def standard(directory: Path, weights: Sequence[Path], root: Path) -> Path:
    """`directory`, or one under `root`/bases with links to its files where weights have the names that loaders expect.

    It is another where they are a variant, such as model.fp16.safetensors, or parts without an index.
    """
    if (directory / _STANDARD).exists() or (directory / _INDEX).is_file():
        return directory
    there = sorted(file for file in directory.iterdir() if file.is_file() and not _is_weights(file))
    folder = root / "bases" / digest(str(directory.absolute()), *(file.name for file in (*there, *weights)))[:16]
    if not folder.is_dir():
        with staged_directory(folder) as staged:
            for file in there:
                (staged / file.name).symlink_to(file.absolute())
            _link_weights(weights, staged)
    return folder


def tokenizer_files(directory: Path, base: Base) -> list[Path]:
    """Every file of the tokenizer. Without a vocabulary transformers makes one up that knows no word, silently.

    Raises:
        BaseModelError: there is no vocabulary, and the tokenizer is none that works without.
    """
    files = sorted(file for file in directory.iterdir() if file.is_file())
    if not without_vocabulary(directory) and not any(_is(file, _VOCABULARIES) for file in files):
        raise BaseModelError(
            f"Base {base.name!r} has no tokenizer: {directory} holds no tokenizer.json, vocabulary or sentencepiece "
            "model. Save it there: tokenizer.save_pretrained(DIR)."
        )
    return [file for file in files if _is(file, (*_VOCABULARIES, *_BESIDE))]


def without_vocabulary(directory: Path) -> str:
    """The class of the tokenizer if it reads bytes or characters and so has no vocabulary; else empty."""
    config = settings_in(directory / "config.json")
    named = settings_in(directory / "tokenizer_config.json").get("tokenizer_class") or config.get("tokenizer_class")
    named = named or _THEIR_MODELS.get(str(config.get("model_type")))
    return named if named in _WITHOUT_VOCABULARY else ""


def settings_in(file: Path) -> dict[str, Any]:
    """The JSON object in `file`; empty where there is no such file or it holds something else."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _is(file: Path, patterns: Sequence[str]) -> bool:
    return any(fnmatch(file.name, pattern) for pattern in patterns)


def _is_weights(file: Path) -> bool:
    return file.suffix == ".safetensors" or _VARIANT.fullmatch(file.name) is not None


def _variant(file: Path) -> str:
    matched = _VARIANT.fullmatch(file.name)
    return (matched[1] or matched[2]) if matched else ""


def _of_variant(directory: Path, variants: Sequence[str], base: Base) -> list[Path]:
    if len(variants) > 1:
        raise BaseModelError(
            f"Base {base.name!r} must have weights called model.safetensors, or one variant of them, but {directory} "
            f"has {' and '.join(variants)}. Copy the one that you mean to model.safetensors."
        )
    index = directory / f"model.safetensors.index.{variants[0]}.json"
    return _indexed(index, base) if index.is_file() else [directory / f"model.{variants[0]}.safetensors"]


def _all_parts(parts: Sequence[Path], base: Base) -> list[Path]:
    """The parts that are there, if they are as many as their names say."""
    count = next(iter({name[2] for file in parts if (name := _PART.fullmatch(file.name))}))
    names = [f"model-{number:05}-of-{count}.safetensors" for number in range(1, int(count) + 1)]
    return [_part(parts[0].parent, name, base, "the names of the others count") for name in names]


def _link_weights(weights: Sequence[Path], folder: Path) -> None:
    if len(weights) == 1:
        (folder / _STANDARD).symlink_to(weights[0].absolute())
        return
    for file in weights:
        (folder / file.name).symlink_to(file.absolute())
    where = {name: file.name for file in weights for name in complete_header(file) if name != "__metadata__"}
    (folder / _INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}), encoding="utf-8")


def _indexed(index: Path, base: Base) -> list[Path]:
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BaseModelError(f"The index of base {base.name!r}, {index}, is damaged. Copy it again.") from error
    return [_part(index.parent, name, base, "its index names") for name in names]


def _part(directory: Path, name: str, base: Base, why: str) -> Path:
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise BaseModelError(
            f"The index of base {base.name!r} must name safetensors files beside it, but names {name!r}."
        )
    if not (directory / name).is_file():
        raise BaseModelError(f"Base {base.name!r} lacks {name}, which {why}. Copy it to {directory} too.")
    return directory / name


def _no_weights(directory: Path, base: Base) -> BaseModelError:
    pickled = [n for n in _PICKLED if (directory / n).exists()]
    if pickled:
        return BaseModelError(
            f"Base {base.name!r} has pickled weights ({pickled[0]}), which could run code when loaded. "
            "Convert them to safetensors (model.save_pretrained(DIR) in a place you trust) and use that directory."
        )
    if foreign := next(_foreign(directory), None):
        return BaseModelError(
            f"Base {base.name!r} must have weights called model.safetensors, but {directory} has them in another "
            f"format alone: {foreign}. Convert them (model.save_pretrained(DIR)), or give the path of a GGUF file "
            "itself: base.path=FILE.gguf."
        )
    if base.source == "hub":
        return BaseModelError(
            f"The hub's {base.name!r} has no safetensors weights. Name a revision that has them, base.revision=NAME, "
            "or convert it in a place you trust: base=local base.path=DIRECTORY base.name=NAME."
        )
    return BaseModelError(
        f"Base {base.name!r} has no weights: {directory} holds no model.safetensors. Check base.path."
    )


def _foreign(directory: Path) -> Iterator[str]:
    for pattern, kind in _FOREIGN.items():
        yield from [f"{file.name} ({kind})" for file in sorted(directory.glob(pattern))]

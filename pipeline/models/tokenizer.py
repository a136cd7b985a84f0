"""The base's tokenizer, shared by every arm."""

import json
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError, first_line


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer in `directory`, with a token to pad with.

    Raises:
        BaseModelError: there is none, or it can only be loaded by running code of its own.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(directory), trust_remote_code=False, local_files_only=True)
    except (ValueError, OSError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise BaseModelError(f"{directory} has no tokenizer that can be used: {first_line(error)}") from error
    _check_vocabulary(tokenizer, directory)
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token_id is None:
            raise BaseModelError(f"The tokenizer in {directory} has neither a padding nor an end token.")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _check_vocabulary(tokenizer: Any, directory: Path) -> None:
    """Another base's tokenizer would look up rows that the embedding does not have."""
    size = json.loads((directory / "config.json").read_text(encoding="utf-8")).get("vocab_size")
    if isinstance(size, int) and len(tokenizer) > size:
        raise BaseModelError(
            f"The tokenizer in {directory} has {len(tokenizer)} tokens, but config.json there allows {size} "
            "(vocab_size): it belongs to another base. Put the base's own tokenizer there."
        )

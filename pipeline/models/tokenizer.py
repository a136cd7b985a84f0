"""The base's tokenizer, shared by every arm."""

from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer in `directory`, with a token to pad with.

    Raises:
        BaseModelError: there is none, or it can only be loaded by running code of its own.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(directory), trust_remote_code=False, local_files_only=True)
    except (ValueError, OSError, KeyError, ImportError) as error:
        raise BaseModelError(f"{directory} has no tokenizer that can be used: {str(error).splitlines()[0]}") from error
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token_id is None:
            raise BaseModelError(f"The tokenizer in {directory} has neither a padding nor an end token.")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer

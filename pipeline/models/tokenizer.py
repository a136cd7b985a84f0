"""The base's tokenizer, shared by every arm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import BaseModelError, first_line
from pipeline.models.checkpoints.base_files import settings_in

_CASED = 0.01  # share of words with a capital letter, above which a vocabulary is of a cased base


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer in `directory`, with a token to pad with.

    Raises:
        BaseModelError: there is none, or it can only be loaded by running code of its own.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(directory), trust_remote_code=False, local_files_only=True, **_unstated_case(directory)
        )
    except (ValueError, OSError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise BaseModelError(f"{directory} has no tokenizer that can be used: {first_line(error)}") from error
    _check_vocabulary(tokenizer, directory)
    if tokenizer.pad_token_id is None:
        if tokenizer.eos_token_id is None:
            raise BaseModelError(f"The tokenizer in {directory} has neither a padding nor an end token.")
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _check_vocabulary(tokenizer: Any, directory: Path) -> None:
    """It must know words, and none beyond the embedding's rows, as another base's tokenizer would."""
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise BaseModelError(
            f"The tokenizer in {directory} ({type(tokenizer).__name__}) knows no word: the file with its vocabulary is "
            "missing or has another name. Save it there: tokenizer.save_pretrained(DIR)."
        )
    size = settings_in(directory / "config.json").get("vocab_size")
    if isinstance(size, int) and len(tokenizer) > size:
        raise BaseModelError(
            f"The tokenizer in {directory} has {len(tokenizer)} tokens, but config.json there allows {size} "
            "(vocab_size): it belongs to another base. Put the base's own tokenizer there."
        )


def _unstated_case(directory: Path) -> dict[str, Any]:
    """What the files imply of capital letters and accents, if tokenizer_config.json does not state it.

    transformers would put every text in lower case then, whatever tokenizer.json says, and a cased vocabulary would
    know few of its words.
    """
    stated = settings_in(directory / "tokenizer_config.json")
    if "do_lower_case" in stated:
        return {}
    for step in _steps(settings_in(directory / "tokenizer.json").get("normalizer")):
        if step.get("type") == "BertNormalizer":
            settings = {"do_lower_case": step.get("lowercase"), "strip_accents": step.get("strip_accents")}
            return {name: value for name, value in settings.items() if name not in stated}
    return {"do_lower_case": False} if _is_cased(directory / "vocab.txt") else {}


def _steps(normalizer: Any) -> Iterator[dict[str, Any]]:
    """The normalizer, and those that it is made of."""
    if isinstance(normalizer, dict):
        yield normalizer
        for part in normalizer.get("normalizers") or []:
            yield from _steps(part)


def _is_cased(vocabulary: Path) -> bool:
    if not vocabulary.is_file():
        return False
    words = vocabulary.read_text(encoding="utf-8", errors="replace").splitlines()
    plain = [word for word in words if not word.startswith(("[", "<"))]
    return sum(word != word.lower() for word in plain) > _CASED * len(plain)

"""The dropout probabilities of a Hugging Face configuration, by whatever name an architecture gives them."""

from collections.abc import Iterator
from typing import Any

from pipeline.errors import BaseModelError


def set_dropout(config: Any, probability: float) -> None:
    """Set every dropout probability of `config` and of the configurations inside it.

    Those that are None stay: they stand for another one. Dropping whole layers ("layerdrop") is no dropout of elements.

    Raises:
        BaseModelError: the configuration takes no such number.
    """
    from huggingface_hub.errors import StrictDataclassError

    for part in _parts(config):
        for name, value in list(vars(part).items()):
            if is_dropout(name, value) and value != probability:
                try:
                    setattr(part, name, probability)
                except StrictDataclassError as error:
                    raise BaseModelError(
                        f"train.dropout={probability} cannot be set on this base ({config.model_type}): transformers "
                        f"takes no such number for its {name}. Use train.dropout=null."
                    ) from error


def is_dropout(name: str, value: object) -> bool:
    """Report whether an attribute of this name and value is a dropout probability; 0 is one, False is not."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and ("dropout" in name or name.endswith("pdrop"))


def _parts(config: Any) -> Iterator[Any]:
    from transformers import PreTrainedConfig

    yield config
    for part in vars(config).values():
        if isinstance(part, PreTrainedConfig):
            yield from _parts(part)

"""A smaller network of the kind of the base, trained from scratch where its whole size is too much for the data."""

from typing import Any

from pipeline.errors import BaseModelError

_COUNTS = ("num_hidden_layers", "n_layers", "n_layer")
_HEADS = ("num_attention_heads", "n_heads", "n_head")
_GROUPS = ("num_key_value_heads",)
_INNER = ("intermediate_size", "hidden_dim", "n_inner", "ffn_dim")
_WIDTHS = ("hidden_size", "dim", "n_embd")


def shrink(config: Any, share: float) -> None:
    """Leave `share` of the layers, attention heads, width and inner width, one head and layer at least.

    A head keeps its width, so that the width is that of the heads left; the vocabulary stays, as the tokenizer does.

    Raises:
        BaseModelError: the configuration states none of these by a name that is known.
    """
    layers, heads, inner, width = (_name(config, names) for names in (_COUNTS, _HEADS, _INNER, _WIDTHS))
    each = getattr(config, width) // getattr(config, heads)
    groups = [name for name in _GROUPS if getattr(config, name, None)]
    per_group = [getattr(config, heads) // getattr(config, name) for name in groups]
    kept = max(1, round(share * getattr(config, heads)))
    if groups:  # heads share keys and values in groups of one size
        kept = max(1, kept // per_group[0]) * per_group[0]
    setattr(config, layers, max(1, round(share * getattr(config, layers))))
    setattr(config, heads, kept)
    setattr(config, width, kept * each)
    setattr(config, inner, max(1, round(share * getattr(config, inner))))
    if getattr(config, "pooler_hidden_size", None):
        config.pooler_hidden_size = kept * each
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[: getattr(config, layers)]
    for name, size in zip(groups, per_group, strict=True):
        setattr(config, name, kept // size)


def _name(config: Any, names: tuple[str, ...]) -> str:
    present = next((name for name in names if isinstance(getattr(config, name, None), int)), None)
    if present is None:
        raise BaseModelError(
            f"arm.shrink knows no {names[0]} in the configuration of {config.model_type}. Leave the arm out."
        )
    return present

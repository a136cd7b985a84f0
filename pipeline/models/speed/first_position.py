"""Leaves out of an encoder's last layer what its head never reads.

Heads that classify by the first position see nothing of the others. All layers but the last need every position, since
attention mixes them; in the last, only the first position asks, of all of them, and what follows is computed for it
alone. What is learned and what comes out are the same but for rounding, for a seventh less of a six-layer encoder.
"""

import sys
from functools import partial
from typing import Any

from pipeline.models.adapters import without_adapters

# transformers' families whose own heads read the first position, and whose layers end attention in `attention.output`.
_FIRST = ("Bert", "Camembert", "DebertaV2", "Electra", "Roberta", "XLMRoberta")
_OWN_HEADS = frozenset(f"{family}ForSequenceClassification" for family in _FIRST)
_BODIES = frozenset(f"{family}Model" for family in _FIRST)


def narrow(model: Any) -> bool:
    """Let the last layer of `model` go on with the first position: its hidden states become [B, 1, H].

    Nothing is changed where the head reads more. Parameters and their names stay.

    Returns:
        whether the last layer also takes packed rows (see padding_free.py).
    """
    plain = without_adapters(model)
    if not _reads_first_alone(plain):
        return False
    attention = getattr(plain, plain.base_model_prefix).encoder.layer[-1].attention
    crossing = _cross_attention(attention.self)
    if crossing is None:
        attention.output.register_forward_pre_hook(_first)
    else:
        attention.forward = partial(_asked_by_the_first, attention, crossing)
    return crossing is not None


def _reads_first_alone(plain: Any) -> bool:
    from pipeline.tasks.heads.pooled import PooledClassifier

    if isinstance(plain, PooledClassifier):
        return plain.pooling == "cls" and type(plain.body).__name__ in _BODIES
    return type(plain).__name__ in _OWN_HEADS


def _first(_: Any, hidden: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(states[:, :1] for states in hidden)


def _cross_attention(attention: Any) -> Any:
    """The library's own class of attention from one sequence to another with the same parameters, or None."""
    names = vars(sys.modules[type(attention).__module__])
    causal = getattr(attention, "is_causal", False)
    return None if causal else names.get(type(attention).__name__.replace("SelfAttention", "CrossAttention"))


def _asked_by_the_first(
    attention: Any, crossing: Any, hidden_states: Any, attention_mask: Any = None, **others: Any
) -> tuple[Any, None]:
    packing = others.get("packing")
    first = hidden_states[:, :1] if packing is None else packing.first(hidden_states)
    row = None if attention_mask is None else attention_mask[..., :1, :]
    given = others | {"encoder_hidden_states": hidden_states, "attention_mask": row}
    mixed, _ = crossing.forward(attention.self, first, **given)
    return attention.output(mixed, first), None

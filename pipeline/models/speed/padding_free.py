"""Spares a network the padding of its batches, on the processor.

Everything but attention looks at one position at a time. So the tokens of a batch are packed, and only attention sees
the rows again. In small training sets, where a batch has short and long texts, padding is almost half of what would be
computed. What is learned and what comes out are the same but for rounding; dropout falls on other elements.
"""

from typing import Any

import torch

from pipeline.models.adapters import without_adapters
from pipeline.models.speed.packing import Packing
from pipeline.tasks.heads.pooled import PooledClassifier

# T is rounded up to this with padding: each new size of a product needs a kernel made for it, so sizes should be few.
MULTIPLE = 16

# transformers' classes whose head is handed all hidden states, encoders and decoders.
_FAMILIES = ("Bert", "Camembert", "Electra", "Roberta", "XLMRoberta")
_PARTS = ("ForMaskedLM", "ForTokenClassification", "Model")
_ENCODERS = frozenset(f"{family}{part}" for family in _FAMILIES for part in _PARTS)
_DECODERS = frozenset({"LlamaForCausalLM", "LlamaForSequenceClassification", "LlamaModel"})


def pack(model: Any, *, narrowed: bool) -> bool:
    """Let `model` compute its batches packed, where it is of a kind that can.

    The model must attend by `attention` of dropout.py, which is told of the packing by the argument `packing`.

    Args:
        narrowed: whether its encoder's last layer goes on with each row's first position (see first_position.py).

    Returns:
        whether it does so now.
    """
    plain = without_adapters(model)
    base: Any = getattr(plain, plain.base_model_prefix, None)
    family = type(base if isinstance(plain, PooledClassifier) else plain).__name__
    if family in _DECODERS:
        base.register_forward_pre_hook(_packed_texts, with_kwargs=True)
        base.register_forward_hook(_restored, with_kwargs=True)
        return True
    if narrowed or family in _ENCODERS:
        base.encoder.register_forward_pre_hook(_packed_states, with_kwargs=True)
        if not narrowed:
            base.encoder.register_forward_hook(_restored, with_kwargs=True)
        return True
    return False


def _packed_states(_: Any, states: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, Any] | None:
    hidden, mask = states[0], given.get("attention_mask")
    if mask is None or mask.dtype != torch.bool:
        return None
    packing = _packing(hidden, mask[:, 0, 0])
    return None if packing is None else ((packing.taken(hidden), *states[1:]), given | {"packing": packing})


def _packed_texts(_: Any, states: tuple[Any, ...], given: dict[str, Any]) -> tuple[Any, Any] | None:
    """Of a decoder, which looks back alone: what is behind a row's tokens concerns none of them."""
    ids, mask = given.get("input_ids"), given.get("attention_mask")
    if ids is None or mask is None or mask.dim() != 2 or given.get("use_cache") is not False:
        return None
    packing = _packing(ids, mask.bool())
    if packing is None:
        return None
    length = ids.shape[1]
    return states, given | {
        "input_ids": packing.taken(ids),
        "position_ids": (packing.tokens % length)[None],
        "attention_mask": torch.ones(length, length, dtype=torch.bool).tril()[None, None],
        "packing": packing,
    }


def _restored(_: Any, __: tuple[Any, ...], given: dict[str, Any], output: Any) -> Any:
    """With rows again, for heads that read more than each row's first position."""
    packing = given.get("packing")
    if packing is not None:
        output.last_hidden_state = packing.restored(output.last_hidden_state)
    return output


def _packing(values: torch.Tensor, present: torch.Tensor) -> Packing | None:
    """Of `values` [B, L, ...], whose tokens are where `present` [B, L] is True; None where nothing is to be spared."""
    if values.device.type != "cpu":
        return None
    kept = _kept(present)
    return None if kept.all() or not kept[:, 0].all() else Packing(kept)


def _kept(present: torch.Tensor) -> torch.Tensor:
    """`present` [B, L] and as much of the padding as fills the last multiple."""
    kept = present.flatten().clone()
    kept[(~kept).nonzero()[: -int(kept.sum()) % MULTIPLE, 0]] = True
    return kept.view(present.shape)

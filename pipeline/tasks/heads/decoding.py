"""The decoder of a language model, asked about some positions alone: over all it would cost more than a small base."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Choose = Callable[["torch.Tensor"], "torch.Tensor"]


def logits_at(model: Any, choose: "Choose", **inputs: Any) -> "torch.Tensor":
    """The logits of what `choose` takes of the decoder's inputs, hidden states [B, L, H]."""

    def chosen(_: Any, given: "tuple[torch.Tensor, ...]") -> "tuple[torch.Tensor, ...]":
        return choose(given[0]), *given[1:]

    hook = model.get_output_embeddings().register_forward_pre_hook(chosen)
    try:
        logits: torch.Tensor = model(**inputs).logits
    finally:
        hook.remove()
    return logits


def nats_of(logits: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
    """Of each of T tokens, float32 [T], by its logits [T, V]."""
    import torch

    return torch.nn.functional.cross_entropy(logits.float(), tokens, reduction="none")


def ahead(logits: "torch.Tensor", tokens: "torch.Tensor") -> "torch.Tensor":
    """How many other tokens are at least as likely as each of `tokens` [...], int64 [...], by logits [..., V].

    0 means that the token is the likeliest; a tie with another is none.
    """
    right = logits.gather(-1, tokens[..., None])
    better: torch.Tensor = (logits >= right).sum(dim=-1) - 1  # less the token itself
    return better


def summed(values: "torch.Tensor", counts: "torch.Tensor") -> "torch.Tensor":
    """Of each text, float32 [B], what the values [T] of its tokens sum up to; `counts` [B] says how many are whose."""
    import torch

    rows = torch.repeat_interleave(counts)
    return torch.zeros(len(counts), device=values.device).index_add(0, rows, values)


def is_encoder(config: Any) -> bool:
    """Whether a Hugging Face configuration is of a network whose positions see those after them."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    return config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False)


def forgetful(config: Any) -> dict[str, bool]:
    """What a decoder is told for it to keep nothing of what it read, of no use where it reads each text once."""
    return {} if is_encoder(config) or not hasattr(config, "use_cache") else {"use_cache": False}

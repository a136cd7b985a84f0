"""A classifier that reads what a pooling makes of all positions: the base's body, the pooling, one linear layer."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from pipeline.tasks.heads.declared_pooling import ReadOff, pooling_of


class PooledClassifier(torch.nn.Module):
    """Logits from one vector a text. The body stands under its own prefix, as in the architecture's own classifiers.

    Args:
        body: the network that `transformers.AutoModel` makes of the configuration.
        pooling: "cls" reads the first position, "last" the last one that is no padding, "mean" the mean of all.
    """

    def __init__(self, body: Any, pooling: ReadOff) -> None:
        super().__init__()
        self.config, self.pooling = body.config, pooling
        self.base_model_prefix = str(body.base_model_prefix)
        self.supports_gradient_checkpointing = bool(body.supports_gradient_checkpointing)
        setattr(self, self.base_model_prefix, body)
        self.dropout = torch.nn.Dropout(_dropout(body.config))
        self.classifier = torch.nn.Linear(body.config.hidden_size, body.config.num_labels)
        self.classifier.weight.data.normal_(0.0, getattr(body.config, "initializer_range", 0.02))
        self.classifier.bias.data.zero_()

    @property
    def body(self) -> Any:
        """The base's part."""
        return getattr(self, self.base_model_prefix)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None, **others: Any) -> "_Output":
        """The logits [B, C] of texts whose tokens are `input_ids` [B, L]."""
        given = {name: value for name, value in others.items() if value is not None and name != "return_dict"}
        states = self.body(input_ids=input_ids, attention_mask=attention_mask, **given)[0]
        return _Output(self.classifier(self.dropout(pooled(states, attention_mask, self.pooling))))

    def get_input_embeddings(self) -> Any:
        """The body's token embedding."""
        return self.body.get_input_embeddings()

    def set_input_embeddings(self, value: Any) -> None:
        """Put another token embedding into the body."""
        self.body.set_input_embeddings(value)

    def set_attn_implementation(self, name: str) -> None:
        """Choose how the body attends."""
        self.body.set_attn_implementation(name)

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Compute the body's layers again in the backward pass."""
        self.body.activation_checkpointing_enable(**settings)


class _Output(dict[str, torch.Tensor]):
    """What transformers' classifiers return, as far as it is read here."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__(logits=logits)
        self.logits = logits


def pooled(states: torch.Tensor, mask: torch.Tensor | None, pooling: ReadOff) -> torch.Tensor:
    """One vector a text.

    Args:
        states: [B, L, H].
        mask: int64 [B, L], 1 where tokens are; None: everywhere.

    Returns:
        [B, H], of the type of `states`; a mean is taken in float32.
    """
    if pooling == "cls":
        return states[:, 0]
    if mask is None:
        return states[:, -1] if pooling == "last" else states.float().mean(dim=1).to(states.dtype)
    if pooling == "last":
        ends = mask.cumsum(dim=1).argmax(dim=1)
        return states[torch.arange(states.shape[0], device=states.device), ends]
    weights = mask.to(torch.float32)[:, :, None]
    return ((states.float() * weights).sum(dim=1) / weights.sum(dim=1)).to(states.dtype)


def build(config: Any) -> Any:
    """A freshly initialised classifier for `config`, whose pooling is set."""
    from transformers import AutoModel

    pooling = pooling_of(config)
    assert pooling is not None
    return _around(AutoModel.from_config(config, trust_remote_code=False, **_without_pooler(config)), pooling)


def load(directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
    """The classifier with a checkpoint's weights in its body, and the loader's account of missing and other keys."""
    from transformers import AutoModel

    from pipeline.tasks.heads import loading

    pooling = pooling_of(config)
    assert pooling is not None
    body, info = loading.load(AutoModel, directory, config, **_without_pooler(config))
    model, of_body = _around(body, pooling), loading.under(str(body.base_model_prefix), info)
    head = {f"classifier.{name}" for name, _ in model.classifier.named_parameters()}
    return model, {**of_body, "missing_keys": of_body["missing_keys"] | head}


def _around(body: Any, pooling: ReadOff) -> PooledClassifier:
    for name in ("pooler", "pooling_layer"):
        part = getattr(body, name, None)
        if isinstance(part, torch.nn.Module):  # an architecture that always has one, which nothing reads here
            part.requires_grad_(False)
    return PooledClassifier(body, pooling)


def _without_pooler(config: Any) -> dict[str, bool]:
    from transformers import MODEL_MAPPING

    known: Any = MODEL_MAPPING[type(config)]
    body = known[0] if isinstance(known, tuple) else known  # of Funnel there are two
    return {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(body).parameters else {}


def _dropout(config: Any) -> float:
    """The probability before the linear layer: the configuration's own for that, or that of its hidden states."""
    asked = (getattr(config, name, None) for name in ("classifier_dropout", "hidden_dropout_prob"))
    return float(next((p for p in asked if isinstance(p, float | int)), 0.0))

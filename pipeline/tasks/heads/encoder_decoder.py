"""Networks of an encoder and a decoder: built, filled from a checkpoint, and batches split between the two."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.tasks.heads import loading
from pipeline.tasks.kind import Batch

if TYPE_CHECKING:
    import torch

ENCODER, DECODER = "encoder", "decoder"  # how transformers' EncoderDecoderModel calls its parts


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A batch of B pairs, of which the encoder reads the first texts and the decoder tells the second ones."""

    source: "torch.Tensor"  # int64 [B, S]
    source_mask: "torch.Tensor | None"  # int64 [B, S]; None without content, where cost is counted
    target: "torch.Tensor"  # int64 [B, D]
    target_mask: "torch.Tensor"  # bool [B, D]

    @property
    def counts(self) -> "torch.Tensor":
        """Tokens of each second text, int64 [B]."""
        return self.target_mask.sum(dim=1)

    def told(self, values: "torch.Tensor") -> "torch.Tensor":
        """Of [B, D, ...] what belongs to a token, [T, ...]."""
        return values.flatten(0, 1) if values.is_meta else values[self.target_mask]

    def given(self, config: Any) -> "torch.Tensor":
        """What the decoder reads: at each place the token before, int64 [B, D]."""
        import torch

        start = getattr(config, "decoder_start_token_id", None)
        first = self.source[:, :1] if start is None else torch.full_like(self.target[:, :1], int(start))
        return torch.cat([first, self.target[:, :-1]], dim=1)


def split(batch: Batch) -> Parts:
    """The two texts of each row; "second" says where the second begins."""
    import torch

    ids, mask = batch["input_ids"], batch["attention_mask"]
    if ids.is_meta:  # without content: half is source
        half = ids.shape[1] // 2
        target = ids[:, half:]
        return Parts(source=ids[:, :half], source_mask=None, target=target, target_mask=target.bool())
    lengths = mask.sum(dim=1)
    begin = torch.minimum(batch["second"], lengths)
    size = int((lengths - begin).max())
    places = begin[:, None] + torch.arange(max(1, size), device=ids.device)
    source = torch.arange(max(1, int(begin.max())), device=ids.device) < begin[:, None]
    return Parts(
        source=ids[:, : source.shape[1]],
        source_mask=source.long(),
        target=ids.gather(1, places.clamp_max(ids.shape[1] - 1)),
        target_mask=places < lengths[:, None],
    )


def start_token(config: Any, source: "torch.Tensor") -> int:
    """What a decoder begins with: its own token for that, or else the one that every source begins with."""
    start = getattr(config, "decoder_start_token_id", None)
    return int(source[0, 0]) if start is None else int(start)


def ready_to_write(model: Any, tokenizer: Any) -> None:
    """Note in the network's settings which tokens it begins, ends and pads with, for whoever has it write elsewhere."""
    end = end_token(tokenizer)
    start = getattr(model.config, "decoder_start_token_id", None)
    tokens = {"decoder_start_token_id": tokenizer.cls_token_id if start is None else start, "eos_token_id": end}
    for settings in (model.config, model.generation_config):
        for name, token in (tokens | {"pad_token_id": tokenizer.pad_token_id}).items():
            setattr(settings, name, token)


def end_token(tokenizer: Any) -> int | None:
    """The token that ends a text."""
    return next((token for token in (tokenizer.eos_token_id, tokenizer.sep_token_id) if token is not None), None)


def build(config: Any) -> Any:
    """See TaskKind."""
    from transformers import AutoModelForSeq2SeqLM

    if config.is_encoder_decoder:
        return _without_idle(loading.build(AutoModelForSeq2SeqLM, config))
    from transformers import AutoModel, AutoModelForCausalLM

    return _joined(loading.build(AutoModel, config), loading.build(AutoModelForCausalLM, _as_decoder(config)))


def load(directory: str, config: Any) -> tuple[Any, Mapping[str, Any]]:
    """See TaskKind. An encoder's weights stand in both parts; what only a decoder has is missing."""
    from transformers import AutoModelForSeq2SeqLM

    if config.is_encoder_decoder:
        model, info = loading.load(AutoModelForSeq2SeqLM, directory, config)
        return _without_idle(model), info
    from transformers import AutoModel, AutoModelForCausalLM

    encoder, of_encoder = loading.load(AutoModel, directory, copy.deepcopy(config))
    decoder, of_decoder = loading.load(AutoModelForCausalLM, directory, _as_decoder(config))
    return _joined(encoder, decoder), _both(of_encoder, of_decoder)


def _both(of_encoder: Mapping[str, Any], of_decoder: Mapping[str, Any]) -> Mapping[str, Any]:
    """The loader's account of two parts that read the same checkpoint: left over is what neither takes."""
    encoder, decoder = loading.under(ENCODER, of_encoder), loading.under(DECODER, of_decoder)
    joined = {name: encoder[name] | decoder[name] for name in ("missing_keys", "mismatched_keys")}
    return joined | {"unexpected_keys": encoder["unexpected_keys"] & decoder["unexpected_keys"]}


def _as_decoder(config: Any) -> Any:
    decoder = copy.deepcopy(config)
    decoder.is_decoder = decoder.add_cross_attention = True
    return decoder


def _joined(encoder: Any, decoder: Any) -> Any:
    from transformers import EncoderDecoderModel

    model = EncoderDecoderModel(encoder=encoder, decoder=decoder)
    model.base_model_prefix = ENCODER  # of which a checkpoint must have everything; a decoder has new parts
    return _without_idle(model)


def _without_idle(model: Any) -> Any:
    """With a pooler that nobody reads kept as it is: processes would wait for its gradient."""
    pooler = getattr(model.get_encoder(), "pooler", None)
    if pooler is not None:
        pooler.requires_grad_(False)
    return model

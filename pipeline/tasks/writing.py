"""Texts written by a network that reads one text and writes another."""

from typing import TYPE_CHECKING, Any

from pipeline.config.schema import Predict
from pipeline.tasks.heads.encoder_decoder import end_token, start_token
from pipeline.tasks.texts.encoding import moved, tokens_and_mask

if TYPE_CHECKING:
    import torch

AT_LEAST, AT_MOST = 10, 2.0  # tokens that a text may have more than so many times its source's
_LIKELIEST = Predict(temperature=0)
_AT_ONCE = 32


def translations(model: Any, tokenizer: Any, texts: list[str], max_length: int, asked: Predict) -> list[str]:
    """What the network writes for each text, in their order, in batches by length.

    Without temperature it is the likeliest token at each place, always the same; with it drawn from `predict.seed`.
    """
    rows = [tokenizer(text, truncation=True, max_length=max_length)["input_ids"] for text in texts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    size = 1 if asked.temperature > 0 else _AT_ONCE  # so that company changes nothing of what is drawn
    by_place: dict[int, str] = {}
    for start in range(0, len(order), size):
        some = order[start : start + size]
        batch = moved(tokens_and_mask([rows[i] for i in some], tokenizer.pad_token_id), model)
        by_place |= zip(
            some, written(model, tokenizer, batch["input_ids"], batch["attention_mask"], asked), strict=True
        )
    return [by_place[i] for i in range(len(texts))]


def written(
    model: Any, tokenizer: Any, source: "torch.Tensor", mask: "torch.Tensor", asked: Predict = _LIKELIEST
) -> list[str]:
    """What the network writes for each row of `source` [B, L], of which `mask` says where it has tokens.

    A text that does not end is cut off at a length that its own source sets.
    """
    import torch

    most = [AT_LEAST + int(AT_MOST * int(length)) for length in mask.sum(dim=1)]
    drawn = {"do_sample": True, "temperature": asked.temperature, "top_p": asked.top_p, "top_k": 0}
    if asked.temperature > 0:
        torch.manual_seed(asked.seed)
    rows = model.generate(
        input_ids=source,
        attention_mask=mask,
        decoder_start_token_id=start_token(model.config, source),
        max_new_tokens=_room(model, max(most) + 1),  # some bases are made to end at the last, which no text's is
        num_beams=1,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=end_token(tokenizer),
        use_cache=True,
        **(drawn if asked.temperature > 0 else {"do_sample": False}),
    )[:, 1:]
    said: list[str] = tokenizer.batch_decode(
        [row[:length] for row, length in zip(rows, most, strict=True)], skip_special_tokens=True
    )
    return [text.strip() for text in said]


def _room(model: Any, tokens: int) -> int:
    """As many tokens, or as many as the decoder has positions for."""
    config = getattr(model.config, "decoder", model.config)
    positions = getattr(config, "max_position_embeddings", None)
    return tokens if positions is None else min(tokens, positions - 1)  # the first is what it begins with

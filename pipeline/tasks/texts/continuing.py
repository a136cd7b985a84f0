"""Texts continued by a causal language model."""

from typing import Any

from pipeline.config.schema import Predict
from pipeline.errors import DataError
from pipeline.tasks.texts.encoding import moved, start_of


def continuations(model: Any, tokenizer: Any, texts: list[str], asked: Predict) -> list[str]:
    """What follows each text, in its order. Without temperature the likeliest token, always the same, in batches by
    length; with it drawn from `predict.seed`, each text by itself, so that company changes nothing.

    Raises:
        DataError: a text leaves no room, in what the network can take, for the tokens asked for.
    """
    prompts = [[start_of(tokenizer), *tokenizer(text, add_special_tokens=False)["input_ids"]] for text in texts]
    _check_room(model, prompts, texts, asked)
    if asked.temperature > 0:
        return [_continued(model, tokenizer, [prompt], asked)[0] for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    by_place = dict(zip(order, _continued(model, tokenizer, [prompts[i] for i in order], asked), strict=True))
    return [by_place[i] for i in range(len(texts))]


def _continued(model: Any, tokenizer: Any, prompts: list[list[int]], asked: Predict) -> list[str]:
    import torch
    from transformers import StoppingCriteriaList

    longest = max(len(prompt) for prompt in prompts)
    padded = [[tokenizer.pad_token_id] * (longest - len(p)) + p for p in prompts]  # what follows is at the end
    mask = [[0] * (longest - len(p)) + [1] * len(p) for p in prompts]
    drawn = {"do_sample": True, "temperature": asked.temperature, "top_p": asked.top_p, "top_k": 0}

    def said(ids: Any) -> list[str]:
        written: list[str] = tokenizer.batch_decode(ids[:, longest:], skip_special_tokens=True)
        return written

    def over(ids: Any, _: Any) -> Any:
        return torch.tensor([str(asked.stop) in text for text in said(ids)], device=ids.device)

    torch.manual_seed(asked.seed)
    generated = model.generate(
        **moved({"input_ids": torch.tensor(padded), "attention_mask": torch.tensor(mask)}, model),
        max_new_tokens=asked.tokens,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        use_cache=True,
        stopping_criteria=StoppingCriteriaList([over] if asked.stop else []),
        **(drawn if asked.temperature > 0 else {"do_sample": False}),
    )
    return [text.partition(asked.stop)[0] if asked.stop else text for text in said(generated)]


def _check_room(model: Any, prompts: list[list[int]], texts: list[str], asked: Predict) -> None:
    most = getattr(model.config, "max_position_embeddings", None)
    for prompt, text in zip(prompts, texts, strict=True):
        if most is not None and len(prompt) + asked.tokens > most:
            raise DataError(
                f"A text and its continuation must fit into {most} tokens, but {text[:60]!r} has {len(prompt)} and "
                f"predict.tokens={asked.tokens}. Shorten the text, or ask for fewer."
            )

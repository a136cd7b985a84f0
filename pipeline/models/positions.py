"""How many tokens a network can read, if it looks its positions up in a table."""

from typing import Any

_TABLES = ("position_embeddings", "position_embedding", "embed_positions", "positions_embed", "wpe")


def longest_text(model: Any) -> int | None:
    """The number of tokens, special ones included; None where positions are not in a table, as rotary ones."""
    import torch

    sizes = [
        module.num_embeddings - _first(module)
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in _TABLES and isinstance(module, torch.nn.Embedding)
    ]
    stated = getattr(model.config, "max_position_embeddings", None)
    return min([*sizes, *([stated] if isinstance(stated, int) else [])]) if sizes else None


def _first(table: Any) -> int:
    """The row of a text's first token: RoBERTa and others count from behind their padding token, BART from two."""
    padding = table.padding_idx
    return int(getattr(table, "offset", 0 if padding is None else padding + 1))

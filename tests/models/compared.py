"""Two ways to compute one network, compared in all that they answer and learn."""

from collections.abc import Callable
from typing import Any

import torch


def assert_same_answers_and_gradients(
    one: Any,
    other: Any,
    batch: Callable[[], dict[str, Any]],
    read: Callable[[torch.Tensor], torch.Tensor] = lambda logits: logits,
) -> None:
    """Equal but for rounding in what is `read`; a parameter without a gradient in one has none in the other."""
    answers = [read(model(**batch()).logits) for model in (one, other)]
    for logits in answers:
        logits.square().sum().backward()
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-4, atol=1e-6)
    for (name, first), second in zip(one.named_parameters(), other.parameters(), strict=True):
        assert (first.grad is None) == (second.grad is None), name
        if first.grad is not None:
            torch.testing.assert_close(second.grad, first.grad, rtol=1e-3, atol=1e-6, msg=name)

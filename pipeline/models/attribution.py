"""Integrated gradients over the embeddings of a network's input (Sundararajan et al. 2017), by captum."""

from collections.abc import Callable

import numpy as np
import torch

STEPS = 16  # of the Gauss-Legendre quadrature
_AT_ONCE = 8  # steps whose activations are kept for their gradients


def integrated_gradients(
    model: torch.nn.Module,
    output: Callable[[torch.Tensor], torch.Tensor],
    ids: torch.Tensor,
    baseline: torch.Tensor,
) -> np.ndarray:
    """What each token adds to an output, in float32 and without dropout. The model's modes are put back then.

    Args:
        model: with `get_input_embeddings`.
        output: token ids int64 [B, L] to float [B], computed by the model.
        ids: the text's, int64 [1, L].
        baseline: ids of the same length that stand for its absence.

    Returns:
        Float64 [L]; the sum is about output(ids) - output(baseline).
    """
    from captum.attr import LayerIntegratedGradients

    device, modes = next(model.parameters()).device, [m.training for m in model.modules()]
    model.eval()
    try:
        method = LayerIntegratedGradients(output, model.get_input_embeddings())  # type: ignore[operator]
        attributed = method.attribute(
            ids.to(device), baseline.to(device), n_steps=STEPS, internal_batch_size=_AT_ONCE, method="gausslegendre"
        )
    finally:
        for module, mode in zip(model.modules(), modes, strict=True):
            module.training = mode
    return np.asarray(attributed.detach().double().sum(dim=-1)[0].cpu().numpy())

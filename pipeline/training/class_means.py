"""A head that starts with the means of its classes, so that a text falls to the class whose mean is nearest at first.

What the base makes of the training texts decides the start: no step of training is needed for it (Snell et al. 2017).
"""

from typing import Any

import numpy as np
import torch

from pipeline.errors import BaseModelError
from pipeline.models.adapters import without_adapters
from pipeline.models.build import Network, base_of
from pipeline.tasks import TaskKind
from pipeline.training.inference import evaluating
from pipeline.training.inputs import Inputs

MARGIN = 2.0  # nats in favour of a class, at its own mean and on average, against another


def start_from_class_means(network: Network, inputs: Inputs, task: TaskKind, *, classes: int, precision: str) -> None:
    """Set the last layer of the head by `inputs`, of which each class has one text at least.

    The logit of a class with mean m is proportional to x·(m - o) - (m - o)·(m + o)/2, whose greatest is that of the
    nearest mean; o, the mean of all classes, keeps numbers small where features have much in common.

    Raises:
        BaseModelError: the head does not end in a linear layer with a bias.
    """
    last = _last_layer(network, classes)
    features = _features(network, last, inputs, task, precision)
    means = np.stack([features[inputs.labels == label].mean(axis=0) for label in range(classes)])
    apart = ((means[:, None] - means[None]) ** 2).sum(axis=2)[np.triu_indices(classes, 1)]
    scale = 2 * MARGIN / float(apart.mean())
    middle = means.mean(axis=0)
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(scale * (means - middle)))
        last.bias.copy_(torch.from_numpy(-scale / 2 * ((means - middle) * (means + middle)).sum(axis=1)))


def _last_layer(network: Network, classes: int) -> Any:
    model = without_adapters(network.model)
    of_base = set(base_of(model, network.base_prefix).modules())
    own = [m for m in model.modules() if m not in of_base and isinstance(m, torch.nn.Linear)]
    if not own or own[-1].out_features != classes or own[-1].bias is None:
        raise BaseModelError(
            f"arm.head=class_means needs a head that ends in a linear layer with a bias, and that of "
            f"{type(model).__name__} does not. Use arm.head=fresh."
        )
    return own[-1]


def _features(network: Network, last: Any, inputs: Inputs, task: TaskKind, precision: str) -> np.ndarray:
    """What `last` is given for each text, float64 [N, H]. The network's mode is put back then."""
    seen: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().float().cpu()))
    model, device = network.model, network.device
    order, size = np.argsort(inputs.lengths, kind="stable"), task.evaluated_at_once
    with evaluating(model, precision):
        for start in range(0, len(order), size):
            batch = inputs.collate(order[start : start + size])
            task.forward(model, {name: values.to(device) for name, values in batch.items()})
    hook.remove()
    found = torch.cat(seen).double().numpy()
    return found[np.argsort(order)]

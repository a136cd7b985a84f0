"""A trained cell's network from its stored weights."""

from pathlib import Path
from typing import Any

from pipeline.config.cell import Cell
from pipeline.errors import StorageError
from pipeline.models.adapters import merged
from pipeline.models.build import Network, build
from pipeline.models.checkpoints.locate import Located


def restore(cell: Cell, located: Located, weights: Path, labels: tuple[str, ...]) -> Any:
    """The plain network (adapters merged in) in evaluation mode, float32, on the processor.

    Args:
        weights: the cell's weights folder; it holds the parameters that do not come from the base.

    Raises:
        StorageError: the stored parameters are not those of this cell's network.
    """
    network = build(cell, located, labels, seed=0)
    load_into(network, weights)
    model = merged(network.model) if cell.method.adapts else network.model
    return model.eval()


def load_into(network: Network, weights: Path) -> None:
    """Give a cell's network, as it was built, the parameters that training left.

    Raises:
        StorageError: they are damaged, or those of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored = load_file(weights / "trained.safetensors")
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"{weights} cannot be read ({error}). Delete the cell's folder to train it again."
        ) from error
    if stored.keys() != network.stored().keys():
        raise StorageError(
            f"{weights} does not hold the parameters of this cell. Delete the cell's folder to train it again."
        )
    network.model.load_state_dict(stored, strict=False)

"""What a network takes from a pretrained checkpoint, tensor by tensor."""

import re
from dataclasses import dataclass

_LAYER = re.compile(r"(.*?\.\d+)\.")


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A tensor whose shape in the checkpoint is not that of the network, which follows from config.json."""

    name: str
    stored: tuple[int, ...]
    expected: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class CheckpointUse:
    """What of a checkpoint a network uses. Names are the network's; what is left over beside its body has the file's.

    The fresh head of a task, such as a classifier, is no part of it: it is the same in every arm.
    """

    body: str  # what the names of the base's own tensors begin with, "bert."; "" where the network has nothing else
    loaded: int  # tensors of the network whose values are the checkpoint's
    loaded_parameters: int  # numbers in them
    absent: tuple[str, ...] = ()  # tensors that the checkpoint lacks; they keep their fresh initialisation
    mismatched: tuple[Mismatch, ...] = ()  # tensors that it has in another shape; likewise
    left_over: tuple[str, ...] = ()  # tensors of the checkpoint that the network does not take

    @property
    def absent_body(self) -> tuple[str, ...]:
        """Absent tensors of the body except a pooler, without which many checkpoints are saved."""
        return tuple(name for name in self.absent if name.startswith(self.body) and not is_pooler(name))

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Parts of the base that config.json does not declare and that were left out: "bert.encoder.layer.6"."""
        mine = [name for name in self.left_over if name.startswith(self.body) and not is_pooler(name)]
        return tuple(dict.fromkeys(_layer(name) or name for name in mine))

    @property
    def other_parts(self) -> tuple[str, ...]:
        """Parts with layers beside the base that were left out: "vision_model". A head has no numbered layers."""
        rest = [name for name in self.left_over if not name.startswith(self.body)]
        return tuple(dict.fromkeys(name.partition(".")[0] for name in rest if _layer(name)))


def is_pooler(name: str) -> bool:
    """Whether a tensor is a pooler's: pretraining often leaves it out, and most heads do not read it."""
    return not {"pooler", "pooling_layer"}.isdisjoint(name.split("."))


def _layer(name: str) -> str | None:
    """The numbered module that a tensor belongs to: "encoder.layer.6"; None for one outside of layers."""
    match = _LAYER.match(name)
    return match[1] if match else None

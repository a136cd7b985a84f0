"""What a way of training is, for everyone who asks: configuration, models, memory, costs, execution and reports."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Reads = Literal["tokens", "features", "words"]
MethodName = Literal["full", "linear_probe", "lora", "bag_of_words"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to train an arm. A new one is a subclass of this, its name in METHODS, and an arm's YAML.

    Attributes:
        reads: what the training sees of a text: its tokens, the features that a fixed base computes once, or its words.
        base_trains: whether the base is in train mode, with dropout, while the arm is trained.
        trains_embeddings: whether the token embedding is trained, so that rows which no text reads can be left out.
        adapts: whether low-rank adapters are put into the base.
        starts: how its arms may start.
        settings: fields of `Arm` that only this method reads.
        version: raised by hand when a change of the code changes the results of this method alone.
        step_cost: time of a training step, as a share of full fine-tuning's.
        heap: bytes that a process on the processor holds for each byte of activations (docs/benchmarks.md).
        shardable: whether its network is worth spreading over several devices.
        lighter: arms that need less memory and can take its place, with their methods.
        trained_part: what is trained, for tables.
        why: of `starts`, in a sentence.
    """

    name: ClassVar[MethodName]
    reads: Reads = "tokens"
    base_trains: bool = True
    trains_embeddings: bool = False
    adapts: bool = False
    starts: tuple[Literal["pretrained", "scratch"], ...] = ("pretrained",)
    settings: frozenset[str] = frozenset()
    version: int = 1
    step_cost: float = 1.0
    heap: float = 1.3
    shardable: bool = True
    lighter: tuple[tuple[str, MethodName], ...] = ()
    trained_part: str = ""
    why: str = "A random network that stays as it is would be no baseline."

    @property
    def solved(self) -> bool:
        """Whether a solver finds the optimum of a convex problem, instead of an optimizer that takes steps."""
        return self.reads != "tokens"

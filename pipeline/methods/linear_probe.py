"""A linear probe: the base stays as it is, and a linear model on its features is solved to its optimum."""

from dataclasses import dataclass
from typing import ClassVar

from pipeline.methods.method import Method, MethodName, Reads


@dataclass(frozen=True, kw_only=True)
class LinearProbe(Method):
    """The last linear layer alone, solved on features that are computed once (Alain and Bengio 2017)."""

    name: ClassVar[MethodName] = "linear_probe"
    reads: Reads = "features"
    base_trains: bool = False
    step_cost: float = 0.0
    heap: float = 0.0
    shardable: bool = False
    trained_part: str = "a linear head"

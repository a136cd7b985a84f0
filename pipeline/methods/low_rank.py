"""Low-rank adapters."""

from dataclasses import dataclass
from typing import ClassVar

from pipeline.methods.method import Method, MethodName


@dataclass(frozen=True, kw_only=True)
class LowRankAdapters(Method):
    """Low-rank adapters in the base, and the new head (Hu et al. 2022)."""

    name: ClassVar[MethodName] = "lora"
    adapts: bool = True
    settings: frozenset[str] = frozenset({"lora"})
    step_cost: float = 0.7
    heap: float = 1.6
    lighter: tuple[tuple[str, MethodName], ...] = (("frozen", "linear_probe"),)
    trained_part: str = "low-rank adapters and the head"

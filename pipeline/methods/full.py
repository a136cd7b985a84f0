"""Full fine-tuning, which is also how a network is trained from scratch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pipeline.methods.method import Method, MethodName


@dataclass(frozen=True, kw_only=True)
class FullFineTuning(Method):
    """Every parameter is trained."""

    name: ClassVar[MethodName] = "full"
    starts: tuple[Literal["pretrained", "scratch"], ...] = ("pretrained", "scratch")
    lighter: tuple[tuple[str, MethodName], ...] = (("lora", "lora"), ("frozen", "linear_probe"))
    trained_part: str = "everything"

    def trains(self, parameter: str, *, in_base: bool) -> bool:
        """Every parameter."""
        return True

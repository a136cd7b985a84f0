"""Full fine-tuning, which is also how a network is trained from scratch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pipeline.methods.method import Method, MethodName


@dataclass(frozen=True, kw_only=True)
class FullFineTuning(Method):
    """Every parameter is trained."""

    name: ClassVar[MethodName] = "full"
    starts: tuple[Literal["pretrained", "scratch"], ...] = ("pretrained", "scratch")
    trains_embeddings: bool = True
    lighter: tuple[tuple[str, MethodName], ...] = (("lora", "lora"), ("frozen", "linear_probe"))
    trained_part: str = "everything"

"""A linear model on counted words, the strongest cheap rival that has seen no text but the task's own."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pipeline.methods.method import Method, MethodName, Reads


@dataclass(frozen=True, kw_only=True)
class BagOfWords(Method):
    """TF-IDF of word and character n-grams, and a linear model that is solved on them. There is no network."""

    name: ClassVar[MethodName] = "bag_of_words"
    reads: Reads = "words"
    base_trains: bool = False
    starts: tuple[Literal["pretrained", "scratch"], ...] = ("scratch",)
    step_cost: float = 0.0
    heap: float = 0.0
    shardable: bool = False
    trained_part: str = "a linear model on words"
    why: str = "It has no network that could have been pretrained."

"""How often the storage audits tell two arms apart whose weights suffer equally from rounding, and unequally."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pipeline.analysis.crossed_interval import item_part, mean_over
from pipeline.audits import AUDITS
from pipeline.data.sets import EncodedSet
from pipeline.models.few_bits import BLOCK, Bits
from pipeline.models.logistic_regression import LinearModel
from pipeline.training.setup.rounded import of_linear
from tests.audits.planted import Planted

TEXTS, SEEDS, SERIES = 300, 5, 40
STORAGE = {8: AUDITS["storage"], 4: AUDITS["storage_4bit"]}
BITS: tuple[Bits, ...] = (8, 4)
# Times the largest of the other weights: what is planted beside them.
STRENGTHS: dict[Bits, tuple[float, float, float]] = {8: (60.0, 150.0, 1000.0), 4: (3.0, 8.0, 50.0)}


@dataclass(frozen=True)
class World:
    """Numbers that stand for the words of texts, of which the first of each block is in none, and their classes."""

    features: np.ndarray
    classes: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, rng: np.random.Generator) -> "World":
        """By a linear rule that some of the classes do not follow."""
        features, weights = rng.normal(size=(TEXTS, 2 * BLOCK)), rng.normal(size=2 * BLOCK)
        features[:, ::BLOCK] = weights[::BLOCK] = 0.0
        return cls(features, (features @ weights + 4 * rng.normal(size=TEXTS) > 0).astype(np.int64), weights)

    def trained(self, rng: np.random.Generator, outlier: float = 0.0) -> LinearModel:
        """A model that has learned the rule as far as its seed lets it."""
        weights = self.weights + 0.3 * rng.normal(size=len(self.weights))
        weights[::BLOCK] = outlier * np.abs(weights).max()
        return LinearModel(weights=np.stack([-weights, weights]), bias=np.zeros(2))


class Linear(Planted):
    """A cell of which a linear model is the whole."""

    def __init__(self, world: World, model: LinearModel) -> None:
        super().__init__(lambda _: 0.5, ["a"] * TEXTS)
        self.world, self.model = world, model
        self.rounded = of_linear(model, lambda small, encoded, some: self.answered(small))
        self.stored_bytes = self.rounded.stored_bytes

    def answered(self, model: LinearModel) -> Any:
        """What a model answers to each text."""
        return self.task.outputs(model.logits(self.world.features).astype(np.float32), self.world.classes)

    def outputs(self, asked: EncodedSet, rows: np.ndarray | None = None) -> Any:
        """Without rounding."""
        return self.answered(self.model)

    def in_bits(self, encoded: EncodedSet, bits: Bits) -> tuple[Any, int]:
        """With rounding."""
        return self.rounded.outputs(encoded, bits)


def told_apart(bits: Bits, outlier: float) -> int:
    """In how many series the arm without an outlier is told apart from one with it, by the interval of a claim."""
    rng, found = np.random.default_rng(bits), 0
    for _ in range(SERIES):
        world = World.of(rng)
        rows = np.array([scores(bits, world, rng, 0.0) - scores(bits, world, rng, outlier) for _ in range(SEEDS)])
        low, high = mean_over(rows.mean(axis=1), [item_part(rows)]).interval(0.95)
        found += int(low > 0 or high < 0)
    return found


def scores(bits: Bits, world: World, rng: np.random.Generator, outlier: float) -> np.ndarray:
    """Of one seed of an arm, for each text, with weights in so many bits."""
    return STORAGE[bits].examine(Linear(world, world.trained(rng, outlier))).items[:, 1].astype(float)


@pytest.mark.parametrize("bits", BITS)
def test_arms_whose_weights_suffer_equally_are_told_apart_no_more_often_than_the_level_says(bits: Bits) -> None:
    assert told_apart(bits, 0.0) <= 6  # of 40 at 5%: more in 1 of 300 series


@pytest.mark.parametrize("bits", BITS)
def test_an_arm_that_suffers_more_is_found_the_more_often_the_more_it_suffers(bits: Bits) -> None:
    found = [told_apart(bits, strength) for strength in STRENGTHS[bits]]
    assert found == sorted(found)
    assert found[-1] == SERIES

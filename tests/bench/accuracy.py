"""Whether what was faster is also as accurate: differences in held-out accuracy over seeds and items."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipeline.analysis.crossed import crossed_mean, crossed_unpaired
from tests.bench.rows import Bench, Row

BAR = 1.5  # points
_NAMES = {"default": "trainer default", "best": "trainer best", "cell": "the cell", "study": "the study"}
_COMPARED = (("cell", "best"), ("study", "best"), ("cell", "default"))


def rows(bench: Bench, correct: Mapping[str, npt.NDArray[np.bool_]]) -> list[Row]:
    """Each variant's accuracy, and for each comparison its difference in points.

    Args:
        correct: for each variant, whether each test item was right under each seed, bool [seeds, N]. Rows are seeds
            from 0 on; variants with as many of them are paired by seed.
    """
    scores = {name: values.astype(float) for name, values in correct.items()}
    means = [
        bench.told(f"accuracy of {_NAMES[name]}", [float(100 * v) for v in values.mean(axis=1)], "%")
        for name, values in scores.items()
    ]
    return means + [_difference(bench, ours, peer, scores[ours], scores[peer]) for ours, peer in _COMPARED]


def _difference(
    bench: Bench, ours: str, peer: str, first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> Row:
    paired = len(first) == len(second)
    mean = crossed_mean(first - second) if paired else crossed_unpaired(first, second)
    low, high = mean.interval(0.95)
    return bench.within(
        f"accuracy, {ours} - {_NAMES[peer]}",
        100 * mean.value,
        (100 * low, 100 * high),
        "points",
        BAR,
        min(len(first), len(second)),
    )

"""Splitting rows by their time: what is tested on was written after all that is trained on."""

from collections.abc import Mapping

import numpy as np

from pipeline.config.schema import Task
from pipeline.data.sets import LabelledSet
from pipeline.data.splits import stratified_sample
from pipeline.errors import DataError
from pipeline.language import Sentence, said, set_name

EARLIER = 0.75  # of the rows, to train and validate on
TESTED = 2  # different times at least


def later_tested(given: dict[str, LabelledSet], task: Task) -> tuple[dict[str, LabelledSet], Sentence]:
    """The sets with a test set drawn from the latest quarter of the training rows, which are all left out of these.

    Rows of one time are never divided.

    Returns:
        The sets, and a sentence about the test set.

    Raises:
        DataError: there are fewer than three different times.
    """
    rows = given["train"]
    assert rows.years is not None
    after = rows.years > _last_trained(rows.years, task)
    later = rows.take(after)
    tested = later.take(stratified_sample(later.labels, task.data.test_size, task.split_seed))
    drawn = said(", drawn at random (seed {seed})", seed=task.split_seed) if len(tested) < len(later) else ""
    sentence = said(
        "test: {tested:,} of the {later:,} latest rows, which are no part of train or validation{drawn}.",
        tested=len(tested),
        later=len(later),
        drawn=drawn,
    )
    return given | {"train": rows.take(~after), "test": tested}, sentence


def spans(sets: Mapping[str, LabelledSet]) -> list[Sentence]:
    """A sentence about the first and the last day of each set; none where rows have no time."""
    timed = {name: rows.years for name, rows in sets.items() if rows.years is not None}
    return [
        said("{set}: texts from {first} to {last}.", set=set_name(n), first=_day(years.min()), last=_day(years.max()))
        for n, years in timed.items()
    ]


def _last_trained(years: np.ndarray, task: Task) -> float:
    """The time nearest to three quarters of the rows, with at least two later ones."""
    times, counts = np.unique(years, return_counts=True)
    if len(times) <= TESTED:
        raise DataError(
            f"task.data.time must have {TESTED + 1} different times at least, one to train on and {TESTED} later ones "
            f"to test on, but column {task.data.time!r} has {len(times)}: {', '.join(map(_day, times))}. Name a test "
            "set (task.data.test), or leave task.data.time out."
        )
    share = np.cumsum(counts)[:-TESTED] / len(years)
    return float(times[np.abs(share - EARLIER).argmin()])


def _day(years: float) -> str:
    """The day that is so many years after the beginning of 1970."""
    return str(np.datetime64(0, "s") + np.timedelta64(round(float(years) * 365.2425 * 86_400), "s"))[:10]

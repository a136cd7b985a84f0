"""Texts with any number of labels, which stand after each of them."""

from collections.abc import Sequence

import numpy as np

from pipeline.data.sets import LabelledSet
from pipeline.errors import DataError, nearest
from pipeline.tasks import PAIR, SEVERAL


def numbers(rows: LabelledSet, classes: Sequence[str], *, place: str) -> np.ndarray:
    """The numbers of all labels of all texts in one array, int64 [labels].

    Raises:
        DataError: a label is not among `classes`.
    """
    number = {name: i for i, name in enumerate(classes)}
    labels = [name for text in rows.texts for name in text.partition(PAIR)[2].split(SEVERAL) if name]
    unknown = next((name for name in labels if name not in number), None)
    if unknown is not None:
        raise DataError(
            f"Every label of {place} must be a class of the training data, but {unknown!r} is not. "
            f"{nearest(unknown, classes)} Rename it with label_names, or keep other rows with where."
        )
    return np.array([number[name] for name in labels], dtype=np.int64)

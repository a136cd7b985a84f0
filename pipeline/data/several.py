"""Examples with any number of labels (multi-label)."""

from collections.abc import Sequence

import numpy as np

from pipeline.data.cleaning import check_known
from pipeline.data.sets import LabelledSet


def numbers(rows: LabelledSet, classes: Sequence[str], *, place: str) -> np.ndarray:
    """The numbers of all labels of all examples in one array, int64 [labels].

    Raises:
        DataError: a label is not among `classes`.
    """
    number = {name: i for i, name in enumerate(classes)}
    labels = [name for example in rows.examples for name in example.labels]
    check_known(labels, classes, place=place)
    return np.array([number[name] for name in labels], dtype=np.int64)

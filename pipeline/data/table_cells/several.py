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
    import pyarrow as pa
    import pyarrow.compute as pc

    names, batches = pa.array(classes, pa.string()), [np.zeros(0, dtype=np.int64)]
    for table in rows.examples.tables():
        labels = pc.list_flatten(table.column("labels"))
        check_known(labels.unique().to_pylist(), classes, place=place)
        batches.append(pc.index_in(labels, value_set=names).to_numpy().astype(np.int64))
    return np.concatenate(batches)

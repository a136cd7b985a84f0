"""A cell that is trained, saved and brought back from its weights, all in this process."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.storage.results import ResultStore
from pipeline.training.loop.evaluate import Measurement, measured_beside
from pipeline.training.loop.finish import finish, save
from pipeline.training.loop.fitted import Fitted
from pipeline.training.setup.restored import evaluate_stored
from tests.training.cell_kit import trained


@dataclass(frozen=True)
class Twice:
    """What was measured of one cell beside its training: while its network was there, and from its weights."""

    fitted: Fitted
    in_worker: dict[str, Measurement]
    stored: dict[str, Measurement]


def twice(overrides: Sequence[str]) -> Twice:
    """Train, save, forget what was measured, and measure it again."""
    fitted = trained([*overrides, "train.keep=all"])
    result, scores = finish(fitted)
    beside = list(measured_beside(fitted))
    store = ResultStore(Path(fitted.job.root))
    save(store, fitted, result, scores, beside)
    there = store.evaluations(fitted.job.cell_id)
    shutil.rmtree(there.root)
    evaluate_stored(fitted.job)
    found = {
        record.evaluation_id: (there.record(type(record), record.evaluation_id), items) for record, items in beside
    }
    again = {number: (record, there.items(number)) for number, (record, _) in found.items()}
    return Twice(fitted=fitted, in_worker={r.evaluation_id: (r, items) for r, items in beside}, stored=again)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference between the numbers of two arrays of items."""
    names = one.dtype.names
    if names is None:
        return float(np.abs(one.astype(np.float64) - other).max())
    return max(float(np.abs(one[name].astype(np.float64) - other[name]).max()) for name in names)

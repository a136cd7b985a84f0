"""A finished cell brought back from its stored weights, to be evaluated as it was in the worker that trained it."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.subsets import nested_subset
from pipeline.errors import StorageError
from pipeline.files import lock
from pipeline.models.build import Network, build, last_linear
from pipeline.models.checkpoints.locate import require_unchanged
from pipeline.models.checkpoints.restore import load_into
from pipeline.models.logistic_regression import LinearModel
from pipeline.storage.results import ResultStore
from pipeline.tasks import LinearKind, kind, linear_kind
from pipeline.training.distributed.device import device_of
from pipeline.training.job import Job
from pipeline.training.loop.evaluate import Evaluable, Outputs, measured_beside
from pipeline.training.loop.fit import outputs
from pipeline.training.setup import attribution, predictor, rounded
from pipeline.training.setup.assembly import CellInputs
from pipeline.training.setup.features import reader_of
from pipeline.training.setup.heads import Read, read_out
from pipeline.training.setup.inputs import TokenInputs
from pipeline.training.setup.rounded import Rounded
from pipeline.training.setup.word_model import WordFeatures, WordModel


def restored(job: Job) -> Evaluable:
    """The cell of `job` with its network, without training.

    Raises:
        StorageError: its weights are gone, damaged or of another network.
        BaseModelError, DataError: base or data are gone or have changed.
    """
    weights = ResultStore(Path(job.root)).intact_weights(job.cell_id)
    if weights is None:
        raise StorageError(f"The weights of cell {job.cell_id} are gone.")
    cell, task, prepared = job.cell, kind(job.cell.task.kind), job.data()
    rows = nested_subset(np.asarray(prepared.train.labels), cell.train.size, cell.train.seed)
    network = None if cell.method.reads == "words" else _network(job, prepared, weights)
    if network is None:
        words = WordModel.load(weights, task)
        measure, small = _of_words(job, words)
        attribute = attribution.of_words(words)
        answering = predictor.of_words(job, words, prepared.labels)
    else:
        measure, small = (_of_probe if cell.method.solved else _of_network)(job, network, prepared)
        attribute = attribution.of_network(job, network, task)
        answering = predictor.of_network(job, network, prepared.labels)
    return Evaluable(
        job=job,
        task=task,
        prepared=prepared,
        rows=rows,
        measure=measure,
        attribute=attribute,
        rounded=small,
        predictor=answering,
    )


def _network(job: Job, prepared: Prepared, weights: Path) -> Network:
    located = job.located()
    require_unchanged(located, job.cell.base)
    network = build(job.cell, located, prepared.labels, seed=0)
    load_into(network, weights)
    network.model.to(device_of(job.hardware))
    network.model.config.pad_token_id = job.vocabulary.pad
    return network


def _of_network(job: Job, network: Network, prepared: Prepared) -> tuple[Outputs, Rounded]:
    task, base = kind(job.cell.task.kind), Path(job.base_directory)
    inputs = CellInputs(task=task, vocabulary=job.vocabulary, prepared=prepared, base=base)

    def measure(encoded: EncodedSet, some: np.ndarray | None) -> Any:
        return outputs(job, network.model, inputs.of(encoded, some), len(prepared.labels))

    return measure, rounded.of_network(network, measure)


def _of_probe(job: Job, network: Network, prepared: Prepared) -> tuple[Outputs, Rounded]:
    """Of a head that was solved: read off features, which are shared with other cells on the base."""
    model = LinearModel.of_layer(last_linear(network.model, network.base_prefix))
    return _read_off(job, reader_of(job, network, prepared).of, model)


def _of_words(job: Job, words: WordModel) -> tuple[Outputs, Rounded]:
    features = WordFeatures(task=words.task, counter=words.counter, width=words.model.weights.shape[1])
    return _read_off(job, features.of, words.model)


def _read_off(job: Job, read: Read, model: LinearModel) -> tuple[Outputs, Rounded]:
    task = linear_kind(job.cell.task.kind)
    assert task is not None
    solved: LinearKind = task

    def answered(by: LinearModel, encoded: EncodedSet, some: np.ndarray | None) -> Any:
        return read_out(solved, TokenInputs(encoded, solved, job.vocabulary, some), by.logits(read(encoded, some)))

    return lambda encoded, some: answered(model, encoded, some), rounded.of_linear(model, answered)


def evaluate_stored(job: Job) -> None:
    """Measure of a finished cell what a job asks for beside its training, as far as it was not measured before.

    Raises:
        StorageError, BaseModelError, DataError: as `restored`.
    """
    store = ResultStore(Path(job.root))
    with lock(store.lock_file(job.cell_id)):
        there = store.evaluations(job.cell_id)
        if any(not there.has(number) for number in job.beside):
            for record, items in measured_beside(restored(job), there.has):
                there.write(record, items)

"""A finished cell brought back to life, for `predict` and `export`."""

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.cell import Cell
from pipeline.config.redaction import public
from pipeline.config.schema import Config, Task
from pipeline.config.search_path import program
from pipeline.errors import StorageError, UserError
from pipeline.models.checkpoints.locate import Located, locate
from pipeline.records import CellResult
from pipeline.storage.results import ResultStore
from pipeline.tasks import kind


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished cell with its weights."""

    cell: Cell
    result: CellResult
    located: Located
    weights: Path

    def network(self) -> Any:
        """The plain network, in evaluation mode, padded with what its tokenizer pads with, as it was in training.

        For an arm without a network, its model on words.
        """
        import transformers

        from pipeline.models.checkpoints.restore import restore

        if self.cell.method.reads == "words":
            from pipeline.training.setup.word_model import WordModel

            return WordModel.load(self.weights, kind(self.cell.task.kind))
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        model = restore(self.cell, self.located, self.weights, self.result.labels)
        model.config.pad_token_id = self.tokenizer().pad_token_id
        return model

    def tokenizer(self) -> Any:
        """The base's tokenizer."""
        from pipeline.models.tokenizer import load_tokenizer

        return load_tokenizer(self.located.directory)


def trained_cell(config: Config) -> Trained:
    """The cell that `config.cell` names, or the best one on validation of the configured task.

    Raises:
        UserError: there is none, or its weights were not kept.
    """
    store = ResultStore(Path(config.paths.root))
    return restored_cell(store, store.find(config.cell) if config.cell else _best(store, config))


def restored_cell(store: ResultStore, cell_id: str) -> Trained:
    """A finished cell with its weights.

    Raises:
        UserError: its weights were not kept.
        StorageError: they are damaged.
    """
    weights = store.intact_weights(cell_id)
    if weights is None:
        raise UserError(
            f"The weights of cell {cell_id} were not kept (train.keep, study.disk). With "
            f"weights: {', '.join(_with_weights(store)) or 'none'}. Or delete the cell's folder, "
            f"{store.folder(cell_id)}, and train it again with train.keep=all."
        )
    cell = store.cell(cell_id)
    return Trained(cell=cell, result=store.result(cell_id), located=locate(cell.base, store.root), weights=weights)


def _with_weights(store: ResultStore) -> list[str]:
    return [name for name in store.ids() if store.weights(name)]


def _best(store: ResultStore, config: Config) -> str:
    fitting = [result for cell, result in _readable(store) if _is_of(config.task, cell.task) and cell.tested]
    if not fitting:
        raise UserError(
            f"No finished and tested cell of task {config.task.name!r} has weights under {store.cells}. "
            f"Run its study first, or name its task: task.name=NAME. The command: {program()} predict task.name=NAME"
        )
    return max(fitting, key=validation_score).cell_id


def _readable(store: ResultStore) -> Iterator[tuple[Cell, CellResult]]:
    for name in _with_weights(store):
        with contextlib.suppress(StorageError):  # written by another version, which cannot be asked here
            yield store.cell(name), store.result(name)


def _is_of(asked: Task, trained_on: Task) -> bool:
    """Whether it is the same task: of this name, or the same in all but its name."""
    return asked.name == trained_on.name or dataclasses.replace(public(asked), name=trained_on.name) == trained_on


def validation_score(result: CellResult) -> float:
    """Its score on the validation set, the higher the better."""
    score = next(e.metrics[result.metric] for e in result.evaluations if e.role == "validation")
    return score if result.higher_is_better else -score

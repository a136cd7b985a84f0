"""A finished cell that answers raw texts, as `predict` has it answer them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from pipeline.audits import Predictor
from pipeline.config.schema import Predict
from pipeline.models.build import Network
from pipeline.models.tokenizer import load_tokenizer
from pipeline.tasks import EncodeSettings, Example, TextModel, kind, prefixed
from pipeline.training.job import Job
from pipeline.training.loop.inference import evaluating
from pipeline.training.setup.word_model import WordModel

Answer = Callable[[Sequence[Example]], object]


def of_network(job: Job, network: Network, labels: tuple[str, ...]) -> Predictor:
    """Tokens, a forward pass and the classes' names; `labels` are the classes in the order of the outputs."""
    weights = sum(p.numel() * p.element_size() for p in network.model.parameters())
    return Predictor(
        weight_bytes=weights,
        on_gpu=network.device.type != "cpu",
        ready=lambda: _ready(job, network.model, labels),
    )


def of_words(job: Job, words: WordModel, labels: tuple[str, ...]) -> Predictor:
    """The same of a linear model on words, whose vocabulary is not counted among the weights."""
    return Predictor(weight_bytes=words.stored_bytes, on_gpu=False, ready=lambda: _ready(job, words, labels))


@contextmanager
def _ready(job: Job, model: Any, labels: tuple[str, ...]) -> Iterator[Answer]:
    cell, tokenizer = job.cell, load_tokenizer(Path(job.base_directory))
    task, settings, asked = kind(cell.task.kind), EncodeSettings.of(cell.task, labels), Predict()

    def answer(examples: Sequence[Example]) -> object:
        return list(task.predict(model, tokenizer, prefixed(task, examples, cell.prefix), settings, asked))

    with nullcontext() if isinstance(model, TextModel) else evaluating(model, cell.train.precision):
        yield answer

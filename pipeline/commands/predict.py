"""`predict`: what a trained cell says of one text, a CSV, a text file or standard input."""

import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext

import numpy as np

from pipeline.commands.steps.predict_io import given_examples, write_answers
from pipeline.commands.steps.trained import Trained, trained_cell
from pipeline.config.compose import compose
from pipeline.config.schema import Predict
from pipeline.records import CellResult
from pipeline.tasks import EncodeSettings, Example, KnowingKind, TaskKind, TextModel, inputs, kind, prefixed

BATCH = 64


def run(overrides: Sequence[str]) -> int:
    """Write a CSV (each text, and what its task's kind says of it) to standard output, or to predict.output."""
    config = compose(overrides, trained=True)
    trained = trained_cell(config)
    print(f"cell {trained.result.cell_id}: {trained.result.key.label}", file=sys.stderr)
    asked = kind(trained.cell.task.kind)
    examples = given_examples(config.predict, inputs(asked))
    write_answers(asked.predicted, predictions(trained, examples, config.predict), config.predict.output)
    return 0


def predictions(trained: Trained, examples: Iterable[Example], asked: Predict) -> Iterator[tuple[str, ...]]:
    """Each example's text with what the task's kind says of it, in order, as they come, in the precision of the cell.

    A text without a word has no answer: its row is empty but for the text. Standard error is told afterwards how many
    those are, how many texts were too long to be read to their ends, and how well the network knows the first of them
    where the kind can say so.
    """
    from pipeline.training.loop.inference import evaluating

    model, tokenizer, cell = trained.network(), trained.tokenizer(), trained.cell
    task, settings = kind(cell.task.kind), EncodeSettings.of(cell.task, trained.result.labels)
    nats, read, cut, empty = None, 0, 0, 0
    for batch in _batched(examples):
        if not _has_words(batch[0]):
            empty += len(batch)
            yield from (_unanswered(example, task) for example in batch)
            continue
        with nullcontext() if isinstance(model, TextModel) else evaluating(model, cell.train.precision):
            given = prefixed(task, batch, cell.prefix)
            rows = list(task.predict(model, tokenizer, given, settings, asked))
            if nats is None and isinstance(task, KnowingKind):  # of some texts, which it reads once for each token
                nats = task.surprise(model, tokenizer, given, settings)
        read += len(batch)
        if not (task.reads_whole or isinstance(model, TextModel)):
            cut += task.encode(given, tokenizer, settings).truncated
        yield from rows
    if empty:
        print(f"{empty:,} of {read + empty:,} texts are empty and have no answer.", file=sys.stderr)
    if cut:
        print(
            f"{cut:,} of {read:,} texts are longer than {settings.max_length} tokens and were truncated.",
            file=sys.stderr,
        )
    if nats is not None and len(nats):
        _tell_perplexity(nats, trained.result)


def _unanswered(example: Example, task: TaskKind) -> tuple[str, ...]:
    """The row of an empty text; of several, all stand in it."""
    return (*example.texts, *[""] * (1 + len(task.predicted) - len(example.texts)))


def _tell_perplexity(nats: np.ndarray, result: CellResult) -> None:
    usual = next(e.metrics["perplexity"] for e in result.evaluations if e.role == "validation")
    perplexity = np.exp(nats.mean(dtype=np.float64))
    print(
        f"perplexity {perplexity:,.0f} where each token around the gaps ({len(nats)} in the first {BATCH} texts at "
        f"most) is left out in turn, with the rest of its word; {usual:,.0f} at the gaps of the task's validation "
        "texts. The higher, the less this network knows such text.",
        file=sys.stderr,
    )


def _batched(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Single texts first, so that an interactive reader is answered at once, then batches; empty texts apart."""
    rest = iter(examples)
    sizes = itertools.chain([1], itertools.repeat(BATCH if not sys.stdin.isatty() else 1))
    for size in sizes:
        batch = list(itertools.islice(rest, size))
        if not batch:
            return
        for _, alike in itertools.groupby(batch, key=_has_words):
            yield list(alike)


def _has_words(example: Example) -> bool:
    """Whether there is something to read in each of its texts."""
    return all(text.strip() for text in example.texts)

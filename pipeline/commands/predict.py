"""`predict`: what a trained cell says of one text, a CSV, a text file or standard input."""

import csv
import io
import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

import numpy as np

from pipeline.commands.trained import Trained, trained_cell
from pipeline.config.compose import compose
from pipeline.config.schema import Predict
from pipeline.data.example_table import ExampleTable
from pipeline.data.locate import TABLES
from pipeline.data.rows import Wanted
from pipeline.data.sources import read_table
from pipeline.data.text_tables import read_utf8
from pipeline.errors import DataError
from pipeline.files import write_text
from pipeline.records import CellResult
from pipeline.tasks import EncodeSettings, Example, Field, KnowingKind, TextModel, inputs, kind, prefixed

BATCH = 64


def run(overrides: Sequence[str]) -> int:
    """Write a CSV (each text, and what its task's kind says of it) to standard output, or to predict.output."""
    config = compose(overrides, trained=True)
    trained = trained_cell(config)
    print(f"cell {trained.result.cell_id}: {trained.result.key.label}", file=sys.stderr)
    asked = kind(trained.cell.task.kind)
    examples, columns = _examples(config.predict, paired="second" in inputs(asked)), asked.predicted
    if config.predict.output:
        buffer = io.StringIO()
        _write(columns, predictions(trained, examples, config.predict), buffer)
        write_text(Path(config.predict.output), buffer.getvalue())
    else:
        _write(columns, predictions(trained, examples, config.predict), sys.stdout)
    return 0


def predictions(trained: Trained, examples: Iterable[Example], asked: Predict) -> Iterator[tuple[str, ...]]:
    """Each example's text with what the task's kind says of it, in order, as they come, in the precision of the cell.

    Standard error is told afterwards how many were too long to be read to their ends, and how well the network knows
    the first of them where the kind can say so.
    """
    from pipeline.training.inference import evaluating

    model, tokenizer, cell = trained.network(), trained.tokenizer(), trained.cell
    task, settings = kind(cell.task.kind), EncodeSettings.of(cell.task, trained.result.labels)
    nats, read, cut = None, 0, 0
    for batch in _batched(examples):
        with nullcontext() if isinstance(model, TextModel) else evaluating(model, cell.train.precision):
            given = prefixed(batch, cell.prefix)
            rows = list(task.predict(model, tokenizer, given, settings, asked))
            if nats is None and isinstance(task, KnowingKind):  # of some texts, which it reads once for each token
                nats = task.surprise(model, tokenizer, given, settings)
        read += len(batch)
        if not (task.reads_whole or isinstance(model, TextModel)):
            cut += task.encode(given, tokenizer, settings).truncated
        yield from rows
    if cut:
        print(
            f"{cut:,} of {read:,} texts are longer than {settings.max_length} tokens and were truncated.",
            file=sys.stderr,
        )
    if nats is not None and len(nats):
        _tell_perplexity(nats, trained.result)


def _tell_perplexity(nats: np.ndarray, result: CellResult) -> None:
    usual = next(e.metrics["perplexity"] for e in result.evaluations if e.role == "validation")
    found = np.exp(nats.mean(dtype=np.float64))
    print(
        f"perplexity {found:,.0f} where each token around the gaps ({len(nats)} in the first {BATCH} texts at most) is "
        f"left out in turn, with the rest of its word; {usual:,.0f} at the gaps of the task's validation texts. The "
        "higher, the less this network knows such text.",
        file=sys.stderr,
    )


def _examples(given: Predict, *, paired: bool) -> Iterator[Example]:
    if given.text is not None:
        return iter([_both(given.text, given.second, paired)])
    if given.path is None:
        return (_of_line(line.rstrip("\n"), paired) for line in sys.stdin if line.strip())
    path = Path(given.path)
    if not path.is_file():
        raise DataError(f"predict.path={given.path}: there is no such file.")
    if path.suffix.lower() in TABLES:
        return _of_table(path, given, paired)
    lines = read_utf8(path, "predict.path").replace("\r\n", "\n").split("\n")
    return (_of_line(line, paired) for line in lines if line.strip())


def _of_table(path: Path, given: Predict, paired: bool) -> Iterator[Example]:
    import pyarrow as pa

    second = given.second_column if paired else None
    fields: dict[Field, str] = {"text": given.column}
    if second:
        fields["second"] = second
    settings: dict[Field, str] = {"text": "predict.column", "second": "predict.second_column"}
    rows = read_table(path, Wanted(fields=fields, field="predict", settings=settings), "predict.path")
    read = {name: rows.column(column).fill_null("") for name, column in fields.items()}
    return iter(ExampleTable(pa.table(read)))


def _of_line(line: str, paired: bool) -> Example:
    """A line is a text, or two with a tab between them."""
    first, tab, second = line.partition("\t")
    return _both(first, second if tab else None, paired) if paired else Example(text=line)


def _both(first: str, second: str | None, paired: bool) -> Example:
    if paired and second is None:
        raise DataError(
            f"This cell reads pairs, but {first[:60]!r} has no second text. Give it: predict.second=TEXT, a column of "
            "a table (predict.second_column), or after a tab in a line."
        )
    if not paired and second is not None:
        raise DataError("This cell reads single texts: leave out predict.second.")
    return Example(text=first, second=second)


def _batched(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """Single texts first, so that an interactive reader is answered at once, then batches."""
    rest = iter(examples)
    sizes = itertools.chain([1], itertools.repeat(BATCH if not sys.stdin.isatty() else 1))
    for size in sizes:
        batch = list(itertools.islice(rest, size))
        if not batch:
            return
        yield batch


def _write(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], stream: TextIO) -> None:
    writer = csv.writer(stream)
    writer.writerow(["text", *columns])
    for row in rows:
        writer.writerow(row)
        stream.flush()

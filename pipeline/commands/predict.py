"""`predict`: classify one text, a CSV, a text file or standard input with a trained cell."""

import csv
import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from pipeline.commands.trained import Trained, trained_cell
from pipeline.config.compose import compose
from pipeline.config.schema import Predict
from pipeline.errors import DataError, nearest
from pipeline.files import write_text
from pipeline.tasks import kind

BATCH = 64


def run(overrides: Sequence[str]) -> int:
    """Write a CSV (text, label, probability) to standard output, or to predict.output."""
    config = compose(overrides, trained=True)
    trained = trained_cell(config)
    print(f"cell {trained.result.cell_id}: {trained.result.key.label}", file=sys.stderr)
    texts = _texts(config.predict)
    if config.predict.output:
        import io

        buffer = io.StringIO()
        _write(predictions(trained, texts), buffer)
        write_text(Path(config.predict.output), buffer.getvalue())
    else:
        _write(predictions(trained, texts), sys.stdout)
    return 0


def predictions(trained: Trained, texts: Iterable[str]) -> Iterator[tuple[str, str, float]]:
    """(text, label, probability) of each text, in order, as they come."""
    model, tokenizer = trained.network(), trained.tokenizer()
    for batch in _batched(texts):
        probabilities = probabilities_of(trained, model, tokenizer, batch)
        for text, row in zip(batch, probabilities, strict=True):
            yield text, trained.result.labels[int(row.argmax())], float(row.max())


def probabilities_of(trained: Trained, model: Any, tokenizer: Any, texts: list[str]) -> np.ndarray:
    """float32 [N, C]: the probabilities of each class, computed in the precision the cell was trained in."""
    import torch

    task = kind(trained.cell.task.kind)
    ids, _ = task.encode(texts, tokenizer, trained.cell.task.max_length)
    dummy = np.zeros(len(texts), dtype=np.int64)
    batch = task.collate(ids, dummy, pad_id=tokenizer.pad_token_id)
    enabled = trained.cell.train.precision == "bf16"
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return task.outputs(logits.float().numpy(), dummy).probabilities


def _texts(given: Predict) -> Iterator[str]:
    if given.text is not None:
        return iter([given.text])
    if given.path is None:
        return (line.rstrip("\n") for line in sys.stdin if line.strip())
    path = Path(given.path)
    if not path.is_file():
        raise DataError(f"predict.path={given.path}: there is no such file.")
    if path.suffix.lower() not in (".csv", ".tsv"):
        return iter([line for line in _decoded(path).splitlines() if line.strip()])
    return iter(_column(path, given.column))


def _column(path: Path, column: str) -> list[str]:
    rows = csv.DictReader(_decoded(path).splitlines(keepends=True), delimiter="\t" if path.suffix == ".tsv" else ",")
    names = list(rows.fieldnames or ())
    if column not in names:
        raise DataError(f"predict.column={column}: {path} has no such column. {nearest(column, names)}")
    return [row[column] or "" for row in rows]


def _decoded(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 at byte {error.start}. Convert it: iconv -f latin1 -t utf-8.") from error


def _batched(texts: Iterable[str]) -> Iterator[list[str]]:
    """Single texts first, so that an interactive reader is answered at once, then batches."""
    rest = iter(texts)
    sizes = itertools.chain([1], itertools.repeat(BATCH if not sys.stdin.isatty() else 1))
    for size in sizes:
        batch = list(itertools.islice(rest, size))
        if not batch:
            return
        yield batch


def _write(rows: Iterable[tuple[str, str, float]], stream: TextIO) -> None:
    writer = csv.writer(stream)
    writer.writerow(["text", "label", "probability"])
    for text, label, probability in rows:
        writer.writerow([text, label, f"{probability:.4f}"])
        stream.flush()

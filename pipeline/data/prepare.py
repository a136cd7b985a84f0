"""A task's data made ready once: read, cleaned, split, freed of duplicates, encoded, stored for every cell to map."""

import contextlib
import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline import tasks
from pipeline.config.schema import Task
from pipeline.data import store
from pipeline.data.example_table import ExampleTable
from pipeline.data.examples import Examples, check_set_name, evaluated_examples, examples
from pipeline.data.fingerprint import data_fingerprint as content_now
from pipeline.data.fingerprint import set_fingerprints
from pipeline.data.report import data_report
from pipeline.data.set_writer import SetWriter
from pipeline.data.sets import LabelledSet, Prepared
from pipeline.data.store import load
from pipeline.errors import DataError
from pipeline.files import digest, lock, require_intact, seal, staged_directory
from pipeline.language import Sentence, said, set_name

_VERSION = "7"  # raised by hand when what is stored changes
_PARALLEL = "TOKENIZERS_PARALLELISM"
_Batch = tuple[Any, list[tasks.Example], tasks.Encoded]  # a table of examples, these as records, and encoded
_ROLES = {"train": "train", "validation": "validation", "test": "in_domain"}

__all__ = ["Prepared", "load", "prepare", "prepared_folder"]


def prepare(
    task: Task,
    tokenizer: Any,
    *,
    tokenizer_fingerprint: str,
    data_fingerprint: str,
    root: Path,
    prefix: str | None = None,
    evaluated: Mapping[str, str] = MappingProxyType({}),
) -> Prepared:
    """The task's data, encoded. Found under `root`/data if prepared before; of several callers one does the work.

    Args:
        task: data and how it is split.
        tokenizer: a Hugging Face tokenizer, handed to the task kind's `encode`.
        tokenizer_fingerprint: identifies the tokenizer's behaviour.
        data_fingerprint: what `data_fingerprint(task)` said; other content by now is refused.
        root: where results go.
        prefix: what the base wants before every text.
        evaluated: by name, the fingerprints of those of `task.out_of_domain` that are wanted.

    Raises:
        DataError: the data cannot serve the task, or changed since its fingerprint was taken.
        StorageError: the folder cannot be written, or what is in it is damaged.
    """
    for name in evaluated:
        check_set_name(name)
    folder = prepared_folder(
        task,
        tokenizer_fingerprint=tokenizer_fingerprint,
        data_fingerprint=data_fingerprint,
        root=root,
        prefix=prefix,
    )
    _once(folder, partial(_build, task, tokenizer, data_fingerprint, folder, prefix))
    for name, fingerprint in evaluated.items():
        own = store.set_folder(folder, name, fingerprint)
        _once(own, partial(_build_set, task, name, tokenizer, fingerprint, folder, own, prefix))
    return load(folder, evaluated)


def _once(folder: Path, build: Callable[[], None]) -> None:
    if not store.is_prepared(folder):
        with lock(folder.with_name(f".{folder.name}.lock")):
            if not store.is_prepared(folder):
                build()
    else:
        require_intact(folder)


def prepared_folder(
    task: Task, *, tokenizer_fingerprint: str, data_fingerprint: str, root: Path, prefix: str | None = None
) -> Path:
    """Where `prepare` puts, or has put, what this task trains, validates and tests on."""
    settings: tuple[object, ...] = (task.kind, task.max_length, task.deduplicate, task.split_seed)
    settings += (task.prompt,) if task.prompt else ()
    settings += (f"prefix {prefix}",) if prefix else ()
    key = digest(_VERSION, data_fingerprint, tokenizer_fingerprint, *map(str, settings))[:16]
    return root / "data" / key


def _build(task: Task, tokenizer: Any, fingerprint: str, folder: Path, prefix: str | None) -> None:
    cleaned = examples(task)
    if content_now(task) != fingerprint:
        raise _changed(task)
    _write(cleaned, task, tokenizer, folder, prefix)


def _build_set(
    task: Task, name: str, tokenizer: Any, fingerprint: str, prepared: Path, folder: Path, prefix: str | None
) -> None:
    there = load(prepared)
    trained = {n: store.stored_rows(there, n) for n in ("train", "validation")}
    cleaned = evaluated_examples(task, name, there.labels, trained)
    if set_fingerprints(task)[name] != fingerprint:
        raise _changed(task)
    _write(cleaned, task, tokenizer, folder, prefix)


def _changed(task: Task) -> DataError:
    return DataError(f"The data of task {task.name!r} changed while it was being read. Run the same command again.")


def _write(cleaned: Examples, task: Task, tokenizer: Any, folder: Path, prefix: str | None) -> None:
    with staged_directory(folder) as staged:
        with _every_core():
            written, known = _encoded(cleaned, task, tokenizer, staged, prefix)
        truncated, unknown = ({meta.name: getattr(meta, of) for meta in written} for of in ("truncated", "unknown"))
        report = data_report(cleaned, truncated, unknown, max_length=task.max_length)
        report = dataclasses.replace(report, sentences=(*report.sentences, *known))
        store.write_meta(staged, store.Meta(labels=cleaned.labels, sets=tuple(written), report=report))
        seal(staged)


@contextlib.contextmanager
def _every_core() -> Iterator[None]:
    """Tokenizers may use all cores: no cell trains while data are prepared. Workers forbid it for their trainings."""
    before = os.environ.get(_PARALLEL)
    os.environ[_PARALLEL] = "true"
    try:
        yield
    finally:
        os.environ.pop(_PARALLEL)
        os.environ |= {_PARALLEL: before} if before is not None else {}


def _encoded(
    cleaned: Examples, task: Task, tokenizer: Any, folder: Path, prefix: str | None
) -> tuple[list[store.SetMeta], list[Sentence]]:
    """What was written, and what the kind has to say of it."""
    kind, settings = tasks.kind(task.kind), tasks.EncodeSettings.of(task, cleaned.labels)
    roles: Mapping[str, str] = _ROLES
    written, known = [], []

    def encode(table: Any) -> _Batch:
        some = list(ExampleTable(table))
        return table, some, kind.encode(tasks.prefixed(kind, some, prefix), tokenizer, settings)

    for name, rows in cleaned.sets.items():
        with SetWriter(folder, name, tokenizer) as writer:
            for batch in _one_ahead(encode, _tables(rows)):
                writer.add(*batch)
            written.append(writer.finish(roles.get(name, "out_of_domain"), rows))
        known += [said("{set}: {sentence}", set=set_name(name), sentence=sentence) for sentence in writer.sentences]
    return written, known


def _one_ahead(encode: Callable[[Any], _Batch], tables: Iterable[Any]) -> Iterator[_Batch]:
    """The encoded tables in order. A thread encodes the next one while one is written, since tokenizers free Python."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        running: deque[Future[_Batch]] = deque()
        for table in tables:
            running.append(thread.submit(encode, table))
            if len(running) > 1:
                yield running.popleft().result()
        yield from (last.result() for last in running)


def _tables(rows: LabelledSet) -> Iterator[Any]:
    """The examples of a set as Arrow tables of some thousands, with the names of their groups if they have any."""
    start = 0
    for table in rows.examples.tables():
        end = start + table.num_rows
        yield table if rows.groups is None else table.append_column(store.GROUP, [list(rows.groups[start:end])])
        start = end

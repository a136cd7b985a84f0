"""Probes: examples that an audit makes itself, encoded in memory as a cell reads its own texts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import EncodedSet
from pipeline.data.unknown import UnknownTokens
from pipeline.files import digest
from pipeline.models.tokenizer import load_tokenizer
from pipeline.records import to_json
from pipeline.tasks import EncodeSettings, Example, kind, prefixed
from pipeline.training.job import Job

ROLE = "probe"


def encoded_probe(job: Job, labels: tuple[str, ...], name: str, examples: Sequence[Example]) -> EncodedSet:
    """An encoded set of these examples.

    Args:
        job: of the cell that is to read them.
        labels: the classes; an example without one of them counts as of the first.
        name: of the set.
        examples: one at least.
    """
    cell, tokenizer = job.cell, load_tokenizer(Path(job.base_directory))
    settings = EncodeSettings.of(cell.task, labels)
    encoded = kind(cell.task.kind).encode(prefixed(examples, cell.prefix), tokenizer, settings)
    tokens, unknown = np.concatenate(encoded.ids).astype(np.int32), UnknownTokens(tokenizer)
    unknown.count(tokens)
    numbers = {label: number for number, label in enumerate(labels)}
    return EncodedSet(
        name=name,
        role=ROLE,
        ids=tokens,
        offsets=np.cumsum([0, *map(len, encoded.ids)], dtype=np.int64),
        labels=np.array([numbers.get(e.label or "", 0) for e in examples], dtype=np.int32),
        groups=np.arange(len(examples), dtype=np.int32),
        truncated=encoded.truncated,
        unknown=unknown.share,
        fingerprint=digest(*map(to_json, examples)),
        beside=dict(encoded.beside),
        examples=ExampleTable.of(examples),
    )

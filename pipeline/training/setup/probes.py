"""Probes: examples that an audit makes itself, encoded in memory as a cell reads its own texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.config.cell import Cell
from pipeline.data.example_table import ExampleTable
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.unknown import UnknownTokens
from pipeline.files import digest
from pipeline.records import to_json
from pipeline.tasks import EncodeSettings, Example, kind, prefixed

ROLE = "probe"


@dataclass(frozen=True, kw_only=True)
class TextReader:
    """The task's sets, and the way in which cells of one base read texts; it is `audits.Reader`."""

    cell: Cell
    tokenizer: Any
    prepared: Prepared

    @property
    def sets(self) -> Mapping[str, EncodedSet]:
        """The task's sets by name."""
        return self.prepared.sets

    def probe(self, name: str, examples: Sequence[Example]) -> EncodedSet:
        """Examples that are not among the task's sets, encoded as cells read texts."""
        return encoded_probe(self.cell, self.tokenizer, self.prepared.labels, name, examples)


def encoded_probe(
    cell: Cell, tokenizer: Any, labels: tuple[str, ...], name: str, examples: Sequence[Example]
) -> EncodedSet:
    """An encoded set of these examples.

    Args:
        cell: one that is to read them, and `tokenizer` that of its base.
        labels: the classes; an example without one of them counts as of the first.
        name: of the set.
        examples: one at least.
    """
    settings = EncodeSettings.of(cell.task, labels)
    task = kind(cell.task.kind)
    encoded = task.encode(prefixed(task, examples, cell.prefix), tokenizer, settings)
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

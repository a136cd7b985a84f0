"""Which finished cells were scored on which sets, and examined by which audits, beside their training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.audits import Examination
from pipeline.language import Sentence, first_of, said, set_name
from pipeline.records import CellResult
from pipeline.storage.evaluations import audit_ids, set_ids
from pipeline.storage.results import ResultStore

_NAMED = 5  # cells that a sentence names
Beside = str | Examination  # a set by its name, or an audit of one


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What is measured beside the trainings of finished cells.

    Args:
        store: where they are.
        cells: their ids.
        evaluated: sets that are only evaluated, their fingerprints by name.
        audits: names.
    """

    store: ResultStore
    cells: tuple[str, ...]
    evaluated: Mapping[str, str] = field(default_factory=dict)
    audits: Sequence[str] = ()

    def lacking(self) -> dict[Beside, tuple[str, ...]]:
        """By set or audit that does not reach all cells, those that lack it."""
        without: dict[Beside, list[str]] = {of: [] for cell in self.cells[:1] for of in self._ids(cell)}
        for cell in self.cells:
            there = self.store.evaluations(cell)
            for of, number in self._ids(cell).items():
                if not there.has(number):
                    without[of].append(cell)
        return {of: tuple(cells) for of, cells in without.items() if cells}

    def results(self) -> list[CellResult]:
        """The cells' results. What some of them lack, a set or an audit, is left out of all: no verdict rests on it."""
        partial = self.lacking()
        return [
            self._result(cell, {of: n for of, n in self._ids(cell).items() if of not in partial}) for cell in self.cells
        ]

    def sentences(self) -> tuple[Sentence, ...]:
        """What readers must know of sets and audits that do not reach all cells."""
        return tuple(self._sentence(_named(of), cells) for of, cells in self.lacking().items())

    def _sentence(self, what: Sentence, cells: Sequence[str]) -> Sentence:
        return said(
            "{lacking} of {all} finished cells lack {what} ({cells}): no verdict rests on it, and no table shows it.",
            lacking=len(cells),
            all=len(self.cells),
            what=what,
            cells=first_of(cells, _NAMED),
        )

    def _ids(self, cell: str) -> dict[Beside, str]:
        audits = audit_ids(cell, self.audits, self.evaluated)
        return dict([*set_ids(cell, self.evaluated).items(), *audits.items()])

    def _result(self, cell: str, ids: Mapping[Beside, str]) -> CellResult:
        sets = {of: number for of, number in ids.items() if isinstance(of, str)}
        audits = {of: number for of, number in ids.items() if isinstance(of, Examination)}
        return self.store.evaluated(cell, sets, audits)


def _named(of: Beside) -> Sentence:
    if isinstance(of, str):
        return said("scores on {set}", set=set_name(of))
    if of.dataset == "test":
        return said("the audit {audit}", audit=of.audit)
    return said("the audit {audit} on {set}", audit=of.audit, set=set_name(of.dataset))

"""Which finished cells were scored on which sets, and examined by which audits, beside their training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.records import CellResult
from pipeline.storage.evaluations import audit_ids, set_ids
from pipeline.storage.results import ResultStore

_NAMED = 5  # cells that a sentence names


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

    def lacking(self) -> dict[str, tuple[str, ...]]:
        """By set or audit that does not reach all cells, those that lack it."""
        names = (*self.evaluated, *self.audits)
        without = {name: tuple(cell for cell in self.cells if not self._has(cell, name)) for name in names}
        return {name: cells for name, cells in without.items() if cells}

    def results(self) -> list[CellResult]:
        """The cells' results. What some of them lack, a set or an audit, is left out of all: no verdict rests on it."""
        partial = self.lacking()
        sets = {name: content for name, content in self.evaluated.items() if name not in partial}
        audits = [name for name in self.audits if name not in partial]
        return [
            self.store.evaluated(cell, set_ids(cell, sets), tuple(audit_ids(cell, audits).values()))
            for cell in self.cells
        ]

    def sentences(self) -> tuple[str, ...]:
        """What readers must know of sets and audits that do not reach all cells."""
        return tuple(self._sentence(name, cells) for name, cells in self.lacking().items())

    def _sentence(self, name: str, cells: Sequence[str]) -> str:
        what = "scores on" if name in self.evaluated else "the audit"
        more = f" and {len(cells) - _NAMED} more" if len(cells) > _NAMED else ""
        return (
            f"{len(cells)} of {len(self.cells)} finished cells lack {what} {name} ({', '.join(cells[:_NAMED])}{more}): "
            "no verdict rests on it, and no table shows it."
        )

    def _has(self, cell: str, name: str) -> bool:
        ids = set_ids(cell, self.evaluated) | audit_ids(cell, self.audits)
        return self.store.evaluations(cell).has(ids[name])

"""What a benchmark says: one row a number, with its bar, and the file and table they end up in."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.files import write_text
from pipeline.records import decode, encode


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured number. `bar` is what it has to reach (None: only told), `holds` whether it does.

    `value` is the median of the repetitions and `spread` their least and greatest; for accuracies the mean difference
    and its 95% interval. `note` says how it was measured.
    """

    name: str
    value: float
    unit: str
    bar: float | None
    holds: bool | None
    command: str
    spread: tuple[float, ...]
    repetitions: int
    machine: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The benchmark a row belongs to: the command that makes it again, and the machine."""

    command: str
    machine: str

    def told(self, name: str, values: Sequence[float], unit: str, note: str = "") -> Row:
        """A row without a bar."""
        return self._row(name, values, unit, None, None, note)

    def at_least(self, name: str, values: Sequence[float], unit: str, bar: float, note: str = "") -> Row:
        """A row whose median must be at least `bar`."""
        return self._row(name, values, unit, bar, statistics.median(values) >= bar, note)

    def under(self, name: str, values: Sequence[float], unit: str, bar: float, note: str = "") -> Row:
        """A row whose median must be under `bar`."""
        return self._row(name, values, unit, bar, statistics.median(values) < bar, note)

    def within(self, name: str, mean: float, interval: tuple[float, float], unit: str, bar: float, seeds: int) -> Row:
        """A row whose interval must lie within plus or minus `bar`."""
        return Row(
            name=name,
            value=mean,
            unit=unit,
            bar=bar,
            holds=max(abs(end) for end in interval) <= bar,
            command=self.command,
            spread=interval,
            repetitions=seeds,
            machine=self.machine,
            note="mean difference; the spread is its 95% interval, which must lie within the bar on both sides",
        )

    def near(self, name: str, value: float, unit: str, bar: float, note: str = "") -> Row:
        """A row whose one value must be within plus or minus `bar`."""
        return self._row(name, [value], unit, bar, abs(value) <= bar, note)

    def _row(
        self, name: str, values: Sequence[float], unit: str, bar: float | None, holds: bool | None, note: str
    ) -> Row:
        return Row(
            name=name,
            value=statistics.median(values),
            unit=unit,
            bar=bar,
            holds=holds,
            command=self.command,
            spread=(min(values), max(values)),
            repetitions=len(values),
            machine=self.machine,
            note=note,
        )


def record(rows: Sequence[Row], path: Path) -> None:
    """Write the rows to `path`, a JSON list; rows of other names that stand there stay."""
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    kept = {row.name: row for row in (decode(Row, value, str(path)) for value in old)}
    kept |= {row.name: row for row in rows}
    write_text(path, json.dumps(encode(list(kept.values())), indent=2, ensure_ascii=False) + "\n")


def show(rows: Sequence[Row]) -> None:
    """Print the rows as a table."""
    table = Table(title="Benchmarks: median of the repetitions", title_justify="left")
    table.add_column("what")
    for column in ("value", "unit", "spread", "bar", "holds"):
        table.add_column(column, justify="left" if column in ("unit", "holds") else "right")
    for row in rows:
        spread = " to ".join(f"{end:.3g}" for end in row.spread)
        holds = {None: "", True: "yes", False: "NO"}[row.holds]
        table.add_row(row.name, f"{row.value:.3g}", row.unit, spread, "" if row.bar is None else f"{row.bar:g}", holds)
    console = Console(highlight=False)
    console.width = max(console.width, 120)
    console.print(table)

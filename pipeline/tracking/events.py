"""What is recorded of a study and of its cells, as records with a JSON round trip."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.cell import Cell
from pipeline.errors import StorageError
from pipeline.records import CellKey, CellResult, ClaimRow, Sample, TrajectoryPoint, decode, encode
from pipeline.tracking import lines


@dataclass(frozen=True, kw_only=True)
class StudyStarted:
    """A study or a sweep runs: `sentence` is what lists show of it, `metric` the one its claims speak of."""

    name: str
    question: str
    sentence: str
    metric: str
    kind: str = "study"  # study | sweep

    @property
    def children(self) -> str:
        """The kind of the runs below this one."""
        return "trial" if self.kind == "sweep" else "cell"


@dataclass(frozen=True, kw_only=True)
class StudyScored:
    """The scores so far of a study that still runs, by the names of their metrics, and a sentence about them."""

    seeds: int  # that are complete
    sentence: str
    scores: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class StudyFinished:
    """A study has findings: the verdicts and their sentences, the cells they rest on, those that failed, the report."""

    verdicts: tuple[str, ...]
    sentences: tuple[str, ...]
    cells: tuple[str, ...]
    failed: tuple[str, ...]
    report: str  # its folder, relative to the root of the results
    digest: str  # of the findings and the report
    rows: tuple[ClaimRow, ...] = ()  # of a study that judges the fourteen claims


@dataclass(frozen=True, kw_only=True)
class CellStarted:
    """A training starts, or one that was finished before is recorded under this study."""

    cell_id: str
    key: CellKey
    metric: str
    lr: float
    config: dict[str, Any]
    trial: int | None = None  # of the sweep


@dataclass(frozen=True, kw_only=True)
class CellPoint:
    """A point of the trajectory, as soon as it is known."""

    point: TrajectoryPoint


@dataclass(frozen=True, kw_only=True)
class CellFinished:
    """A training has its result."""

    result: CellResult
    reused: bool
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CellEvaluated:
    """A finished cell was measured on a set, or examined by an audit, that it had lacked; its result with that."""

    result: CellResult


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A study or a training ended without a result, and why; `quotes` if the reason may quote the data."""

    reason: str
    quotes: bool = False


@dataclass(frozen=True, kw_only=True)
class Killed:
    """A study or a training was stopped from outside."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """A training was given up by the sweep it is a trial of."""


Body = (
    StudyStarted
    | StudyScored
    | StudyFinished
    | CellStarted
    | CellPoint
    | CellFinished
    | CellEvaluated
    | Failed
    | Killed
    | Pruned
)

KINDS: dict[str, type[Body]] = {
    "study_started": StudyStarted,
    "study_scored": StudyScored,
    "study_finished": StudyFinished,
    "cell_started": CellStarted,
    "cell_point": CellPoint,
    "cell_finished": CellFinished,
    "cell_evaluated": CellEvaluated,
    "failed": Failed,
    "killed": Killed,
    "pruned": Pruned,
}
WITH_RESULT = frozenset({"cell_finished", "cell_evaluated"})  # last events of a cell that has one
ENDS = WITH_RESULT | {"study_finished", "failed", "killed", "pruned"}
_NAMES = {kind: name for name, kind in KINDS.items()}
_TAIL = re.compile(rb'"event": "(\w+)"}\n$')


@dataclass(frozen=True)
class Event:
    """What happened, when (milliseconds since 1970), and the offset just after its line."""

    at: int
    body: Body
    end: int


def write(path: Path, body: Body, at: int) -> None:
    """Append one event. Its name closes the line, so that the tail of a file tells how it ended."""
    lines.append(path, {"at": at, "data": encode(body), "event": _NAMES[type(body)]})


def read(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events from byte `offset` on, and the offset up to which the file has been read.

    Lines that are torn, or of a kind that this version does not know, are passed over.
    """
    events: list[Event] = []
    for line in lines.read(path, offset):
        offset = line.end
        event = _event(line)
        if event:
            events.append(event)
    return events, offset


def last_kind(path: Path) -> str | None:
    """The name of the last event in the file, None where it has none."""
    match = _TAIL.search(lines.last(path))
    if match:
        return match.group(1).decode()
    events, _ = read(path)
    return _NAMES[type(events[-1].body)] if events else None


def public(cell: Cell) -> dict[str, Any]:
    """The cell's settings without those typed as secret."""
    return dict(_public(cell))


def _public(record: Any) -> Any:
    if dataclasses.is_dataclass(record):
        fields = [f for f in dataclasses.fields(record) if not f.metadata.get("secret")]
        return {f.name: _public(getattr(record, f.name)) for f in fields}
    if isinstance(record, dict):
        return {str(name): _public(value) for name, value in record.items()}
    return encode(record)


def _event(line: lines.Line) -> Event | None:
    value = line.value
    kind = KINDS.get(str(value.get("event"))) if value else None
    if value is None or kind is None or not isinstance(value.get("at"), int):
        return None
    try:
        return Event(value["at"], decode(kind, value.get("data")), line.end)
    except StorageError:
        return None

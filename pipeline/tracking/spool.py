"""The record of studies and attempts on disk, from which the dashboard is fed now or later.

Nothing here needs a server or MLflow, and a record that cannot be written never stops a training.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.config.cell import Cell
from pipeline.config.redaction import MASK, without_credentials
from pipeline.errors import StorageError
from pipeline.files import digest, safe_name, sha256
from pipeline.records import CellResult, ClaimRow, Findings, Sample, SweepRecord, TrajectoryPoint, to_json
from pipeline.tracking import events
from pipeline.tracking.events import (
    Body,
    CellEvaluated,
    CellFinished,
    CellPoint,
    CellStarted,
    Failed,
    Killed,
    Pruned,
    StudyFinished,
    StudyScored,
    StudyStarted,
)

STUDY_FILE = "study.jsonl"
REUSED = "reused"


def spool(root: Path) -> Path:
    """The folder of all studies' records."""
    return root / "tracking" / "spool"


def redact(text: str) -> str:
    """`text` without the user name and password of any address in it."""
    return without_credentials(text).replace(f"{MASK}@", "")


class _Log:
    """A file of events. Why one could not be written is in `problem`, and said once on standard error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: str | None = None

    def _write(self, body: Body, at: float | None = None) -> None:
        """Append one event that happened `at` (seconds since 1970; None: now)."""
        try:
            events.write(self.path, body, int((time.time() if at is None else at) * 1000))
        except StorageError as error:
            if self.problem is None:
                print(f"The dashboard will miss what could not be recorded: {error}", file=sys.stderr, flush=True)
            self.problem = str(error)

    def failed(self, reason: str, *, quotes: bool = False) -> None:
        """It ended without a result, for this reason, which may quote the data."""
        self._end(Failed(reason=redact(reason), quotes=quotes))

    def killed(self) -> None:
        """It was stopped from outside."""
        self._end(Killed())

    def _end(self, body: Body, at: float | None = None) -> None:
        self._write(body, at)


class StudyLog(_Log):
    """The record of one study, written by its coordinator alone.

    Args:
        root: where results go (`paths.root`).
        study_id: what tells this study from others; letters, digits, `.`, `_` and `-`.
        name: the study's name, under which the dashboard lists it.
        kind: "study" or "sweep".
    """

    def __init__(self, root: Path, study_id: str, name: str, *, kind: str = "study") -> None:
        super().__init__(spool(root) / safe_name(study_id, "A study's id") / STUDY_FILE)
        self.root = root
        self.name = name
        self.kind = kind
        self._held: StudyStarted | None = None

    def started(self, question: str, sentence: str = "", *, metric: str = "accuracy", to_do: int = 1) -> None:
        """The study starts (again), with `to_do` cells still to train.

        With none to do and findings recorded before, nothing is written until the findings turn out to differ.
        """
        body = StudyStarted(
            name=self.name,
            question=redact(question),
            sentence=redact(sentence or question),
            metric=metric,
            kind=self.kind,
        )
        if to_do == 0 and self._recorded() is not None:
            self._held = body
        else:
            self._write(body)

    def scored(self, findings: Findings, sentence: str) -> None:
        """The study still runs, and these are its scores so far; `sentence` describes them."""
        scores = {f"{s.dataset}/{s.arm} {s.size}": s.estimate.value for s in findings.scores}
        seeds = min((s.estimate.seeds for s in findings.scores), default=0)
        self._write(StudyScored(seeds=seeds, sentence=redact(sentence), scores=scores))

    def finished(
        self, findings: Findings, report: Path, sentences: Sequence[str] = (), rows: Sequence[ClaimRow] = ()
    ) -> None:
        """The study has findings; the same ones count once.

        Args:
            report: the folder of the report, or the path of its page.
            sentences: one for each verdict.
            rows: the table of the fourteen claims, of a study that judges any of them.
        """
        folder = report if report.is_dir() else report.parent
        page = folder / "report.html"
        self._finish(
            StudyFinished(
                verdicts=tuple(v.verdict for v in findings.verdicts),
                sentences=tuple(map(redact, sentences)),
                cells=tuple(sorted(findings.cells.values())),
                failed=tuple(sorted({cell.cell_id for cell in findings.failed})),
                report=_relative(folder, self.root),
                digest=digest(to_json(findings), sha256(page) if page.is_file() else ""),
                rows=tuple(rows),
            )
        )

    def searched(self, sweep: SweepRecord, sentence: str, folder: Path) -> None:
        """The sweep has come to its end; `sentence` says what was best. The same end counts once."""
        done = {cell for trial in sweep.trials if trial.state == "complete" for cell in trial.cells}
        self._finish(
            StudyFinished(
                verdicts=(),
                sentences=(redact(sentence),),
                cells=tuple(sorted(done)),
                failed=tuple(sorted({c for t in sweep.trials if t.state == "failed" for c in t.cells} - done)),
                report=_relative(folder, self.root),
                digest=digest(to_json(sweep)),
            )
        )

    def _finish(self, body: StudyFinished) -> None:
        recorded = self._recorded()
        if not (self._held and recorded and recorded.digest == body.digest):
            self._end(body)

    def _end(self, body: Body, at: float | None = None) -> None:
        if self._held:
            self._write(self._held)
            self._held = None
        self._write(body, at)

    def _recorded(self) -> StudyFinished | None:
        recorded = events.read(self.path)[0] if self.path.is_file() else []
        body = recorded[-1].body if recorded else None
        return body if isinstance(body, StudyFinished) else None


class AttemptLog(_Log):
    """The record of one attempt to train one cell, written by the process that trains it, or for one that died.

    Args:
        root: where results go (`paths.root`).
        study_id: the study it is trained for.
        cell_id: the cell's identity.
        attempt_id: never the same twice for one cell.
    """

    def __init__(self, root: Path, study_id: str, cell_id: str, attempt_id: str) -> None:
        names = safe_name(cell_id, "A cell's id"), safe_name(attempt_id, "An attempt's id")
        super().__init__(spool(root) / safe_name(study_id, "A study's id") / f"{names[0]}@{names[1]}.jsonl")
        self.cell_id = cell_id

    def started(self, cell: Cell, *, at: float | None = None, trial: int | None = None) -> None:
        """Training starts (`at` seconds since 1970; None: now). Settings typed as secret are left out.

        Args:
            trial: of a sweep, which of its trials the cell belongs to.
        """
        self._write(
            CellStarted(
                cell_id=self.cell_id,
                key=cell.key,
                metric=cell.task.metric,
                lr=cell.recipe.lr,
                config=events.public(cell),
                trial=trial,
            ),
            at,
        )

    def point(self, point: TrajectoryPoint) -> None:
        """A point of the trajectory is known."""
        self._write(CellPoint(point=point))

    def finished(self, result: CellResult, samples: Sequence[Sample] = (), *, reused: bool = False) -> None:
        """The result is on disk. A re-used one keeps the time at which it was trained."""
        at = result.measured.finished_at if reused else None
        self._end(CellFinished(result=result, reused=reused, samples=tuple(samples)), at)

    def evaluated(self, result: CellResult) -> None:
        """More was measured of the finished cell, from its stored weights."""
        self._write(CellEvaluated(result=result))

    def pruned(self) -> None:
        """It was given up by its sweep."""
        self._end(Pruned())

    def _end(self, body: Body, at: float | None = None) -> None:
        """An attempt ends once: what comes after its first end is not recorded."""
        if not self.path.is_file() or events.last_kind(self.path) not in events.ENDS:
            self._write(body, at)


def children(root: Path, study_id: str) -> str:
    """The kind of the runs below this one: "trial" for a sweep, else "cell"."""
    path = spool(root) / study_id / STUDY_FILE
    recorded = events.read(path)[0] if path.is_file() else []
    return next((event.body.children for event in recorded if isinstance(event.body, StudyStarted)), "cell")


def reuse(
    root: Path,
    study_id: str,
    cell: Cell,
    result: CellResult,
    samples: Sequence[Sample] = (),
    *,
    trial: int | None = None,
) -> None:
    """Record a cell that was trained before, perhaps for another study, under this one."""
    log = AttemptLog(root, study_id, result.cell_id, REUSED)
    log.started(cell, at=result.measured.started_at, trial=trial)
    log.finished(result, samples, reused=True)


def evaluated(root: Path, study_id: str, result: CellResult) -> None:
    """Record what was measured of a cell since this study recorded that it is finished; nothing if it did not."""
    for path in attempts(root, study_id):
        cell, attempt = _ids(path)
        if cell == result.cell_id and events.last_kind(path) in events.WITH_RESULT:
            AttemptLog(root, study_id, cell, attempt).evaluated(result)


def mirrored(root: Path, study_id: str) -> set[str]:
    """The ids of the cells of which this study already has a finished record."""
    return {_ids(path)[0] for path in attempts(root, study_id) if events.last_kind(path) in events.WITH_RESULT}


def unfinished(root: Path, study_id: str) -> tuple[tuple[str, str], ...]:
    """Cell and attempt id of each attempt that was started and has not ended."""
    return tuple(_ids(path) for path in _open_files(root, study_id))


def reconcile(root: Path, study_id: str) -> int:
    """Record as killed what an earlier run of this study left open, at the time of its last sign of life.

    Call it only when no process works on the study any more. Returns the number of attempts concerned.
    """
    left = list(_open_files(root, study_id))
    last_sign = max((path.stat().st_mtime for path in attempts(root, study_id)), default=0.0)
    for path in left:
        events.write(path, Killed(), int(path.stat().st_mtime * 1000))
    study = spool(root) / safe_name(study_id, "A study's id") / STUDY_FILE
    if study.is_file() and events.last_kind(study) not in events.ENDS:
        events.write(study, Killed(), int(max(last_sign, study.stat().st_mtime) * 1000))
    return len(left)


def attempts(root: Path, study_id: str) -> list[Path]:
    """The files of the study's attempts, by name."""
    folder = spool(root) / safe_name(study_id, "A study's id")
    return sorted(folder.glob("*@*.jsonl")) if folder.is_dir() else []


def _open_files(root: Path, study_id: str) -> Iterator[Path]:
    trained = (path for path in attempts(root, study_id) if _ids(path)[1] != REUSED)
    return (path for path in trained if events.last_kind(path) not in events.ENDS)


def _ids(path: Path) -> tuple[str, str]:
    cell, _, attempt = path.stem.partition("@")
    return cell, attempt


def _relative(folder: Path, root: Path) -> str:
    resolved, base = folder.resolve(), root.resolve()
    return str(resolved.relative_to(base)) if resolved.is_relative_to(base) else str(resolved)

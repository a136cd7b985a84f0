"""What became of an attempt at a cell, as an executor tells it: to whoever watches, and to the record."""

from pathlib import Path

from pipeline.execution.assignment import Assignment, Event
from pipeline.storage.coverage import Coverage
from pipeline.storage.results import ResultStore
from pipeline.tracking.spool import AttemptLog


def event(assignment: Assignment, state: str, reason: str = "", *, killed: bool = False) -> Event:
    """See `Event`."""
    cell, attempt = assignment.job.cell_id, assignment.attempt_id
    return Event(cell_id=cell, state=state, reason=reason, attempt_id=attempt, killed=killed)


def attempt_log(assignment: Assignment) -> AttemptLog:
    """The record of this attempt."""
    job = assignment.job
    return AttemptLog(Path(job.root), assignment.study_id, job.cell_id, assignment.attempt_id)


def record_result(assignment: Assignment, store: ResultStore) -> None:
    """For a worker that died between its result and the record of it, or before it had removed its checkpoints.

    One that found a result has no record to end.
    """
    store.drop_checkpoints(assignment.job.cell_id)
    log = attempt_log(assignment)
    if log.path.is_file():
        job = assignment.job
        there = Coverage(store=store, cells=(job.cell_id,), evaluated=job.evaluated, audits=job.audits)
        log.finished(there.results()[0], store.samples(job.cell_id))


def record_failure(assignment: Assignment, reason: str) -> None:
    """As failed, for this reason."""
    log = attempt_log(assignment)
    if not log.path.is_file():  # it died before it could say that it started
        log.started(assignment.job.cell, trial=assignment.trial)
    log.failed(reason)


def record_kill(assignment: Assignment) -> None:
    """As killed, if it had begun: an attempt that said nothing was none."""
    log = attempt_log(assignment)
    if log.path.is_file():
        log.killed()

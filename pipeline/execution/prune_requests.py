"""How a cell on another machine asks whether to go on: by files in the folder that all machines share."""

import contextlib
import time
from pathlib import Path

from pipeline.execution.assignment import Assignment
from pipeline.files import write_text
from pipeline.records import TrajectoryPoint, from_json, to_json

_LOOK_AGAIN = 0.1  # seconds
_PATIENCE = 600.0  # seconds without an answer, after which a cell goes on


def _files(assignment: Assignment) -> tuple[Path, Path]:
    """The question and its answer; a cell has one at a time, whichever attempt at it asks."""
    folder = Path(assignment.job.root) / "questions"
    name = f"{assignment.job.cell_id}@{assignment.study_id}"
    return folder / f"{name}.json", folder / f"{name}.answer"


def ask(assignment: Assignment, point: TrajectoryPoint) -> bool:
    """Whether the cell, which has come to `point`, is to be given up; the coordinator answers in its own time."""
    question, answer = _files(assignment)
    write_text(question, to_json(point))
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if answer.is_file():
            said = answer.read_text(encoding="utf-8") == "stop"
            answer.unlink(missing_ok=True)
            return said
        time.sleep(_LOOK_AGAIN)
    question.unlink(missing_ok=True)
    return False


def asked(assignment: Assignment) -> TrajectoryPoint | None:
    """The point that the cell asks about now; None where it asks nothing."""
    question, _ = _files(assignment)
    if not question.is_file():
        return None
    return from_json(TrajectoryPoint, question.read_text(encoding="utf-8"), str(question))


def answer(assignment: Assignment, *, stop: bool) -> None:
    """Answer what is asked now."""
    question, said = _files(assignment)
    question.unlink(missing_ok=True)
    write_text(said, "stop" if stop else "go on")


def withdraw(assignment: Assignment) -> None:
    """Leave nothing behind of a cell that is over."""
    for path in _files(assignment):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)

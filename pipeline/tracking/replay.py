"""Events on disk, applied to a store in order, each once."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StorageError, TrackingError
from pipeline.tracking.ledger import Ledger, studies, waiting
from pipeline.tracking.runs import Runs
from pipeline.tracking.spool import STUDY_FILE, redact
from pipeline.tracking.store import Store
from pipeline.tracking.study_runs import StudyRuns

# Refusals that concern one record, not the store: the other records go on.
_REFUSED = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST")

_FULL = ("database or disk is full", "No space left on device")  # as SQLite and the system say it


@dataclass(frozen=True)
class Round:
    """How one pass over all records went: the files brought up to date, and the last problem in words."""

    applied: int
    problem: str | None


class Replay:
    """Brings one store up to date with the records on disk.

    Args:
        store: where the runs go.
        stop: asked between two files; true when time is up.

    Raises:
        mlflow.exceptions.MlflowException: the local store cannot be opened.
    """

    def __init__(self, store: Store, stop: Callable[[], bool] = lambda: False) -> None:
        self.store = store
        self.runs = Runs(store)
        self._stop = stop
        self._problem: str | None = None
        self._applied = 0

    def round(self) -> Round:
        """Apply all that waits, as far as the store answers."""
        self._applied, self._problem = 0, None
        try:
            for study_id in studies(self.store):
                if not self._stop():
                    self._study(study_id, Ledger(self.store, study_id))
        except TrackingError as error:
            self._problem = str(error)
        return Round(self._applied, self._problem)

    def _study(self, study_id: str, ledger: Ledger) -> None:
        files = waiting(self.store, study_id, ledger)
        study = StudyRuns(self.runs, self.store, study_id, ledger)
        if not files or not self._guard(study.open):
            return
        for path, offset in files:
            if path.name != STUDY_FILE and not self._stop():
                self._guard(partial(study.attempt, path, offset))
        if not self._stop():
            self._guard(study.close)
        ledger.shorten()

    def _guard(self, step: Callable[[], bool]) -> bool:
        """Run a step; a refusal is said and passed over, silence of the store ends the round."""
        try:
            self._applied += step()
            return True
        except (MlflowException, SQLAlchemyError, OSError, StorageError) as error:
            problem = in_words(error)
            if isinstance(error, MlflowException) and error.error_code in _REFUSED:
                self._problem = problem
                print(f"refused: {problem}", file=sys.stderr)
                return False
            raise TrackingError(problem) from error


def in_words(error: Exception) -> str:
    """The error in one line, without credentials."""
    if any(words in str(error) for words in _FULL):
        return "The disk is full. Free some space; the next command sends the rest to the dashboard."
    text = str(error).strip().splitlines()
    return redact(text[0] if text else type(error).__name__)[:500]

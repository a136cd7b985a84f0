"""What all cells of one study or sweep stand on, checked and prepared before the first of them starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.cell import Cell
from pipeline.config.identity import cell_id
from pipeline.config.redaction import public
from pipeline.execution.assignment import Assignment, attempt_id
from pipeline.hardware import Resolved
from pipeline.models.checkpoints.locate import Located
from pipeline.storage.results import ResultStore
from pipeline.training.job import Job
from pipeline.training.setup.preflight import Preflight


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Base, data and hardware, checked and prepared.

    `study_id` is the study's, or the sweep's, that cells are recorded under.
    """

    study_id: str
    root: Path
    hardware: Resolved
    located: Located
    data_fingerprint: str
    preflight: Preflight
    evaluated: Mapping[str, str] = field(default_factory=dict)  # sets that tested cells are evaluated on
    audits: tuple[str, ...] = ()  # that tested cells are examined by

    @property
    def store(self) -> ResultStore:
        """Where finished cells are."""
        return ResultStore(self.root)

    def identity(self, cell: Cell) -> str:
        """The cell's id on this base and these data."""
        return cell_id(cell, base_fingerprint=self.located.whole, data_fingerprint=self.data_fingerprint)

    def assignment(
        self, name: str, cell: Cell, *, trial: int | None = None, judged: bool = False, pausing: bool = False
    ) -> Assignment:
        """A new attempt at one cell, as an executor takes it."""
        job = Job(
            cell=public(cell),  # it may be written to a file or sent to another machine
            cell_id=name,
            root=str(self.root),
            base_directory=str(self.located.directory),
            base_fingerprint=self.located.weights,
            tokenizer_fingerprint=self.located.tokenizer,
            network_digest=self.located.network,
            network_state=self.located.state,
            data_folder=self.preflight.data_folder,
            vocabulary=self.preflight.vocabulary,
            hardware=self.preflight.fitted(cell, self.hardware),
            concurrency=self.hardware.workers,
            pretraining=self.identity(cell.pretraining) if cell.pretraining else None,
            pausing=pausing,
            evaluated=dict(self.evaluated) if cell.tested else {},
            audits=self.audits if cell.tested else (),
        )
        return Assignment(job=job, study_id=self.study_id, attempt_id=attempt_id(), trial=trial, judged=judged)

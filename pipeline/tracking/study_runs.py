"""One study's events, turned into calls to the store."""

import sys
from dataclasses import fields, replace
from pathlib import Path

from mlflow.exceptions import MlflowException

from pipeline.records import Sample, encode
from pipeline.tracking import content, events
from pipeline.tracking.events import (
    CellEvaluated,
    CellFinished,
    CellPoint,
    CellStarted,
    Event,
    Failed,
    Killed,
    Pruned,
    StudyFinished,
    StudyScored,
    StudyStarted,
)
from pipeline.tracking.ledger import Entry, Ledger
from pipeline.tracking.runs import Runs
from pipeline.tracking.spool import STUDY_FILE, spool
from pipeline.tracking.store import Store

_ARTIFACTS = ("report.html", "report.md", "findings.json", "claims.json", "cells.csv", "sweep.json", "trials.csv")
_WITH_RESULT = (CellFinished, CellEvaluated)
_WITHHELD = "The data cannot be used as they are. The reason may quote them, and privacy.texts sends no text here."


class StudyRuns:
    """The runs of one study. Steps return whether they applied events; each may be repeated after a crash.

    Raises:
        mlflow.exceptions.MlflowException, OSError: the store could not be reached or refused a call.
    """

    def __init__(self, runs: Runs, store: Store, study_id: str, ledger: Ledger) -> None:
        self.runs, self.store, self.study_id, self.ledger = runs, store, study_id, ledger
        self.path = spool(store.root) / study_id / STUDY_FILE
        self.experiment_id = ""
        self.parent: str | None = None
        self.started: StudyStarted | None = None

    def open(self) -> bool:
        """Make sure that the experiment and the study's own run exist, before any of its cells."""
        recorded = events.read(self.path)[0] if self.path.is_file() else []
        starts = [(event, event.body) for event in recorded if isinstance(event.body, StudyStarted)]
        self.experiment_id = self.runs.experiment(starts[-1][1].name if starts else self.study_id)
        if starts:
            event, self.started = starts[-1]
            tags = content.study_tags(self.study_id, self.started)
            name = f"{self.started.kind} {self.study_id}"
            self.parent = self._known(STUDY_FILE) or self._adopt(STUDY_FILE, "study", name, starts[0][0].at, tags)
            if event.end > self.ledger.offset(STUDY_FILE):
                self._begin(self.parent, event.at, self.started)
        return False

    def _begin(self, run_id: str, at: int, body: StudyStarted) -> None:
        self.runs.reopen(run_id)
        self.runs.log(run_id, tags={content.NOTE: content.question(body)})
        self.runs.note(self.experiment_id, content.question(body))
        try:
            self.runs.save_views(self.experiment_id, self.study_id, body.metric, at, runs=self._children)
        except MlflowException as error:
            print(f"The saved views could not be provisioned: {error.message}", file=sys.stderr)

    def close(self) -> bool:
        """Apply what the study's own file says, after its cells."""
        entry = self.ledger.entries.get(STUDY_FILE)
        if entry is None or not entry.run_id:
            return False
        recorded, end = events.read(self.path, entry.offset)
        for event in recorded:
            self._study_event(entry.run_id, event)
        if end > entry.offset:
            self.ledger.note(replace(entry, offset=end))
        return end > entry.offset

    def _study_event(self, run_id: str, event: Event) -> None:
        body = event.body
        if isinstance(body, StudyStarted):
            self.runs.reopen(run_id)
        elif isinstance(body, StudyScored):
            values = content.interim_values(body, event.at)
            self.runs.log(run_id, tags={content.NOTE: content.interim(self.started, body)}, values=values)
        elif isinstance(body, StudyFinished):
            self._findings(run_id, body, event.at)
            self.runs.end(run_id, "FINISHED", event.at)
        elif isinstance(body, Failed | Killed):
            self._end_badly(run_id, body, event.at)

    def _findings(self, run_id: str, body: StudyFinished, at: int) -> None:
        note = content.answer(self.started, body)
        tags = {content.NOTE: note, "verdict": ", ".join(body.verdicts) or "none", **content.claim_tags(body)}
        self.runs.log(run_id, tags=tags, values=content.claim_values(body, at))
        self.runs.note(self.experiment_id, note)
        self.runs.files(run_id, [self.store.root / body.report / name for name in _ARTIFACTS])
        self.runs.mark_current(self.experiment_id, self.study_id, body.cells, body.failed, runs=self._children)

    @property
    def _children(self) -> str:
        """The kind of the runs below this one."""
        return self.started.children if self.started else "cell"

    def attempt(self, path: Path, offset: int) -> bool:
        """Apply what an attempt's file says from `offset` on."""
        every, end = events.read(path)
        started = next(((event.at, event.body) for event in every if isinstance(event.body, CellStarted)), None)
        if end <= offset or started is None:
            return False
        run_id = self._known(path.name)
        if run_id is None:
            tags = content.cell_tags(started[1], self.study_id, self.parent)
            run_id = self._adopt(path.name, path.stem, content.cell_name(started[1]), started[0], tags)
        new = [event for event in every if event.end > self.ledger.offset(path.name)]
        self._describe(run_id, every, new, started[1].metric)
        for event in new:
            self._cell_event(run_id, event)
        self.ledger.note(replace(self.ledger.entries[path.name], offset=end))
        return True

    def _describe(self, run_id: str, every: list[Event], new: list[Event], metric: str) -> None:
        """Log what is new of a cell in one call: to a store, calls cost more than what is in them."""
        shown = [event.body for event in every if isinstance(event.body, CellPoint)]
        params: dict[str, str] = {}
        tags: dict[str, str] = {}
        values: list[content.Value] = []
        for event in new:
            if isinstance(event.body, CellStarted):
                params |= content.cell_params(event.body) | content.trial_params(event.body)
            elif isinstance(event.body, CellPoint):
                values += content.point_values(event.body.point, metric, event.at)
            elif isinstance(event.body, CellFinished):
                values += content.result_values(event.body, shown, event.at)
                tags["reused"] = "true" if event.body.reused else "false"
            elif isinstance(event.body, CellEvaluated):
                before = [e.body.result for e in every if isinstance(e.body, _WITH_RESULT) and e.end < event.end]
                values += content.later_values(event.body.result, before, event.at)
        self.runs.log(run_id, params=params, tags=tags, values=values)

    def _cell_event(self, run_id: str, event: Event) -> None:
        body = event.body
        if isinstance(body, CellStarted):
            self.runs.text(run_id, "config.json", body.config)
        elif isinstance(body, CellFinished):
            self.runs.data_sets(run_id, content.data_sets(body.result))
            self.runs.text(run_id, "result.json", encode(body.result))
            if body.samples and self.store.texts:
                columns = [field.name for field in fields(Sample)]
                rows = [[getattr(sample, name) for name in columns] for sample in body.samples]
                self.runs.table(run_id, "samples.json", columns, rows)
            self.runs.end(run_id, "FINISHED", event.at)
        elif isinstance(body, CellEvaluated):
            self.runs.data_sets(run_id, content.data_sets(body.result))
            self.runs.text(run_id, "result.json", encode(body.result))
        elif isinstance(body, Pruned):
            self.runs.log(
                run_id, tags={"current": "no", "pruned": "true", content.NOTE: "Pruned, or paused, by the sweep."}
            )
            self.runs.end(run_id, "KILLED", event.at)
        elif isinstance(body, Failed | Killed):
            self._end_badly(run_id, body, event.at)

    def _end_badly(self, run_id: str, body: Failed | Killed, at: int) -> None:
        if isinstance(body, Failed):
            reason = _WITHHELD if body.quotes and not self.store.texts else body.reason
            self.runs.log(run_id, tags={"failure": reason, content.NOTE: f"Failed: {reason}"})
            self.runs.end(run_id, "FAILED", at)
        else:
            self.runs.log(run_id, tags={"current": "no", content.NOTE: "Stopped before it had a result."})
            self.runs.end(run_id, "KILLED", at)

    def _known(self, file: str) -> str | None:
        """The run of a file of events, unless the store has lost it: then it is to be told everything again."""
        entry = self.ledger.entries.get(file)
        if entry is None or not entry.run_id:
            return None
        if self.runs.alive(entry.run_id):
            return entry.run_id
        self.ledger.forget(file)
        return None

    def _adopt(self, file: str, attempt: str, name: str, at: int, tags: dict[str, str]) -> str:
        """The run that an earlier replay created just before it died, or a new one."""
        tag = f"{self.study_id}/{attempt}"
        run_id = self.runs.find(self.experiment_id, tag)
        run_id = run_id or self.runs.create(self.experiment_id, tag, name, at, tags)
        self.ledger.note(Entry(file=file, experiment_id=self.experiment_id, run_id=run_id, offset=0))
        return run_id

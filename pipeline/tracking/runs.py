"""The calls to MLflow: experiments, runs and what is in them. Each may be repeated without changing anything."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS

from pipeline.files import digest
from pipeline.tracking import views
from pipeline.tracking.content import ATTEMPT, NOTE, DataSet, Value
from pipeline.tracking.store import Store

_BATCH = 900  # metrics in one call, of the thousand entries that MLflow allows
_PAGE = 1000  # runs in one answer


class Runs:
    """Experiments and runs in one store.

    Raises:
        mlflow.exceptions.MlflowException, OSError: the store could not be reached or refused a call.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.client = MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name; it is created, or brought back if it was deleted."""
        existing = self.client.get_experiment_by_name(name)
        if existing is None:
            place = (self.store.artifacts / digest(name)[:16]).as_uri() if self.store.address is None else None
            return self._create_experiment(name, place)
        if existing.lifecycle_stage == "deleted":
            self.client.restore_experiment(existing.experiment_id)
        return str(existing.experiment_id)

    def _create_experiment(self, name: str, place: str | None) -> str:
        try:
            return str(self.client.create_experiment(name, artifact_location=place))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return self.experiment(name)

    def find(self, experiment_id: str, attempt: str) -> str | None:
        """The id of the run of this attempt, if there is one."""
        clause = f'tags."{ATTEMPT}" = "{attempt}"'
        runs = self.client.search_runs([experiment_id], clause, max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def create(self, experiment_id: str, attempt: str, name: str, at: int, tags: Mapping[str, str]) -> str:
        """The id of a new run that started at `at`; its attempt is its tag from the first moment on."""
        run = self.client.create_run(experiment_id, start_time=at, tags={**tags, ATTEMPT: attempt}, run_name=name)
        return str(run.info.run_id)

    def alive(self, run_id: str) -> bool:
        """Whether the run exists; one that somebody deleted is brought back."""
        try:
            stage = self.client.get_run(run_id).info.lifecycle_stage
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        if stage == "deleted":
            self.client.restore_run(run_id)
        return True

    def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        values: Sequence[Value] = (),
    ) -> None:
        """Set parameters and tags and log metrics; the same value at the same time and step counts once."""
        given = [Param(k, v[:500]) for k, v in (params or {}).items()]
        named = [RunTag(k, v[:5000]) for k, v in (tags or {}).items()]
        metrics = [Metric(v.key, v.value, v.at, v.step) for v in values]
        self.client.log_batch(run_id, metrics[:_BATCH], given, named)
        for first in range(_BATCH, len(metrics), _BATCH):
            self.client.log_batch(run_id, metrics[first : first + _BATCH])

    def data_sets(self, run_id: str, sets: Iterable[DataSet]) -> None:
        """Link the run to the sets it was trained and tested on."""
        inputs = [
            DatasetInput(
                Dataset(
                    s.name,
                    s.digest,
                    "headstart",
                    json.dumps({"name": s.name}),
                    profile=json.dumps({"num_rows": s.rows}),
                ),
                [InputTag("mlflow.data.context", s.context)],
            )
            for s in sets
        ]
        self.client.log_inputs(run_id, inputs)

    def text(self, run_id: str, name: str, value: Any) -> None:
        """Store a value as a JSON artifact."""
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
        self.client.log_text(run_id, text + "\n", name)

    def table(self, run_id: str, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Store a table where MLflow lists tables. Its own `log_table` would add the same rows again each time."""
        self.text(run_id, name, {"columns": list(columns), "data": [list(row) for row in rows]})
        self.client.set_tag(run_id, MLFLOW_LOGGED_ARTIFACTS, json.dumps([{"path": name, "type": "table"}]))

    def files(self, run_id: str, paths: Iterable[Path]) -> None:
        """Store the files that exist as artifacts."""
        for path in paths:
            if path.is_file():
                self.client.log_artifact(run_id, str(path))

    def end(self, run_id: str, status: str, at: int) -> None:
        """FINISHED, FAILED or KILLED at `at`."""
        self.client.set_terminated(run_id, status, at)

    def reopen(self, run_id: str) -> None:
        """Running again."""
        self.client.update_run(run_id, status="RUNNING")

    def note(self, experiment_id: str, text: str) -> None:
        """What lists and the head of the page say of the experiment."""
        self.client.set_experiment_tag(experiment_id, NOTE, text)

    def save_views(self, experiment_id: str, study_id: str, metric: str, at: int, *, runs: str = "cell") -> None:
        """Provision the saved views of the runs of one kind."""
        for key, value in views.tags(study_id, metric, at, runs):
            self.client.set_experiment_tag(experiment_id, key, value)

    def mark_current(
        self, experiment_id: str, study_id: str, finished: Sequence[str], failed: Sequence[str], *, runs: str = "cell"
    ) -> None:
        """Tag as current, of the study's runs, the last of each cell that ended as the findings say."""
        wanted = dict.fromkeys(failed, "FAILED") | dict.fromkeys(finished, "FINISHED")
        for run in self._cells(experiment_id, study_id, runs):
            holds = wanted.get(run.data.tags.get("cell_id", "")) == run.info.status
            if holds:
                del wanted[run.data.tags["cell_id"]]
            current = "yes" if holds else "no"
            if run.data.tags.get("current") != current:
                self.client.set_tag(run.info.run_id, "current", current)

    def _cells(self, experiment_id: str, study_id: str, runs: str) -> Iterable[Any]:
        clause = f'tags.kind = "{runs}" and tags.study_id = "{study_id}"'
        order, token = ["attributes.end_time DESC"], None
        while True:
            page = self.client.search_runs([experiment_id], clause, ViewType.ACTIVE_ONLY, _PAGE, order, token)
            yield from page
            token = page.token
            if not token:
                return

"""Registered models in the tracking store: versions, the alias of the one in use, and tags."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.types.schema import Array, DataType, Map
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import ServiceError, UserError, nearest
from pipeline.files import lock
from pipeline.tracking.replay import in_words
from pipeline.tracking.runs import Runs
from pipeline.tracking.store import PASSWORD, QUIET, USERNAME, Store

CHAMPION = "champion"  # the alias of the version in use
EXPERIMENT = "registered models"
CODE = Path(__file__).with_name("served_model.py")  # kept with each version, which MLflow loads by it
NO_BARS = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
EXAMPLE = "the weather was fine"  # made up, since texts of the data stay out of a version
Answers = Callable[[pd.DataFrame], pd.DataFrame]

_NUMBER, _TEXT = DataType.double, DataType.string
_COLUMNS: dict[str, Any] = {
    "label": _TEXT,
    "labels": Array(_TEXT),
    "probability": _NUMBER,
    "probabilities": Map(_NUMBER),
    "similarity": _NUMBER,
}


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a version is made of.

    Args:
        folder: files of the network, with served.json.
        inputs: names of the columns of texts.
        outputs: names of the columns of predictions, in order.
        requirements: packages with their versions, all that it needs.
    """

    folder: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    requirements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a registered model, and its tags."""

    name: str
    number: int
    tags: dict[str, str]


class Registry:
    """The models that are registered in one store.

    Raises:
        ServiceError: by each method, if the store could not be reached or refused a call.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        with self._answering(), lock(store.creation_lock):
            self.runs = Runs(store)
            self.client = MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)

    def log(self, contents: Contents, run_name: str, check: Callable[[Answers], None]) -> str:
        """Log a model in a run of its own, and compare what it answers before anyone can use it.

        Args:
            contents: what it is made of.
            run_name: the run's name.
            check: given the loaded model, raises if it must not be registered; the run is then deleted.

        Returns:
            The model's URI.
        """
        with self._answering():
            experiment = self.runs.experiment(EXPERIMENT)
            with mlflow.start_run(experiment_id=experiment, run_name=run_name) as run:
                info = mlflow.pyfunc.log_model(
                    name="model",
                    python_model=str(CODE),
                    artifacts={"model": str(contents.folder)},
                    signature=_signature(contents),
                    input_example=pd.DataFrame({name: [EXAMPLE] for name in contents.inputs}),
                    pip_requirements=list(contents.requirements),
                )
            uri = str(info.model_uri)
            try:
                check(mlflow.pyfunc.load_model(uri).predict)
            except BaseException:
                self.client.delete_logged_model(info.model_id)
                self.client.delete_run(run.info.run_id)
                raise
            return uri

    def add(self, name: str, uri: str, tags: Mapping[str, str]) -> Version:
        """Make the model at `uri` the next version of `name`, and give it the alias `champion`."""
        with self._answering():
            version = mlflow.register_model(uri, name, tags=dict(tags))
            self.client.set_registered_model_alias(name, CHAMPION, version.version)
            return Version(name=name, number=int(version.version), tags=dict(tags))

    def champion(self, name: str) -> Version:
        """The version of `name` in use.

        Raises:
            UserError: no model of this name is registered, or none of its versions is in use.
        """
        with self._answering():
            known = [model.name for model in self.client.search_registered_models()]
            if name not in known:
                raise UserError(f"No model {name!r} is registered. {nearest(name, known)}")
            if CHAMPION not in self.client.get_registered_model(name).aliases:
                raise UserError(f"No version of {name!r} has the alias {CHAMPION}. Register one: register cell=ID.")
            version = self.client.get_model_version_by_alias(name, CHAMPION)
            return Version(name=name, number=int(version.version), tags=dict(version.tags))

    def load(self, version: Version) -> Any:
        """The model of a version, as `mlflow.pyfunc.load_model` returns it."""
        with self._answering():
            return mlflow.pyfunc.load_model(f"models:/{version.name}/{version.number}")

    def tags(self, name: str) -> dict[str, str]:
        """The tags of the registered model, over all its versions."""
        with self._answering():
            return dict(self.client.get_registered_model(name).tags)

    def tag(self, name: str, key: str, value: str) -> None:
        """Set one of them."""
        with self._answering():
            self.client.set_registered_model_tag(name, key, value)

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        """MLflow's calls in the block go to the store; afterwards its global settings are as before."""
        before = dict(os.environ)
        given = {USERNAME: self.store.username, PASSWORD: self.store.password}
        os.environ.update(QUIET | NO_BARS | {name: value for name, value in given.items() if value})
        mlflow.set_tracking_uri(self.store.uri)
        mlflow.set_registry_uri(self.store.uri)
        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise ServiceError(f"The model registry refused: {in_words(error)}") from error
        finally:
            mlflow.set_tracking_uri("")
            mlflow.set_registry_uri("")
            os.environ.clear()
            os.environ.update(before)


def _signature(contents: Contents) -> ModelSignature:
    return ModelSignature(
        inputs=Schema([ColSpec(_TEXT, name) for name in contents.inputs]),
        outputs=Schema([ColSpec(_COLUMNS[name], name, required=False) for name in contents.outputs]),
    )

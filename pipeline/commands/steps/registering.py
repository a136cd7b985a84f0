"""From a finished cell to a version of a registered model: what `register` and `challenge` share."""

import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.formats.served import served
from pipeline.commands.steps.exported import Checked, check, require_tested
from pipeline.commands.steps.trained import Trained
from pipeline.config.schema import Config, Paths, Serve
from pipeline.config.search_path import program
from pipeline.errors import ConfigError, ServiceError
from pipeline.files import safe_name
from pipeline.study.plan import plan_of_cell
from pipeline.tracking.store import Store, store_of

if TYPE_CHECKING:
    from pipeline.tracking.registry import Answers, Registry, Version

CELL = "headstart.cell"  # the tag of a version that names its cell


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A new version, and how its answers were checked."""

    version: "Version"
    checked: Checked

    def sentences(self, trained: Trained, store: Store) -> list[str]:
        """What is printed of it."""
        name = self.version.name
        model = f"-m models:/{name}@champion --env-manager local --host 127.0.0.1 --port {Serve().port}"
        return [
            f"Registered {trained.result.key.label} (cell {trained.result.cell_id}) as {name}, version "
            f"{self.version.number}, and gave it the alias champion.",
            f"Checked with {self.checked.by}: the registered model gives the cell's scores on {self.checked.items} "
            f"test texts (largest difference {self.checked.worst:.1e}).",
            f"Serve it: {serving(store, name)}",
            f"Without Headstart: MLFLOW_TRACKING_URI={shlex.quote(store.uri)} mlflow models serve {model}",
        ]


def serving(store: Store, name: str) -> str:
    """The command that serves the champion of `name`."""
    elsewhere = [f"tracking=server tracking.uri={store.address}"] if store.address else []
    elsewhere += [f"paths.root={shlex.quote(str(store.root))}"] if str(store.root) != Paths().root else []
    return " ".join([program(), "serve", f"name={name}", *elsewhere])


def named(config: Config) -> str:
    """What the registered model is called.

    Raises:
        ConfigError: no name was given.
        UserError: it is no name.
    """
    if not config.name:
        raise ConfigError(["name must be what the model is called in the registry, but got none. Use name=reviews."])
    return safe_name(config.name, "name")


def store_for_models(config: Config) -> Store:
    """The tracking store, which holds the registry.

    Raises:
        ServiceError: `tracking=none` has none.
    """
    store = store_of(config.tracking, Path(config.paths.root))
    if store is None:
        raise ServiceError("tracking=none has no model registry. Use tracking=local or tracking=server.")
    return store


def register(registry: "Registry", name: str, trained: Trained, config: Config, tags: Mapping[str, str]) -> Registered:
    """Add a cell as the next version of the model `name` and give it the alias `champion`.

    Args:
        registry: where.
        name: the model's.
        trained: the cell.
        config: where its data and scores are.
        tags: of the version, beside those that describe the cell.

    Raises:
        UserError: it is a trial of a sweep, or not a kind of network that can be registered.
        HeadstartError: the loaded model does not give the cell's scores.
        ServiceError: the registry did not answer.
    """
    from pipeline.tracking.registry import Contents

    model, checks = served(require_tested(trained)), list[Checked]()
    plan = plan_of_cell(trained.cell, config)

    def compare(answers: "Answers") -> None:
        checks.append(check(trained, plan, replace(model, answers=answers), Path()))

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        folder.mkdir()
        model.save(folder)
        contents = Contents(
            folder=folder,
            inputs=model.inputs,
            outputs=model.outputs,
            requirements=model.requirements,
        )
        uri = registry.log(contents, f"{name}: {trained.result.key.label}", compare)
    return Registered(version=registry.add(name, uri, {**_described(trained), **tags}), checked=checks[0])


def _described(trained: Trained) -> dict[str, str]:
    key = trained.result.key
    return {
        CELL: trained.result.cell_id,
        "headstart.task": key.task,
        "headstart.arm": key.arm,
        "headstart.base": key.base,
        "headstart.size": str(key.size),
    }

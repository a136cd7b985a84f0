"""From overrides to a checked, frozen Config. Hydra composes; its errors become one sentence each."""

import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.config.schema import Config
from pipeline.config.twin import twin
from pipeline.config.validate import violations
from pipeline.config.where import own_root
from pipeline.config.where import search_path as own_search_path
from pipeline.errors import ConfigError, StorageError, nearest
from pipeline.records import decode


class OwnFilesFirst(SearchPathPlugin):
    """Puts the working directory's conf/ and experiments/ before the package's own."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        for entry in reversed(own_search_path()):
            search_path.prepend(provider="headstart", path=entry)


@functools.cache
def register() -> None:
    """Make the schema and the search path known to Hydra; done once a process."""
    ConfigStore.instance().store(name="schema", node=twin(Config))
    Plugins.instance().register(OwnFilesFirst)


def compose(overrides: Sequence[str] = ()) -> Config:
    """The configuration that `overrides` (Hydra's grammar) describe, checked.

    Raises:
        ConfigError: naming every rule that is broken, with the value, the remedy and the nearest valid name.
    """
    register()
    tree = _compose_tree(list(overrides))
    try:
        config = decode(Config, tree, "config")
    except StorageError as error:
        raise ConfigError([str(error).replace("config.", "", 1)]) from error
    found = violations(config)
    if found:
        raise ConfigError(found)
    return config


def _compose_tree(overrides: list[str]) -> dict[str, Any]:
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(own_root() / "conf"), version_base="1.3"):
            composed = hydra_compose("config", overrides=overrides)
            tree = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ConfigError([explain(error)]) from error
    assert isinstance(tree, dict)
    return {str(k): v for k, v in tree.items()}


def explain(error: Exception) -> str:
    """One sentence for an error of Hydra or OmegaConf."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _explain_missing(str(error.missing_cfg_file), list(error.options or ()))
    if isinstance(error, OverrideParseException):
        return f"The override {error.override!r} is not valid: {text.splitlines()[0]}. The form is name=value."
    for cause in _chain(error):
        explained = _explain_key(str(cause))
        if explained:
            return explained
    return " ".join(_plain_lines(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _explain_missing(name: str, options: list[str]) -> str:
    group, _, choice = name.rpartition("/")
    if not group:
        return f"There is no configuration group {name!r}. {nearest(name, _groups())}"
    return f"{group}={choice}: there is no such {group}. {nearest(choice, options)}"


def _explain_key(text: str) -> str | None:
    patterns = (
        r"Could not override '(?P<key>[^']+)'",
        r"Key '(?P<last>[^']+)' (?:is )?not in (?:struct|'[^']*')\s+full_key: (?P<key>\S+)",
    )
    for pattern in patterns:
        found = re.search(pattern, text)
        if found:
            key = found["key"]
            return f"{key}: there is no such setting. {_nearest_key(key)}"
    found = re.search(r"(?P<why>Value .* could not be converted to .*|Invalid .*)\s+full_key: (?P<key>\S+)", text)
    return f"{found['key']}: {found['why'].strip()}." if found else None


def _nearest_key(key: str) -> str:
    keys = list(_keys(twin(Config)))
    parent = key.rpartition(".")[0]
    siblings = [k for k in keys if k.rpartition(".")[0] == parent] + ([] if parent else _groups())
    hint = nearest(key, siblings or keys).split("Valid:")[0]
    return hint + (f"Valid here: {', '.join(sorted(siblings))}." if siblings else "")


def _keys(kind: Any, prefix: str = "") -> Iterator[str]:
    for spec in dataclasses.fields(kind):
        name = f"{prefix}{spec.name}"
        if dataclasses.is_dataclass(spec.type):
            yield from _keys(spec.type, f"{name}.")
        else:
            yield name


def _groups() -> list[str]:
    return [*sorted(p.name for p in (own_root() / "conf").iterdir() if p.is_dir()), "experiments"]


def _plain_lines(error: Exception) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip() and "object_type" not in line]

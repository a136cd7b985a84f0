"""From overrides to a checked, frozen Config. Hydra composes; its errors become one sentence each."""

import functools
from collections.abc import Sequence
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, OverrideParseException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from pipeline.config.choices import wrong_choices
from pipeline.config.explain import NAMED, explain
from pipeline.config.redaction import redacted
from pipeline.config.schema import Config
from pipeline.config.twin import is_text, twin
from pipeline.config.validate import checked
from pipeline.config.where import own_root
from pipeline.config.where import search_path as own_search_path
from pipeline.errors import ConfigError

_SPACES = ("arm.space", "task.space", "sweep.space")  # ranges by the dotted name of a setting
_FREE = ("task.data.label_names", "task.data.where", "sweep.constraints", *_SPACES)  # by a name of the user's
_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, ValueError)


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


def compose(overrides: Sequence[str] = (), *, trained: bool = False) -> Config:
    """The configuration that `overrides` (Hydra's grammar) describe, checked.

    Args:
        trained: only finished cells are used, so that base and data need not be named.

    Raises:
        ConfigError: naming every rule that is broken, with the value, the remedy and the nearest valid name.
    """
    return checked(_tree(overrides), trained=trained)


def shown(overrides: Sequence[str] = (), package: str = "") -> str:
    """The same as YAML, or the part of it called `package`; secrets are masked.

    Raises:
        ConfigError: as `compose`, or there is no such part.
    """
    tree = _tree(overrides)
    checked(tree)
    whole = OmegaConf.create(redacted(tree))
    part = OmegaConf.select(whole, package) if package else whole
    if part is None:
        raise ConfigError([f"--package {package}: there is no such part of the configuration."])
    return OmegaConf.to_yaml(part) if OmegaConf.is_config(part) else f"{part}\n"


def _tree(overrides: Sequence[str]) -> dict[str, Any]:
    register()
    try:
        parsed = parse(overrides)
        wrong = list(wrong_choices(parsed))
        if wrong:
            raise ConfigError(wrong)
        added = [o for o in parsed if _is_entry(o)]
        composed = _composed([o for o in parsed if o not in added])
        tree = OmegaConf.to_container(_with_entries(composed, added), resolve=True, throw_on_missing=True)
    except _ERRORS as error:
        raise ConfigError([explain(error, _entries(overrides))]) from error
    assert isinstance(tree, dict)
    return {str(k): v for k, v in tree.items()}


def _composed(overrides: Sequence[Override]) -> DictConfig:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(own_root() / "conf"), version_base="1.3"):
        return hydra_compose("config", overrides=[str(o.input_line) for o in overrides])


def _entries(overrides: Sequence[str]) -> list[str]:
    """Names of the entries that there are without the overrides of entries; none where others are wrong as well."""
    try:
        composed = _composed([o for o in parse(overrides) if not f"{o.key_or_group}.".startswith(NAMED)])
    except _ERRORS:
        return []
    return [f"{group}{name}" for group in NAMED for name in OmegaConf.select(composed, group[:-1]) or ()]


def parse(overrides: Sequence[str]) -> list[Override]:
    """The overrides as Hydra reads them. Free text is taken as it stands: commas and apostrophes need no quotes."""
    return [_parse_one(o) for o in overrides]


def _parse_one(override: str) -> Override:
    name, _, value = override.partition("=")
    if name == "predict.text" and value[:1] not in "'\"":
        return _read(_quoted(override))
    try:
        found = _read(override)
        return _read(_quoted(override)) if _text_like_a_number(found, value) else found
    except OverrideParseException:
        if "=" not in override or value[:1] in "'\"[{":
            raise
        return _read(_quoted(override))


def _text_like_a_number(found: Override, value: str) -> bool:
    """Whether Hydra took a text for a number and would write it in another way: a cell called 12e45, a study 007."""
    number = not found.is_delete() and found.is_sweep_override() is False and type(found.value()) in (int, float)
    return number and str(found.value()) != value and is_text(twin(Config), found.key_or_group)


def _read(override: str) -> Override:
    """Read by Hydra. Its `parse_override`, for a single one, raises an error that does not name it."""
    (found,) = OverridesParser.create().parse_overrides([override])
    return found


def _quoted(override: str) -> str:
    name, _, value = override.partition("=")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def for_hydra(overrides: Sequence[str]) -> list[str]:
    """Those of the overrides that Hydra can apply by itself."""
    return [str(o.input_line) for o in parse(overrides) if not _is_entry(o)]


def _is_entry(override: Override) -> bool:
    key = override.key_or_group
    return (override.is_add() and key.startswith(NAMED)) or (not override.is_delete() and key.startswith(_FREE))


def _with_entries(composed: DictConfig, added: Sequence[Override]) -> DictConfig:
    """Merge entries of dictionaries in: assigned, as Hydra does it, new ones and numbers as names are refused."""
    if not added:
        return composed
    OmegaConf.set_struct(composed, False)
    for override in added:
        value: Any = _with_text_keys(override.value())
        for part in reversed(_path(override.key_or_group)):
            value = {part: value}
        composed.merge_with(value)
    return composed


def _path(key: str) -> list[str]:
    """The parts of a setting's name; what follows `space.` is one name, dots and all."""
    space = next((s for s in _SPACES if key.startswith(f"{s}.")), None)
    return [*space.split("."), key.removeprefix(f"{space}.")] if space else key.split(".")


def _with_text_keys(value: Any) -> Any:
    return {str(k): _with_text_keys(v) for k, v in value.items()} if isinstance(value, dict) else value

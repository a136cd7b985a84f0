"""From overrides to a checked, frozen Config. Hydra composes; its errors become one sentence each."""

import functools
from collections.abc import Sequence
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from pipeline.config.choices import wrong_choices
from pipeline.config.explain import NAMED, explain
from pipeline.config.preset_files import OwnFilesFirst, PresetFiles, about_used_files, choose
from pipeline.config.redaction import redacted
from pipeline.config.rules.validate import checked
from pipeline.config.schema import Config
from pipeline.config.search_path import own_root
from pipeline.config.structured_config import twin
from pipeline.config.typed_text import in_free_dictionary, protected, restored
from pipeline.errors import ConfigError

_ERRORS = (HydraException, OmegaConfBaseException, YAMLError, ValueError)


@functools.cache
def register() -> None:
    """Make the schema and the search path known to Hydra; done once a process."""
    ConfigStore.instance().store(name="schema", node=twin(Config))
    Plugins.instance().register(OwnFilesFirst)
    Plugins.instance().register(PresetFiles)


def compose(overrides: Sequence[str] = (), *, trained: bool = False) -> Config:
    """The configuration that `overrides` (Hydra's grammar) describe, checked.

    Args:
        trained: only finished cells are used, so that base and data need not be named.

    Raises:
        ConfigError: naming every rule that is broken, with the value, the remedy and the nearest valid name.
    """
    return checked(unchecked(overrides), trained=trained)


def shown(overrides: Sequence[str] = (), package: str = "") -> str:
    """The same as YAML, or the part of it called `package`; secrets are masked.

    Raises:
        ConfigError: as `compose`, or there is no such part.
    """
    tree = unchecked(overrides)
    checked(tree)
    whole = OmegaConf.create(redacted(tree))
    part = OmegaConf.select(whole, package) if package else whole
    if part is None:
        raise ConfigError([f"--package {package}: there is no such part of the configuration."])
    return OmegaConf.to_yaml(part) if OmegaConf.is_config(part) else f"{part}\n"


def unchecked(overrides: Sequence[str]) -> dict[str, Any]:
    """The configuration as nested dictionaries, before types and rules are checked.

    Raises:
        ConfigError: an override cannot be read, or names what there is not.
    """
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
        explained = restored(explain(error, _entries(overrides)))
        raise ConfigError([" ".join([explained, *about_used_files()])]) from error
    assert isinstance(tree, dict)
    return {str(k): v for k, v in restored(tree).items()}


def _composed(overrides: Sequence[Override]) -> DictConfig:
    GlobalHydra.instance().clear()
    choose(overrides)
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
    """The overrides as Hydra reads them, with texts as they stand: see `pipeline.config.typed_text`."""
    return [_parse_one(protected(o)) for o in overrides]


def _parse_one(override: str) -> Override:
    """A value with accents or an apostrophe, of a choice or of a size, needs no quotes either."""
    name, equals, value = override.partition("=")
    try:
        return _read(override)
    except OverrideParseException:
        if not equals or value[:1] in "'\"[{":
            raise
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return _read(f'{name}="{escaped}"')


@functools.lru_cache(maxsize=1024)  # a study is composed once for each of its arms
def _read(override: str) -> Override:
    """Read by Hydra. Its `parse_override`, for a single one, raises an error that does not name it."""
    (parsed,) = OverridesParser.create().parse_overrides([override])
    return parsed


def for_hydra(overrides: Sequence[str]) -> list[str]:
    """Those of the overrides that Hydra can apply by itself."""
    return [str(o.input_line) for o in parse(overrides) if not _is_entry(o)]


def _is_entry(override: Override) -> bool:
    key = override.key_or_group
    return (override.is_add() and key.startswith(NAMED)) or (not override.is_delete() and in_free_dictionary(key))


def _with_entries(composed: DictConfig, added: Sequence[Override]) -> DictConfig:
    """Merge entries of dictionaries in: assigned, as Hydra does it, new ones are refused."""
    if not added:
        return composed
    OmegaConf.set_struct(composed, False)
    for override in added:
        value: Any = override.value()
        for part in reversed(override.key_or_group.split(".")):
            value = {part: value}
        composed.merge_with(value)
    return composed

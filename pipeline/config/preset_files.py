"""Files of presets and studies. The working folder's add choices; one named like a preset is used where it is chosen.

Working folders hold the configuration of other programs too. So what is used without being asked for, the root
configuration and the default of each group, is always the package's own.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import yaml  # type: ignore[import-untyped]
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override
from hydra.plugins.config_source import ConfigResult
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf._utils import get_yaml_loader

from pipeline.config.choices import EXPERIMENTS, groups
from pipeline.config.search_path import own_root, preset_folders, search_roots
from pipeline.config.typed_text import protected_yaml
from pipeline.language import Sentence, said

_SCHEME = "headstart"
_chosen: set[str] = set()  # "group/name", by the composition in progress
_contents: dict[tuple[str, str], Any] = {}  # what the YAML of a file means, by its text and package
_used: dict[Path, str] = {}  # own files that took the place of the preset of this name, by any composition


class OwnFilesFirst(SearchPathPlugin):
    """Puts the working directory's conf/ and experiments/ before the package's own."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Called by Hydra before it composes."""
        entries = [entry for entry in search_path.get_path() if entry.provider != "main"]
        search_path.get_path()[:] = entries
        for place in reversed(preset_folders()):
            search_path.prepend(provider="headstart", path=f"{_SCHEME}://{place}")


class PresetFiles(FileConfigSource):
    """A folder with groups of presets; its YAML is read with texts as they stand there."""

    @staticmethod
    def scheme() -> str:
        """What its entries of the search path begin with."""
        return _SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        """The file of this name, e.g. "task/sentiment"."""
        name, group = config_path.removesuffix(".yaml"), config_path.rpartition("/")[0].replace("/", ".")
        if self._is_foreign and (own_root() / _file(name)).is_file():
            _used[Path(self.path) / f"{name}.yaml"] = name
        with open(Path(self.path) / f"{name}.yaml", encoding="utf-8") as stream:
            header = self._get_header_dict(stream.read(512))
            stream.seek(0)
            package = str(header.get("package") or group).replace("_group_", group).removeprefix("_global_")
            config = _read(stream, package.removeprefix("."))
        return ConfigResult(provider=self.provider, path=f"{_SCHEME}://{self.path}", config=config, header=header)

    def is_group(self, config_path: str) -> bool:
        """Whether it has a folder of this name."""
        return self._serves(config_path) and super().is_group(config_path)

    def is_config(self, config_path: str) -> bool:
        """Whether it has a file of this name that may be used."""
        return self._serves(config_path) and super().is_config(config_path)

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Names of the groups and files in a folder."""
        return list(super().list(config_path, results_filter)) if self.is_group(config_path) else []

    @property
    def _is_foreign(self) -> bool:
        return Path(self.path) not in (own_root(), own_root() / "conf")

    def _serves(self, config_path: str) -> bool:
        """Of the folder around it, experiments/ alone; of another than the package's own, what may be used."""
        if not config_path:
            return True
        group, name = config_path.partition("/")[0], config_path.removesuffix(".yaml")
        if Path(self.path) not in [root / "conf" for root in search_roots()]:
            return group == EXPERIMENTS
        return not self._is_foreign or (group in groups() and (name in _chosen or name not in _defaults()))


def choose(overrides: Iterable[Override]) -> None:
    """Say which presets the next composition asks for by name."""
    _chosen.clear()
    _chosen.update(
        f"{o.key_or_group}/{o.value()}" for o in overrides if not o.is_delete() and not o.is_sweep_override()
    )


def about_own_files() -> tuple[Sentence, ...]:
    """A sentence for each own file that took the place of a preset in this process, and for each that might have."""
    here = Path.cwd().resolve()
    if here == own_root():
        return ()
    used = _used_here()
    idle = [name for name in _defaults() if name not in used and (here / _file(name)).is_file()]
    return (
        *about_used_files(),
        *(
            said(
                "{file} of the working folder is not used: the default is the preset of this name. To use the file: "
                "{choice}.",
                file=_file(name),
                choice=name.replace("/", "="),
            )
            for name in idle
        ),
    )


def about_used_files() -> tuple[Sentence, ...]:
    """A sentence for each own file that took the place of a preset in this process."""
    return tuple(
        said("{file} of the working folder was used instead of the preset of this name.", file=_file(name))
        for name in _used_here()
    )


def _used_here() -> list[str]:
    here = Path.cwd().resolve()
    return [name for file, name in _used.items() if here in file.parents]


def _file(name: str) -> str:
    return f"{name}.yaml" if name.startswith(f"{EXPERIMENTS}/") else f"conf/{name}.yaml"


@cache
def _defaults() -> tuple[str, ...]:
    """The presets that are used where none is chosen."""
    listed = yaml.safe_load((own_root() / "conf" / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    return tuple(f"{g}/{n}" for entry in listed if isinstance(entry, dict) for g, n in entry.items() if n)


def _read(stream: TextIO, package: str) -> DictConfig | ListConfig:
    """See `protected_yaml`; what OmegaConf.load makes of an empty file and of a bare word is kept."""
    key = stream.read(), package
    if key not in _contents:
        stream.seek(0)
        _contents[key] = _parsed(stream, package)
    data = _contents[key]
    return OmegaConf.create({data: None} if isinstance(data, str) else data)


def _parsed(stream: TextIO, package: str) -> Any:
    loader = get_yaml_loader()(stream)
    try:
        node = loader.get_single_node()
        return loader.construct_document(protected_yaml(node, package)) if node else {}
    finally:
        loader.dispose()

"""What a base in Sentence Transformers' format declares of itself: how its positions are pooled, and its prefix."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.schema import Pooling
from pipeline.errors import BaseModelError, nearest

_MODES: dict[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_lasttoken": "last",
}
_REMEDY = "State what a classifier should read: base.pooling=mean, cls or last."


@dataclass(frozen=True, kw_only=True)
class Declared:
    """`pooling` is "auto" where the base declares none; `files` are those that were read."""

    pooling: Pooling = "auto"
    prefix: str = ""
    files: tuple[Path, ...] = ()


def declared(directory: Path) -> Declared:
    """Read modules.json, the pooling's config.json and config_sentence_transformers.json, as far as they are there.

    Raises:
        BaseModelError: one is damaged, or declares a pooling that is none of those that Headstart has.
    """
    modules, prompts = directory / "modules.json", directory / "config_sentence_transformers.json"
    read = [file for file in (modules, prompts) if file.is_file()]
    pooling: Pooling = "auto"
    if modules.is_file():
        folder = next((m["path"] for m in _modules(modules) if str(m.get("type", "")).endswith("Pooling")), None)
        if folder is not None:
            file = _inside(directory, folder) / "config.json"
            # A copy without its subfolders still says that it is pooled, and the mean is the format's default.
            pooling, read = (_pooling(file), [*read, file]) if file.is_file() else ("mean", read)
    prefix = _prefix(prompts) if prompts.is_file() else ""
    return Declared(pooling=pooling, prefix=prefix, files=tuple(read))


def network_folder(directory: Path) -> Path:
    """Where a base's network and tokenizer are: in a folder of their own, as older releases of the format save them.

    Raises:
        BaseModelError: modules.json is damaged.
    """
    modules = directory / "modules.json"
    if (directory / "config.json").is_file() or not modules.is_file():
        return directory
    folders = [m["path"] for m in _modules(modules) if str(m.get("type", "")).endswith(".Transformer")]
    return _inside(directory, folders[0]) if folders and folders[0] else directory


def _modules(file: Path) -> list[Mapping[str, Any]]:
    modules = _json(file)
    if not isinstance(modules, list) or not all(
        isinstance(m, dict) and isinstance(m.get("path"), str) for m in modules
    ):
        raise BaseModelError(f"{file} must be a list of modules with a path each. Copy it again.")
    return modules


def _inside(directory: Path, folder: str) -> Path:
    if Path(folder).name != folder:
        raise BaseModelError(f"{directory / 'modules.json'} must name folders beside it, but names {folder!r}.")
    return directory / folder


def _pooling(file: Path) -> Pooling:
    settings = _json(file)
    if not isinstance(settings, dict):
        raise BaseModelError(f"{file} must hold settings by name. Copy it again. {_REMEDY}")
    named = settings.get("pooling_mode")  # as newer releases write it
    modes = (
        [named] if isinstance(named, str) else [n for n, on in settings.items() if n.startswith("pooling_mode_") and on]
    )
    known: dict[str, Pooling] = {**_MODES, "cls": "cls", "mean": "mean", "lasttoken": "last"}
    if len(modes) != 1 or modes[0] not in known:
        asked = ", ".join(m.removeprefix("pooling_mode_") for m in modes) or "nothing"
        raise BaseModelError(f"{file} pools by {asked}, which Headstart does not. {_REMEDY}")
    return known[modes[0]]


def _prefix(file: Path) -> str:
    """The prompt that the base puts before every text unless it is asked for another."""
    settings = _json(file)
    prompts = settings.get("prompts") or {} if isinstance(settings, dict) else {}
    name = settings.get("default_prompt_name") if isinstance(settings, dict) else None
    if name is None:
        return ""
    if not isinstance(prompts, dict) or not isinstance(prompts.get(name), str):
        raise BaseModelError(
            f"{file} names {name!r} as the prompt of every text, but has none of that name. "
            f"{nearest(str(name), [str(each) for each in prompts])} Or state it: base.prefix='query: '."
        )
    return str(prompts[name])


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BaseModelError(
            f"{file}, by which the base declares how it is read, is damaged. Copy it again."
        ) from error

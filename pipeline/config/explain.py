"""Errors of Hydra and OmegaConf as one sentence each: the setting, what is wrong, and the nearest valid name."""

import dataclasses
import re
from collections.abc import Collection, Iterator

from hydra.errors import MissingConfigException, OverrideParseException

from pipeline.config.choices import groups
from pipeline.config.schema import Config
from pipeline.config.structured_config import setting_names, twin
from pipeline.errors import nearest

_UNKNOWN_KEY = (
    r"Could not override '(?P<key>[^']+)'",
    r"Could not delete from config. '(?P<key>[^']+)' does not exist",
    r"Key '(?P<last>[^']+)' (?:is )?not in (?:struct|'[^']*')\s+full_key: (?P<key>\S+)",
)
_KEPT = r"Error merging override ~(?P<key>[^=\s]+)\s.* does not support deletion"
_WITH_VALUE = r"Could not delete from config. The value of '(?P<key>[^']+)' is .* and not "
RENAMED = {  # settings of earlier versions, and what takes their place
    "arm.trained": "It is arm.method now: full instead of all, linear_probe instead of head, lora instead of adapters.",
    "hardware.recompute": "It is hardware.gradient_checkpointing now.",
}
NAMED = ("study.claims.", "task.out_of_domain.")  # records by a name of the user's; +NAME adds one
_ENTRY = re.compile(rf"({'|'.join(re.escape(group[:-1]) for group in NAMED)})\.[^.]+")
_WRONG_VALUE = (
    r"^(?P<why>Value .*|Invalid .*|Cannot .*|Key .* is incompatible .*|field .* is not .*)\s+full_key: (?P<key>\S+)"
)


def explain(error: Exception, entries: Collection[str] = ()) -> str:
    """One sentence for an error of Hydra, OmegaConf or the YAML reader.

    Args:
        entries: the records that have a name of the user's, by their dotted names ("study.claims.early").
    """
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _explain_missing(str(error.missing_cfg_file), list(error.options or ()))
    if isinstance(error, OverrideParseException):
        return f"The override {error.override!r} is not valid: {text.splitlines()[0]}. The form is name=value."
    kept = re.search(_KEPT, "\n".join(map(str, _chain(error))), re.DOTALL)
    if kept:
        return _explain_kept(kept["key"], entries)
    for cause in _chain(error):
        explained = _explain_key(str(cause), entries)
        if explained:
            return explained
    return " ".join(dict.fromkeys(line for cause in _chain(error) for line in _plain_lines(cause)))


def explain_record(error: Exception) -> str:
    """One sentence for a setting that does not fit its record, as `records.decode` found it."""
    text = str(error)
    match = re.match(r"(?P<where>\S+) has unknown fields \['(?P<field>[^']+)'", text)
    if match:
        key = f"{match['where']}.{match['field']}".removeprefix("config.")
        return f"{key}: there is no such setting. {_nearest_key(key)}"
    return text.removeprefix("config.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _explain_missing(name: str, options: list[str]) -> str:
    group, _, choice = name.partition("/")
    if not choice:
        return f"There is no configuration group {name!r}. {nearest(name, groups())}"
    return f"{group}={choice}: there is no such {group}. {nearest(choice, options)}"


def _explain_key(text: str, entries: Collection[str]) -> str | None:
    for pattern in _UNKNOWN_KEY:
        match = re.search(pattern, text)
        if match and "not delete" in match[0] and match["key"] in _keys(match["key"]):
            return _explain_kept(match["key"], entries)
        if match:
            return f"{match['key']}: there is no such setting. {_nearest_entry(match['key'], entries)}"
    match = re.search(_WITH_VALUE, text, re.DOTALL)
    if match:
        return f"~{match['key']} leaves out what is there, whatever its value: give it none."
    match = re.search(_WRONG_VALUE, text, re.MULTILINE)
    if match and "is not Optional" in match["why"]:
        return f"{match['key']} must have a value, but got null."
    return f"{match['key']}: {match['why'].strip().rstrip('.')}." if match else None


def _explain_kept(key: str, entries: Collection[str]) -> str:
    own = [name for name in entries if name.startswith(f"{key}.")]
    if own:
        return f"~{key}: its entries are left out one by one: {' '.join(f'~{name}' for name in own)}"
    return f"~{key}: a setting cannot be left out. Give it another value: {key}=VALUE."


def _nearest_entry(key: str, entries: Collection[str]) -> str:
    """Of the entries where there is none of this name; of settings where it is the setting that is not known."""
    entry = _ENTRY.match(key)
    others = [name for name in entries if entry and name.startswith(f"{entry[1]}.")]
    if entry is None or entry[0] in others or not others:
        return _nearest_key(key)
    if key == entry[0]:
        return nearest(key, others)
    return f"{nearest(entry[0], others)} A new one: +{key}=VALUE." if key in _keys(key) else _nearest_key(key)


def _nearest_key(key: str) -> str:
    if key in RENAMED:
        return RENAMED[key]
    keys = _keys(key)
    parent = key.rpartition(".")[0]
    siblings = [k for k in keys if k.rpartition(".")[0] == parent]
    if not parent:
        siblings = [f.name for f in dataclasses.fields(Config)] + ["experiments"]
    if key in keys:
        return f"To add a new entry: +{key}=VALUE. Those that there are stand in --cfg job."
    hint = nearest(key, siblings or keys).split("Valid:")[0]
    return hint + (f"Valid here: {', '.join(sorted(siblings))}." if siblings else "")


def _keys(key: str) -> list[str]:
    """All settings, or where `key` is of an entry with a name of the user's, those that this entry has."""
    keys = list(setting_names(twin(Config)))
    entry = _ENTRY.match(key)
    if entry is None:
        return keys
    record = f"{entry[1]}.*."
    return [k.replace(record, f"{entry[0]}.") for k in keys if k.startswith(record)]


def _plain_lines(error: BaseException) -> list[str]:
    lines = [line.strip() for line in str(error).splitlines()]
    return [line for line in lines if line and not line.startswith(("object_type", "reference_type", "full_key"))]

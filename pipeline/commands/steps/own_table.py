"""A table of one's own behind a command: its path and options, what its columns are, and the settings for it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.search_path import program
from pipeline.config.typed_text import setting_name
from pipeline.data.readers.table_columns import table_columns
from pipeline.data.recognise.roles import Roles, named_columns, roles_of
from pipeline.errors import ConfigError, DataError, nearest

OPTIONS = {"--text": "text", "--label": "label"}
_NAMED = 5  # columns that could be meant too
_KINDS = {"label": "classification", "labels": "multi_label_classification", "score": "similarity"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """What stands behind the command: a path, what is known of its columns, and overrides."""

    path: str | None
    text: str | None = None
    label: str | None = None
    overrides: tuple[str, ...] = ()
    option: str = "--{}=COLUMN"  # how a column is named, as messages write it


def given_by(arguments: Sequence[str], command: str, *, required: bool = True) -> Given:
    """The path, options and overrides among the words behind the command.

    Raises:
        ConfigError: there is more than one path, or none where one is `required`, or an option is not known.
    """
    paths, known, overrides = list[str](), dict[str, str](), list[str]()
    words = list(arguments)
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in OPTIONS:
            known[OPTIONS[name]] = value if equals else (words.pop(0) if words else "")
        elif word.startswith("-"):
            raise ConfigError([f"{command} has no option {word!r}. {nearest(word, OPTIONS)}"])
        else:
            setting = (equals or word.startswith("~")) and not Path(word).exists()
            (overrides if setting else paths).append(word)
    if len(paths) > 1 or (required and not paths):
        which = f"but got {len(paths)}: {', '.join(paths)}" if paths else "but got none"
        raise ConfigError([f"{command} takes one table, {which}. For example: {program()} {command} reviews.csv"])
    return Given(path=next(iter(paths), None), overrides=tuple(overrides), **known)


def settings_by(given: Given, *, factor: int, suffix: str = "") -> list[str]:
    """The settings of a study on the table that was given, and a line on the terminal about its columns.

    A setting that is among the overrides is left out: theirs holds, and the command is printed without doubles.

    Args:
        factor: how far the two train sizes are apart.
        suffix: of the study's name, which is that of the file.

    Raises:
        DataError: as `recognised`, or the table cannot be read.
    """
    assert given.path is not None
    columns = table_columns(Path(given.path))
    roles = recognised(columns, given)
    print(_said(roles, len(next(iter(columns.values()), ())), given))
    settings = _settings(Path(given.path), roles, columns, factor, suffix)
    set_by_hand = {setting_name(override) for override in given.overrides if not override.startswith("~")}
    return [setting for setting in settings if setting_name(setting) not in set_by_hand]


def recognised(columns: dict[str, list[str | None]], given: Given) -> Roles:
    """What the columns are.

    Raises:
        DataError: a named column is not there, or no column is the text or the label.
    """
    for name in (given.text, *named_columns(given.label, columns)):
        if name is not None and name not in columns:
            raise DataError(f"{given.path} has no column {name!r}. {nearest(name, columns)}")
    roles = roles_of(columns, text=given.text, label=given.label)
    if roles.text is None:
        raise _open(given, "text", columns, roles.texts, "looks like texts")
    if roles.target is None:
        raise _open(given, "label", columns, roles.others, "looks like a label: few values, each in several rows")
    if (given.text, given.label) == (None, None) and _is_a_row(roles, columns):
        options = " ".join(map(given.option.format, ("text", "label")))
        raise DataError(
            f"The first line of {given.path} must name the columns, but it looks like a row: {roles.target!r} is "
            f"also a value. Write names above it, or confirm them: {options}."
        )
    return roles


def _is_a_row(roles: Roles, columns: dict[str, list[str | None]]) -> bool:
    """Whether headings are cells: a text of several words, and a label that others have."""
    return len((roles.text or "").split()) > 2 and roles.target in columns.get(roles.target or "", ())


def _open(given: Given, role: str, columns: Iterable[str], rivals: Sequence[str], looks: str) -> DataError:
    """The question which column is meant: several could be, or none."""
    how = f"Name it: {given.option.format(role)}."
    if rivals:
        return DataError(f"It is open which column of {given.path} is the {role}. It could be {_listed(rivals)}. {how}")
    names = ", ".join(map(repr, columns))
    return DataError(f"None of the columns of {given.path} ({names}) {looks}. {how}")


def _settings(path: Path, roles: Roles, columns: dict[str, list[str | None]], factor: int, suffix: str) -> list[str]:
    target = next(name for name in _KINDS if getattr(roles, name))
    kind = "pair_classification" if roles.second and target == "label" else _KINDS[target]
    name = "".join(c if c.isalnum() else "_" for c in path.stem).strip("_").lower() or "table"
    settings = [
        f"task={kind}",
        f"task.data.path:={path}",
        f"task.data.text:={roles.text}",
        f"task.data.{target}:={getattr(roles, target)}",
        f"task.name={name}",
        f"study.name={name}{suffix}",
        f"task.max_length={_length(roles, columns)}",
        f"study.sizes={_sizes(len(columns[roles.text or '']), factor)}",
    ]
    settings += [f"task.data.second:={roles.second}"] if roles.second else []
    settings += [f"task.data.group:={roles.group}"] if roles.group else []
    settings += [f"task.data.scale={_scale(columns[roles.score])}"] if roles.score else []
    return settings


def _sizes(rows: int, factor: int) -> str:
    """Two train sizes, of what is left when validation and test are held out."""
    left = rows - min(600, rows // 4) - min(128, rows // 10)
    smaller = max(min(200, left - left // 10) // factor, 1)
    return f"[{smaller},{factor * smaller}]"


def _length(roles: Roles, columns: dict[str, list[str | None]]) -> int:
    """Tokens to read: nine texts in ten are read whole, within what a processor does in minutes."""
    texts = [cell or "" for name in (roles.text, roles.second) if name for cell in columns[name]]
    words = sorted(len(text.split()) for text in texts)
    tokens = 1.5 * words[int(0.9 * (len(words) - 1))] * (2 if roles.second else 1) + 4
    return int(min(128, max(32, 32 * -(-tokens // 32))))


def _scale(cells: Iterable[str | None]) -> str:
    """The whole numbers between which the scores lie."""
    numbers = [float(cell.replace(",", ".")) for cell in cells if cell and cell.strip()]
    low, high = math.floor(min(numbers)), math.ceil(max(numbers))
    return f"[{low},{max(high, low + 1)}]"


def _said(roles: Roles, rows: int, given: Given) -> str:
    parts = [f"Text: {roles.text!r}" + (f" and {roles.second!r}" if roles.second else "")]
    parts.append(f"{'labels' if roles.labels else 'number' if roles.score else 'label'}: {roles.target!r}")
    parts += (
        [f"rows that belong together: {roles.group!r} (task.data.group=COLUMN to choose another)"]
        if roles.group
        else []
    )
    parts += [f"language: {roles.language!r}"] if roles.language else []
    parts += [f"not used: {roles.split!r}, test rows are drawn at random"] if roles.split else []
    also = [_also(given, "text", roles.texts), _also(given, "label", roles.others)]
    return f"{'; '.join(parts)}; {rows:,} rows looked at. To choose other columns: {', '.join(also)}."


def _also(given: Given, role: str, rivals: Sequence[str]) -> str:
    """How to name another column, and which could be meant."""
    return given.option.format(role) + (f" (could be {_listed(rivals)})" if rivals else "")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:_NAMED])) + (", …" if len(names) > _NAMED else "")

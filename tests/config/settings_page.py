"""The reference of every setting, from the comments of pipeline/config/schema.py.

python -m tests.config.settings_page > docs/settings.md
"""

import ast
import dataclasses
import inspect
import io
import tokenize
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.config import schema

FILE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

Every setting with its type, its default and its meaning. Put `NAME=VALUE` behind any command, or into a YAML file of
your own (`headstart train --cfg job` prints all values of a run). This page is made from `pipeline/config/schema.py` by
`python -m tests.config.settings_page > docs/settings.md`.

Presets fill a whole section: `base=minilm` takes `conf/base/minilm.yaml`, and `experiments=quickstart` the file
`experiments/quickstart.yaml`. A default below is the value without any preset.
"""


def page() -> str:
    """The whole page."""
    comments = _comments()
    sections = [HEAD]
    for name, record in _records(schema.Config, ""):
        rows = [_row(name, field, comments[record.__name__]) for field in _plain(record)]
        if rows:
            title = f"## `{name}`" if name else "## The command itself"
            head = "| setting | type | default | meaning |\n| --- | --- | --- | --- |"
            sections.append("\n".join([title, "", inspect.getdoc(record) or "", "", head, *rows, ""]))
    return "\n".join(sections)


def _records(record: type, name: str) -> Iterator[tuple[str, type]]:
    """The record under this name, and those below it."""
    yield name, record
    hints = typing.get_type_hints(record)
    for field in dataclasses.fields(record):
        below = f"{name}.{field.name}" if name else field.name
        of = hints[field.name]
        if dataclasses.is_dataclass(of):
            yield from _records(typing.cast(type, of), below)
        elif _named(of) not in (None, schema.Data):  # whose fields stand under task.data
            yield from _records(typing.cast(type, _named(of)), f"{below}.NAME")


def _named(of: Any) -> type | None:
    """The record of which a setting has several by name."""
    value = typing.get_args(of)[1] if typing.get_origin(of) is dict else None
    return value if dataclasses.is_dataclass(value) else None  # type: ignore[return-value]


def _plain(record: type) -> list[Any]:
    hints = typing.get_type_hints(record)
    hidden = [name for name, of in hints.items() if dataclasses.is_dataclass(of) or _named(of) is schema.Claim]
    return [field for field in dataclasses.fields(record) if field.name not in hidden]


def _row(section: str, field: Any, comments: dict[str, str]) -> str:
    name = f"{section}.{field.name}" if section else field.name
    cells = [f"`{name}`", _type(field.type), _default(field), comments.get(field.name, "")]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(of: Any) -> str:
    if typing.get_origin(of) is typing.Literal:
        return " or ".join(f"`{value}`" for value in typing.get_args(of))
    if isinstance(of, types.UnionType) or typing.get_origin(of) is typing.Union:
        return " or ".join(_type(each) for each in typing.get_args(of))
    if of is type(None):
        return "null"
    if typing.get_origin(of) is tuple:
        return f"list of {_type(typing.get_args(of)[0])}"
    if typing.get_origin(of) is dict:
        return f"{_type(typing.get_args(of)[1])} by name"
    return {str: "text", int: "integer", float: "number", bool: "true or false", Any: "any"}.get(of, of.__name__)


def _default(field: Any) -> str:
    value = field.default if field.default is not dataclasses.MISSING else field.default_factory()
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"`[{','.join(map(str, value))}]`"
    return f"`{value}`" if value not in ("", {}) else "empty"


def _comments() -> dict[str, dict[str, str]]:
    """By record and field, the comment behind it."""
    source = inspect.getsource(schema)
    behind = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    return {
        record.name: {
            each.target.id: " ".join(
                behind.get(at, "") for at in range(each.lineno, (each.end_lineno or 0) + 1)
            ).strip()
            for each in record.body
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
        }
        for record in ast.parse(source).body
        if isinstance(record, ast.ClassDef)
    }


if __name__ == "__main__":
    print(page(), end="")

r"""A text is what the user typed, whatever Hydra, OmegaConf and YAML would read in it.

This holds for every setting that the schema types as a text, and for the names and values of free dictionaries
(`task.data.where`, `task.data.label_names`), on the command line and in YAML files. The exceptions:

* a bare `null` unsets a setting that can be unset; in YAML `~` and an empty value do so too;
* one outer pair of quotes is taken off, and nothing inside it is an escape (YAML keeps its own quoting);
* `name:=text` is verbatim, quotes and `null` included.

Numbers, switches, lists, choices of a group and the spaces of sweeps keep Hydra's grammar. In braces, a text ends at
the next comma or brace unless it is quoted. On its way through Hydra a text that is more than a plain word travels as
the hexadecimal digits of its bytes, so that there is nothing in it to be read; `restored` turns it back.
"""

import dataclasses
import re
import typing
from functools import cache
from typing import Any, TypeVar

import yaml  # type: ignore[import-untyped]

from pipeline.config.schema import Config, Range
from pipeline.config.structured_config import twin

T = TypeVar("T")

_MARK = "typed_text_"
_MARKED = re.compile(rf"{_MARK}((?:[0-9a-f]{{2}})*)")
_PLAIN = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z][A-Za-z0-9_]*")
_TEXT, _NULL, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("str", "null", "merge"))


def protected(override: str) -> str:
    """`override` with its text, and with what the user named in it, as plain words that Hydra reads as they stand."""
    prefix, name, equals, value = _parts(override)
    kind, key = _located(name.removesuffix(":") if equals else name, twin(Config))
    if kind is None:
        return override
    if equals and not prefix.startswith("~") and is_text(kind):
        value = _word(value) if name.endswith(":") else _leaf(value, kind)
    elif value.lstrip().startswith("{"):
        value = _in_braces(value, kind)
    return f"{prefix}{key}{equals}{value}"


def restored(value: T) -> T:
    """`value` with each protected text in it, names of dictionaries included, as it was typed."""
    if isinstance(value, str):
        return typing.cast(T, _MARKED.sub(lambda m: bytes.fromhex(m[1]).decode("utf-8", "surrogatepass"), value))
    if isinstance(value, dict):
        return typing.cast(T, {restored(k): restored(v) for k, v in value.items()})
    return typing.cast(T, [restored(v) for v in value]) if isinstance(value, list) else value


def protected_yaml(node: yaml.Node, package: str) -> yaml.Node:
    """The document `node`, whose content belongs at the dotted name `package` ("" for the root), likewise."""
    return _in_yaml(node, _located(package, twin(Config))[0] if package else twin(Config))


def is_text(kind: Any) -> bool:
    """Whether a setting of this type holds a text."""
    return kind in (str, str | None)


def in_free_dictionary(name: str) -> bool:
    """Whether the setting of this dotted name is a dictionary of texts, numbers or ranges, or an entry of one."""
    kind: Any = twin(Config)
    for part in name.split("."):
        kind = _fields(kind).get(part) or _element(kind)
        if typing.get_origin(kind) is dict and not _is_named_by_user(_element(kind)):
            return True
    return False


def setting_name(override: str) -> str:
    """The dotted name that `override` sets or leaves out, without what stands around it."""
    _, name, equals, _ = _parts(override)
    return (name.removesuffix(":") if equals else name).strip()


def _parts(override: str) -> tuple[str, str, str, str]:
    """Prefix (+, ++ or ~), name, the equals sign, and the value."""
    left, equals, value = override.partition("=")
    name = left.lstrip().lstrip("+~")
    return left[: len(left) - len(name)].strip(), name, equals, value


def _word(text: str) -> str:
    if _PLAIN.fullmatch(text) and _MARK not in text:
        return text
    return _MARK + text.encode("utf-8", "surrogatepass").hex()


def _leaf(text: str, kind: Any) -> str:
    return text if text == "null" and kind is not str else _word(_unquoted(text))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


@cache
def _fields(kind: Any) -> dict[str, Any]:
    """The types of the settings of a record's twin; none where `kind` is something else."""
    return {f.name: f.type for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}


def _element(kind: Any) -> Any:
    """The type of the values of a dictionary or of a list; None for other types."""
    return typing.get_args(kind)[-1] if typing.get_origin(kind) in (dict, list) else None


def _is_named_by_user(element: Any) -> bool:
    """Whether a dictionary of these holds records whose settings are set one by one; a range is given as a whole."""
    return dataclasses.is_dataclass(element) and element is not twin(Range)


def _located(name: str, kind: Any) -> tuple[Any, str]:
    """The type of the setting called `name`, None where there is none, and the name in plain words.

    In a dictionary of records that have names the next part is the user's, in another one all that follows: a column
    may have dots in its name, and a range is called by the whole name of a setting.
    """
    head, dot, rest = name.partition(".")
    if typing.get_origin(kind) is dict:
        element = _element(kind)
        if not _is_named_by_user(element):
            return element, _word(name)
        inner, key = _located(rest, element) if dot else (element, "")
        return inner, f"{_word(head)}{dot}{key}"
    kind = _fields(kind).get(head.strip())
    inner, key = _located(rest, kind) if dot else (kind, "")
    return inner, f"{head}{dot}{key}"


def _in_braces(text: str, kind: Any) -> str:
    """`{name: value, ...}` with each text in it as a plain word; what is malformed is left for Hydra to refuse."""
    text = text.strip()
    if is_text(kind):
        return _leaf(text, kind)
    pairs = [_split(pair, ":", 1) for pair in _split(text[1:-1], ",")] if text[1:-1].strip() else []
    if not (text.startswith("{") and text.endswith("}") and all(len(pair) == 2 for pair in pairs)):
        return text
    written = []
    for key, value in ((_unquoted(key.strip()), value) for key, value in pairs):
        if _fields(kind):
            written.append(f"{key}: {_in_braces(value, _fields(kind).get(key))}")
        elif typing.get_origin(kind) is dict:
            written.append(f"{_word(key)}: {_in_braces(value, _element(kind))}")
        else:
            return text
    return "{" + ", ".join(written) + "}"


def _split(text: str, separator: str, most: int = -1) -> list[str]:
    """`text` in pieces, at the separators outside quotes and brackets; a quote opens where a value begins."""
    pieces, depth, quote, before = [""], 0, "", ","
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and before in ",:{[":
            quote = char
        depth += 0 if quote else (char in "{[") - (char in "}]")
        if char == separator and not quote and not depth and len(pieces) - 1 != most:
            pieces.append("")
        else:
            pieces[-1] += char
        before = before if char.isspace() else char
    return pieces


def _in_yaml(node: yaml.Node, kind: Any) -> yaml.Node:
    if isinstance(node, yaml.ScalarNode) and is_text(kind):
        unset = node.tag == _NULL and (node.value == "" or (kind is not str and node.value in ("null", "~")))
        return node if unset else _text_node(node)
    if isinstance(node, yaml.SequenceNode) and typing.get_origin(kind) is list:
        return _like(node, [_in_yaml(item, _element(kind)) for item in node.value])
    if not isinstance(node, yaml.MappingNode) or not (_fields(kind) or typing.get_origin(kind) is dict):
        return node
    return _like(node, [_pair(key, value, kind) for key, value in node.value])


def _pair(key: yaml.Node, value: yaml.Node, kind: Any) -> tuple[yaml.Node, yaml.Node]:
    if key.tag == _MERGE:  # of one mapping or several, in the place of this one
        several = isinstance(value, yaml.SequenceNode)
        return key, _like(value, [_in_yaml(v, kind) for v in value.value]) if several else _in_yaml(value, kind)
    if not isinstance(key, yaml.ScalarNode):
        return key, value
    if fields := _fields(kind):
        return key, _in_yaml(value, fields.get(key.value))
    return _text_node(key), _in_yaml(value, _element(kind))


def _text_node(node: yaml.ScalarNode) -> yaml.ScalarNode:
    return yaml.ScalarNode(_TEXT, _word(node.value), node.start_mark, node.end_mark)


def _like(node: yaml.Node, value: list[Any]) -> yaml.Node:
    """A new node: one that an alias names may stand where a number is wanted, too."""
    return type(node)(node.tag, value, node.start_mark, node.end_mark)

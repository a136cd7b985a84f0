"""The JSON schema of findings.json, from the records themselves.

python -m tests.records.findings_schema > docs/findings.schema.json
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import is_instance_schema

from pipeline.language import Sentence
from pipeline.records import Findings

OF_SENTENCE = {"sentence": True}  # in place of the reference to it, which pydantic would look for
_VALUE = {"anyOf": [{"type": "string"}, {"type": "number"}, {"$ref": "#/$defs/Sentence"}]}
_SENTENCE = {
    "description": Sentence.__doc__,
    "type": "object",
    "properties": {"form": {"type": "string"}, "values": {"type": "object", "additionalProperties": _VALUE}},
    "additionalProperties": False,
    "required": ["form", "values"],
}
FILE = Path(__file__).parents[2] / "docs" / "findings.schema.json"


class OfRecords(GenerateJsonSchema):
    """Writes the schema as `pipeline.records.encode` writes values: numbers that are not finite are strings, every
    field is there, and no other.
    """

    def float_schema(self, schema: Any) -> dict[str, Any]:
        """A number, or one of the strings that stand for what JSON has no number for."""
        return {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]}

    def is_instance_schema(self, schema: Any) -> dict[str, Any]:
        """A sentence, which stands among the definitions once all else is made."""
        assert schema["cls"] is Sentence
        return dict(OF_SENTENCE)

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        """An object with exactly the fields of the record."""
        found = super().dataclass_schema(schema)
        for name in found.get("properties", {}):
            found["properties"][name].pop("default", None)
            found["properties"][name].pop("title", None)
        return found | {"additionalProperties": False, "required": list(found.get("properties", {}))}


def schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what `to_json` writes of `Findings`."""
    Sentence.__get_pydantic_core_schema__ = lambda *_: is_instance_schema(Sentence)  # type: ignore[attr-defined]
    made = TypeAdapter(Findings).json_schema(mode="serialization", schema_generator=OfRecords)
    made = _referring(made)
    made["$defs"] = dict(sorted({**made["$defs"], "Sentence": _SENTENCE}.items()))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | made


def _referring(part: Any) -> Any:
    """The schema with references in place of OF_SENTENCE."""
    if part == OF_SENTENCE:
        return {"$ref": "#/$defs/Sentence"}
    if isinstance(part, dict):
        return {key: _referring(each) for key, each in part.items()}
    return [_referring(each) for each in part] if isinstance(part, list) else part


def text() -> str:
    """The file as it is committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def misfits(findings: str) -> list[str]:
    """What of the text of a findings.json does not fit the committed schema."""
    committed = json.loads(FILE.read_text(encoding="utf-8"))
    top = {key: value for key, value in committed.items() if key not in ("$schema", "$defs")}
    return list(problems(json.loads(findings), top, committed["$defs"]))


def problems(value: Any, against: dict[str, Any], defs: dict[str, Any], where: str = "findings") -> Iterator[str]:
    """What of `value` does not fit the schema `against`, for the keywords that schemas of records use.

    Raises:
        ValueError: the schema has a keyword that this does not know.
    """
    unknown = set(against) - {*_KEYWORDS, "description", "title"}
    if unknown:
        raise ValueError(f"{where}: no rule for {sorted(unknown)}")
    if "$ref" in against:
        yield from problems(value, defs[against["$ref"].removeprefix("#/$defs/")], defs, where)
    if "anyOf" in against and all(any(problems(value, one, defs, where)) for one in against["anyOf"]):
        yield f"{where} is {value!r}, none of its kinds"
    if "enum" in against and value not in against["enum"]:
        yield f"{where} is {value!r}, not of {against['enum']}"
    if "type" in against and not _TYPES[against["type"]](value):
        yield f"{where} is {value!r}, no {against['type']}"
    elif against.get("type") == "object":
        yield from _in_object(value, against, defs, where)
    elif against.get("type") == "array":
        for i, entry in enumerate(value):
            yield from problems(entry, against["items"], defs, f"{where}[{i}]")


def _in_object(value: dict[str, Any], against: dict[str, Any], defs: dict[str, Any], where: str) -> Iterator[str]:
    known, others = against.get("properties", {}), against["additionalProperties"]
    yield from (f"{where} lacks {name}" for name in against.get("required", ()) if name not in value)
    for name, entry in value.items():
        if name not in known and others is False:
            yield f"{where} has {name}"
        else:
            yield from problems(entry, known.get(name, others), defs, f"{where}.{name}")


_KEYWORDS = ("$ref", "anyOf", "enum", "type", "properties", "required", "additionalProperties", "items")
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


if __name__ == "__main__":
    print(text(), end="")

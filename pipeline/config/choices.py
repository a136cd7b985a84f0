"""The groups of choices and the YAML files in them, the working directory's as well as the package's."""

from collections.abc import Iterable, Iterator

from hydra.core.override_parser.types import Override

from pipeline.config.where import own_root, search_roots
from pipeline.errors import nearest

EXPERIMENTS = "experiments"


def groups() -> list[str]:
    """Names of all groups: base, task, arm, ... and experiments."""
    return [*sorted(p.name for p in (own_root() / "conf").iterdir() if p.is_dir()), EXPERIMENTS]


def options(group: str) -> list[str]:
    """The names that `group=NAME` takes; a file in a sub-folder is called FOLDER/NAME."""
    found: set[str] = set()
    for root in search_roots():
        folder = root / group if group == EXPERIMENTS else root / "conf" / group
        found |= {str(p.relative_to(folder).with_suffix("")) for p in folder.rglob("*.yaml")}
    return sorted(found)


def wrong_choices(overrides: Iterable[Override]) -> Iterator[str]:
    """A sentence for each choice that is not one of its group's files. A path out of the group's folder never is."""
    known = groups()
    for override in overrides:
        group = override.key_or_group
        if group not in known or override.is_delete() or override.is_sweep_override():
            continue
        choice = override.value()
        if choice in options(group) or (choice is None and group == EXPERIMENTS):
            continue
        yield f"{group}={choice}: there is no such {group}. {nearest(str(choice), options(group))}"

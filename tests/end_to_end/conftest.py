"""The tiny base and its data, and a study of all four arms that is trained once for the tests that only look at it."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli import main
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]


@dataclass(frozen=True)
class Finished:
    """A finished study: where it lies, and the arguments that made it."""

    root: Path
    world: list[str]
    study: list[str]

    def at(self, root: Path) -> list[str]:
        """The arguments for another root."""
        return [*self.world, *self.study, f"paths.root={root}"]


@pytest.fixture(scope="session")
def finished(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    root = tmp_path_factory.mktemp("finished")
    found = Finished(
        root=root,
        world=tiny.overrides(tiny_base, reviews, root),
        study=[*tiny.study(arms="pretrained,frozen,lora,scratch"), "study.target=0.6", "train.keep=all"],
    )
    assert main(["study", *found.at(root)]) == 0
    return found


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a short path, since sockets lie there too."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)

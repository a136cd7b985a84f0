"""The tiny base and its data, and a study of all four arms that is trained once for the tests that only look at it."""

import dataclasses
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.files import lock
from pipeline.study.plan import Plan, plan_study
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

    @functools.cached_property
    def plan(self) -> Plan:
        """The study's plan where it lies, made once: what it was made from does not change."""
        return plan_study(self.at(self.root))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A study that one of pytest's processes trains; each of them has a copy."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "finished"
    shared.mkdir(exist_ok=True)
    base, data, trained, root = shared / "tiny", shared / "reviews.csv", shared / "root", folder / "copy"
    study = [*tiny.study(arms="pretrained,frozen,lora,scratch"), "study.target=0.6", "train.keep=all"]
    with lock(shared / "lock"):
        found = Finished(root=trained, world=tiny.overrides(base, data, trained), study=study)
        if not (shared / "done").exists():
            tiny.write_base(base)
            tiny.write_csv(data, tiny.rows())
            assert main(["study", *found.at(trained)]) == 0
            (shared / "done").touch()
    return dataclasses.replace(found, root=shutil.copytree(trained, root))


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a short path, since sockets lie there too."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)

"""One bit of a stored file becomes another, and its size and time stay: it is named, and not read as if it were sound.

Disks do this without saying so. Everything that a study keeps and reads again is tried.
"""

import os
import shutil
from pathlib import Path

import pytest
from command_kit import Done, command, copy, planned
from conftest import Finished

Capture = pytest.CaptureFixture[str]
CLAIMED = ("pretrained", 48)  # cells that a claim is about: scores on validation are read of no others


@pytest.fixture
def root(finished: Finished, tmp_path: Path) -> Path:
    """A copy of a finished study."""
    return copy(finished.root, tmp_path / "out")


def damage(path: Path) -> Path:
    """One bit near the end, where numbers stand and no heading."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return path


def assert_named(done: Done, path: Path) -> None:
    """One sentence that names the file and what to do, and a failure."""
    said = done.err + done.out
    assert done.code == 1, said
    assert f"{path} is damaged: its content is not what was written there. Delete the folder {path.parent}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["result.json", "scores.npy", "validation.npy"])
def test_a_result_is_not_judged(name: str, root: Path, finished: Finished, capsys: Capture) -> None:
    arguments = finished.at(root)
    before = (planned(arguments).folder / "findings.json").read_bytes()
    read = next(id_ for id_, cell in planned(arguments).cells.items() if (cell.arm.name, cell.train.size) == CLAIMED)
    path = damage(root / "cells" / read / name)
    assert_named(command(capsys, "report", *arguments), path)
    assert (planned(arguments).folder / "findings.json").read_bytes() == before


@pytest.mark.parametrize("name", ["config.json", "weights/trained.safetensors"])
def test_a_trained_network_does_not_predict(name: str, root: Path, finished: Finished, capsys: Capture) -> None:
    path = damage(next(iter(sorted(root.glob(f"cells/*/{name}")))))
    cell = path.relative_to(root / "cells").parts[0]
    done = command(capsys, "predict", *finished.at(root)[: len(finished.world)], f"paths.root={root}", f"cell={cell}")
    assert done.code == 1
    assert f"{path} is damaged" in done.err


@pytest.mark.parametrize("pattern", ["data/*/test.labels.npy", "features/*/vectors.npy"])
def test_a_cache_is_not_trained_on(pattern: str, root: Path, finished: Finished, capsys: Capture) -> None:
    arguments = finished.at(root)
    plan = planned(arguments)
    frozen = next(name for name, cell in plan.cells.items() if cell.arm.name == "frozen")
    shutil.rmtree(plan.store.folder(frozen))
    damaged = [damage(path) for path in sorted(root.glob(pattern))]
    done = command(capsys, "study", *arguments)
    path = next(each for each in damaged if str(each) in done.err + done.out)
    assert_named(done, path)
    assert not plan.store.has(frozen)

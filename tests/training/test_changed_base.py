"""A base that is replaced while cells are trained from it is noticed by the next cell."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cell_kit import job, small
from safetensors.torch import load_file, save_file

from pipeline.errors import BaseModelError
from pipeline.models.checkpoints.locate import require_unchanged
from pipeline.training.loop.fit import fit


def other_weights(base: Path) -> None:
    """Those of another training, as large and as old as the ones before."""
    path = base / "model.safetensors"
    before = path.stat()
    save_file({name: tensor * 1.01 for name, tensor in load_file(path).items()}, path, metadata={"format": "pt"})
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def other_configuration(base: Path) -> None:
    config = base / "config.json"
    config.write_text(config.read_text().replace('"hidden_act": "gelu"', '"hidden_act": "relu"'))


def no_weights(base: Path) -> None:
    (base / "model.safetensors").unlink()


@pytest.mark.parametrize("change", [other_weights, other_configuration, no_weights])
@pytest.mark.parametrize("arm", ["pretrained", "frozen"])
def test_no_cell_is_trained_from_it_under_the_name_of_the_one_before(
    arm: str, change: Callable[[Path], None], tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    given = job([*small(base, reviews, tmp_path / "out"), f"arm={arm}"])
    change(base)
    with pytest.raises(BaseModelError, match=r"Base 'tiny' changed while it was in use: .* run the same command again"):
        fit(given, lambda _: False)


def test_a_base_that_was_not_touched_is_not_read_again(
    tiny_base: Path, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = job(small(tiny_base, reviews, tmp_path / "out"))
    monkeypatch.setattr("pipeline.models.checkpoints.locate.sha256", lambda file: pytest.fail(f"{file} is read"))
    require_unchanged(given.located(), given.cell.base)


@pytest.mark.parametrize("arm", ["pretrained", "frozen"])
def test_a_base_that_was_put_back_is_the_same(arm: str, tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    base = shutil.copytree(tiny_base, tmp_path / "base")
    given = job([*small(base, reviews, tmp_path / "out"), f"arm={arm}"])
    shutil.rmtree(base)
    shutil.copytree(tiny_base, base)
    assert fit(given, lambda _: False).trajectory.points


def test_a_base_whose_files_are_called_otherwise_is_the_same(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    """A variant's weights are read through a link with the usual name."""
    base = shutil.copytree(tiny_base, tmp_path / "base")
    (base / "model.safetensors").rename(base / "model.fp16.safetensors")
    fitted = fit(job([*small(base, reviews, tmp_path / "out"), "arm=pretrained"]), lambda _: False)
    assert fitted.trajectory.points

"""Cells of the packaged base, killed with -9 at any moment, end with the bits of one that nobody disturbed."""

import hashlib
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from command_kit import family, start, wait_until

MOMENTS = 10


def settings(arm: str, root: Path) -> list[str]:
    """A training of 60 steps in fp32, saved every third."""
    small = ["train.size=120", "train.batch=8", "train.min_steps=60", "train.epochs=4", "task.data.test_size=40"]
    quick = ["task.data.validation_size=40", "~task.out_of_domain.imdb", "train.samples=0"]
    rest = ["train.precision=fp32", "train.checkpoint_every=3steps", "tracking=none", f"paths.root={root}"]
    return ["task=sentiment", f"arm={arm}", *small, *quick, *rest]


def to_the_end(arm: str, root: Path) -> str:
    """The digest of the weights that the command leaves."""
    process = start("train", *settings(arm, root))
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    (weights,) = (root / "cells").glob("*/weights/trained.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


@pytest.mark.soak
@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_a_cell_killed_at_any_moment_ends_with_the_weights_of_one_that_was_not(arm: str, tmp_path: Path) -> None:
    expected, chance = to_the_end(arm, tmp_path), random.Random(arm)
    checkpoints, gone_on = tmp_path / "checkpoints", set()
    for _ in range(MOMENTS):
        shutil.rmtree(tmp_path / "cells")
        process = start("train", *settings(arm, tmp_path))
        wait_until(lambda: process.poll() is not None or any(checkpoints.glob("*-*")))  # noqa: B023
        time.sleep(chance.uniform(0, 6))
        for each in family(process):
            each.send_signal(signal.SIGKILL)
        process.wait()
        gone_on |= {folder.name for folder in checkpoints.glob("*-*") if not folder.name.startswith(".")}
        assert to_the_end(arm, tmp_path) == expected
    assert len(gone_on) > MOMENTS / 2, f"it went on from {sorted(gone_on)} alone"

"""Cells of the packaged base, killed with -9 at any moment, end with the bits of one that nobody disturbed."""

import hashlib
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from command_kit import family, start, wait_until

MOMENTS, STEPS = 10, 60


def settings(arm: str, root: Path) -> list[str]:
    """A training of 60 steps in fp32, saved every other one."""
    small = ["train.size=120", "train.batch=8", f"train.min_steps={STEPS}", "train.epochs=4", "task.data.test_size=40"]
    quick = ["task.data.validation_size=40", "~task.out_of_domain.imdb", "train.samples=0"]
    rest = ["train.precision=fp32", "train.checkpoint_every=2steps", "tracking=none", f"paths.root={root}"]
    return ["task=sentiment", f"arm={arm}", *small, *quick, *rest]


def to_the_end(arm: str, root: Path) -> str:
    """The digest of the weights that the command leaves."""
    process = start("train", *settings(arm, root))
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    (weights,) = (root / "cells").glob("*/weights/trained.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def reached(root: Path) -> int:
    """The step of the latest checkpoint, 0 where there is none."""
    steps = [int(folder.name.rpartition("-")[2]) for folder in (root / "checkpoints").glob("[!.]*-*")]
    return max(steps, default=0)


@pytest.mark.soak
@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_a_cell_killed_at_any_moment_ends_with_the_weights_of_one_that_was_not(arm: str, tmp_path: Path) -> None:
    expected, chance = to_the_end(arm, tmp_path), random.Random(arm)
    for moment in chance.sample(range(1, STEPS - 6), MOMENTS):
        shutil.rmtree(tmp_path / "cells")
        process = start("train", *settings(arm, tmp_path))
        wait_until(lambda: process.poll() is not None or reached(tmp_path) >= moment)  # noqa: B023
        time.sleep(chance.uniform(0, 0.3))  # also in the middle of a step, or of the next checkpoint
        for each in family(process):
            each.send_signal(signal.SIGKILL)
        process.wait()
        assert reached(tmp_path) >= moment, "it was not killed in the middle"
        assert to_the_end(arm, tmp_path) == expected

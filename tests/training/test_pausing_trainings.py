"""A training that is given up for a while goes on, from where it stands, to what it would have come to."""

import dataclasses
from pathlib import Path

import pytest
from cell_kit import job, outcome, small, trained

from pipeline.storage.checkpoints import CheckpointStore
from pipeline.training.loop.evaluation_callback import Pruned
from pipeline.training.loop.fit import Fitted, fit


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    return [*small(tiny_base, reviews, tmp_path), "train.epochs=4", "train.eval_every=16", "train.dropout=0.1"]


def with_pauses(overrides: list[str], *at: int) -> tuple[Fitted, int]:
    """The cell, given up at these evaluations one after the other; and how often it was left before its end."""
    given, left = dataclasses.replace(job(overrides), pausing=True), 0
    for examples in at:
        try:
            return fit(given, lambda point, most=examples: point.examples >= most > 0), left  # type: ignore[misc]
        except Pruned:
            left += 1
    return fit(given, lambda _: False), left


@pytest.mark.parametrize(("arm", "patience"), [("pretrained", 0), ("pretrained", 1), ("lora", 0), ("frozen", 0)])
def test_it_ends_with_the_bits_of_a_training_that_never_paused(
    overrides: list[str], tmp_path: Path, arm: str, patience: int
) -> None:
    given = [*overrides, f"arm={arm}", f"train.patience={patience}"]
    paused, left = with_pauses([*given, f"paths.root={tmp_path / 'paused'}"], 16, 48, 64)
    undisturbed = trained([*given, f"paths.root={tmp_path / 'undisturbed'}"])
    assert left == sum(point.examples in (16, 48, 64) for point in undisturbed.trajectory.points[:-1])
    assert outcome(paused) == outcome(undisturbed)


def test_what_has_come_to_its_end_is_not_given_up(overrides: list[str]) -> None:
    _, left = with_pauses(overrides, 128)
    assert left == 0


def test_seconds_before_a_pause_are_counted_once(overrides: list[str], tmp_path: Path) -> None:
    given = dataclasses.replace(job(overrides), pausing=True)
    with pytest.raises(Pruned):
        fit(given, lambda point: point.examples >= 48)
    saved = CheckpointStore(tmp_path, given.cell_id).load()
    assert saved is not None
    assert saved.standing.training_seconds == pytest.approx(saved.standing.seconds[-1], abs=0.02)

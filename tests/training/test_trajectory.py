"""The course of one training: measured from before its first step, stopped in time, ended with its best weights."""

import itertools
from pathlib import Path

import pytest
from cell_kit import job, outcome, small, trained

from pipeline.errors import TrainingError
from pipeline.models.build import build
from pipeline.records import TrajectoryPoint
from pipeline.tasks import Vocabulary, kind
from pipeline.training.job import seed_for
from pipeline.training.loop.evaluation_callback import converged_gain
from pipeline.training.loop.fit import fit
from pipeline.training.loop.fitted import Fitted
from pipeline.training.loop.inference import answers
from pipeline.training.setup.inputs import TokenInputs


@pytest.fixture(scope="module")
def overrides(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return small(tiny_base, reviews, tmp_path_factory.mktemp("out"))


def point(step: int, score: float) -> TrajectoryPoint:
    return TrajectoryPoint(
        step=step, examples=16 * step, flops=0.0, train_loss=None, validation_loss=1.0, validation_score=score,
        learning_rate=1e-3,
    )  # fmt: skip


def validation(fitted: Fitted) -> dict[str, float]:
    return fitted.task.measure(fitted.outputs(fitted.prepared.validation, None))


@pytest.fixture(scope="module")
def wandering(overrides: list[str]) -> Fitted:
    """A training whose best point is not its last: evaluated at every step, at a rate too high for it."""
    return trained([*overrides, "train.lr=0.05", "train.decay=constant", "train.eval_every=16", "train.min_steps=16"])


def test_the_weights_left_are_those_of_the_best_validation_point(wandering: Fitted) -> None:
    points = {p.step: p for p in wandering.trajectory.points}
    best = wandering.trajectory.best_step
    assert best != max(points), "the training has to pass its best point for this test"
    assert best == max(points, key=lambda s: (points[s].validation_score, -points[s].validation_loss, -s))
    found = validation(wandering)
    assert (found["accuracy"], found["loss"]) == (points[best].validation_score, points[best].validation_loss)


def test_a_training_without_patience_goes_to_the_end_of_its_schedule(wandering: Fitted) -> None:
    assert wandering.trajectory.stopped_by == "schedule"
    assert wandering.cost.steps == 16
    assert wandering.cost.examples == 16 * 16


def test_patience_stops_a_training_that_does_not_get_better(overrides: list[str], wandering: Fitted) -> None:
    settings = ["train.lr=0.05", "train.decay=constant", "train.eval_every=16", "train.min_steps=16"]
    patient = trained([*overrides, *settings, "train.patience=2"])
    points = patient.trajectory.points
    assert patient.trajectory.stopped_by == "patience"
    assert points == wandering.trajectory.points[: len(points)]
    last = max(points, key=lambda p: (p.validation_score, -p.validation_loss)).step
    assert points[-1].step >= last + 2
    assert patient.cost.steps < 16


@pytest.mark.parametrize("arm", ["pretrained", "scratch"])
def test_step_0_is_measured_before_any_step(overrides: list[str], arm: str) -> None:
    fitted = trained([*overrides, f"arm={arm}", "arm.head=fresh"])
    first = fitted.trajectory.points[0]
    assert (first.step, first.examples, first.flops, first.train_loss) == (0, 0, 0.0, None)
    cell, prepared, located = fitted.job.cell, fitted.prepared, _located(fitted)
    fresh = build(cell, located, prepared.labels, seed=seed_for(cell.train.seed, "init"))
    inputs = TokenInputs(prepared.validation, fitted.task, Vocabulary(pad=0))
    found = kind("classification").measure(
        kind("classification").outputs(
            answers(fresh.model, inputs, fitted.task, classes=2, precision="fp32"), inputs.labels
        )
    )
    assert (first.validation_score, first.validation_loss) == (found["accuracy"], found["loss"])


def _located(fitted: Fitted) -> object:
    from pipeline.models.checkpoints.locate import locate

    return locate(fitted.job.cell.base)


def test_every_point_is_told_as_soon_as_it_is_known_and_counts_what_was_seen(overrides: list[str]) -> None:
    told: list[TrajectoryPoint] = []
    fitted = fit(job([*overrides, "train.eval_every=16"]), told.append)
    assert told == fitted.trajectory.points
    assert [p.examples for p in told] == [16 * step for step in range(7)]
    assert all(a.flops < b.flops for a, b in itertools.pairwise(told))
    assert all(p.train_loss is not None for p in told[1:])


def test_the_same_cell_trained_twice_leaves_the_same_bits(overrides: list[str]) -> None:
    assert outcome(trained(overrides)) == outcome(trained(overrides))


def test_a_loss_that_is_not_a_number_fails_the_cell_and_says_what_to_change(overrides: list[str]) -> None:
    with pytest.raises(TrainingError, match=r"loss is (nan|inf) at step \d+: the training diverged. Lower train.lr"):
        trained([*overrides, "train.lr=1e38"])


def test_the_gain_of_the_last_quarter_is_its_mean_less_the_quarters_before() -> None:
    points = [point(s, v) for s, v in ((0, 0.5), (50, 0.6), (60, 0.70), (75, 0.72), (80, 0.73), (100, 0.75))]
    assert converged_gain(points, sign=1.0) == pytest.approx((0.73 + 0.75) / 2 - (0.70 + 0.72) / 2)
    assert converged_gain(points, sign=-1.0) == pytest.approx(-0.03)


def test_the_gain_of_the_last_quarter_is_unknown_under_two_points_a_quarter() -> None:
    assert converged_gain([point(0, 0.5), point(60, 0.6), point(70, 0.6), point(100, 0.7)], sign=1.0) is None

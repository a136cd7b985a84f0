"""One cell spread over two gloo processes, each with its share of the network: the same training as in one."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from worker_kit import EXACT, assign, finished, points, run, wait_until, workers

from pipeline.execution.assignment import Event
from pipeline.records import CellResult
from pipeline.storage.results import ResultStore
from tests import tiny


@pytest.fixture(params=["fsdp", pytest.param("deepspeed", marks=pytest.mark.slow)])
def sharded(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Two processes with shards, by each of the ways to make them."""
    strategy = str(request.param)
    if strategy == "deepspeed":
        pytest.importorskip("deepspeed")
    return "hardware=ddp_cpu", f"hardware.strategy={strategy}"


def losses(result: CellResult) -> list[float | None]:
    return [point.train_loss for point in result.trajectory[1:]]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(more, marks=pytest.mark.slow)
        for more in (
            ("arm=scratch", "hardware.micro_batch=3"),
            ("arm=lora",),
            ("arm=frozen",),
            ("train.size=7",),
            ("train.size=7", "hardware.micro_batch=3"),
            ("hardware.gradient_checkpointing=true",),
        )
    ],
)
def test_shards_have_the_loss_curve_and_the_weights_of_one_process(
    sharded: tuple[str, ...], tiny_base: Path, reviews: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    one, _, _ = finished(tmp_path / "one", *settings, base=tiny_base, data=reviews)
    two, _, record = finished(tmp_path / "two", *settings, *sharded, base=tiny_base, data=reviews)
    assert record == ["CellStarted", "CellFinished"]
    assert (two.cell_id, two.cost, two.start_line) == (one.cell_id, one.cost, one.start_line)
    np.testing.assert_allclose(losses(one), losses(two), rtol=1e-4)
    alone, spread = (
        load_file(tmp_path / name / "cells" / one.cell_id / "weights" / "trained.safetensors")
        for name in ("one", "two")
    )
    assert {name: values.shape for name, values in alone.items()} == {n: v.shape for n, v in spread.items()}
    for name, values in alone.items():
        np.testing.assert_allclose(values, spread[name], atol=2e-3, err_msg=name)


@pytest.mark.parametrize("alone", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_checkpoint_of_shards_is_whole_and_goes_on_with_any_number_of_processes(
    sharded: tuple[str, ...], tiny_base: Path, reviews: Path, tmp_path: Path, alone: bool
) -> None:
    one, _, _ = finished(tmp_path / "one", base=tiny_base, data=reviews)
    overrides = tiny.overrides(tiny_base, reviews, tmp_path)
    plan, cell = assign(*EXACT, *sharded, overrides=overrides)
    name = cell.job.cell_id

    def terminate(_: Event) -> None:
        wait_until(lambda: points(tmp_path, plan.study_id, name) > 2)
        workers()[-1].terminate()

    assert "terminated by SIGTERM" in run([cell], on_start=terminate)[name].reason
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    found = load_file(checkpoint / "tensors.safetensors")
    weights = load_file(tmp_path / "one" / "cells" / name / "weights" / "trained.safetensors")
    moments = {n: v.shape for n, v in found.items() if n.startswith("optimizer.") and n.endswith("exp_avg")}
    assert found["model.classifier.weight"].shape == weights["classifier.weight"].shape in moments.values()
    _, again = assign(*EXACT, *(() if alone else sharded), overrides=overrides)
    told = run([dataclasses.replace(again, attempt_id="2")])[name]
    assert told.state == "finished", told.reason
    two = ResultStore(tmp_path).result(name)
    np.testing.assert_allclose(losses(one), losses(two), rtol=1e-4)

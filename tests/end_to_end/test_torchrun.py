"""One cell on the processes that torchrun starts: on one machine, and on two of which one is cut off."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_kit import findings, planned, wait_until
from conftest import Finished
from nodes_kit import TORCHRUN, end, two_machines

from pipeline.storage.results import ResultStore
from pipeline.study.plan import plan_cell
from pipeline.tracking import events
from pipeline.tracking.spool import attempts
from tests import tiny
from tests.standing import standing, went_on_from

LAUNCHED = ("hardware=multinode_torchrun", "hardware.accelerator=cpu", "executor.workers=null")
EXACT = ("train.size=40", "train.lr=1e-3", "train.epochs=60", "train.eval_every=320", "train.dropout=0")


@pytest.mark.slow
def test_a_study_on_two_processes_of_torchrun_has_the_findings_of_one(finished: Finished, tmp_path: Path) -> None:
    arguments = [*finished.at(tmp_path / "out"), "train.dropout=0", *LAUNCHED]
    done = subprocess.run(
        [TORCHRUN, "--standalone", "--nproc-per-node=2", "-m", "pipeline", "study", *arguments],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Report:") == 1
    plan = planned([*finished.at(tmp_path / "out"), "train.dropout=0"])
    assert set(plan.cells) == set(findings(plan)["cells"].values())
    measured = {plan.store.result(name).measured.devices for name in plan.cells}
    assert measured == {2}


def test_outside_torchrun_the_preset_says_how_to_start_it(finished: Finished, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "study", *finished.at(tmp_path / "out"), *LAUNCHED],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert (
        "hardware=multinode_torchrun must be started by torchrun, on each machine: torchrun --nnodes=2" in done.stderr
    )
    assert not (tmp_path / "out" / "cells").exists()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_machine_that_is_cut_off_costs_what_came_after_the_last_checkpoint(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    root = tmp_path / "out"
    settings = [*tiny.overrides(tiny_base, reviews, root), *EXACT]
    launched = [*settings, *LAUNCHED, "train.checkpoint_every=20steps", "hardware.timeout_minutes=0.2"]
    plan = plan_cell(settings)
    (name,) = plan.cells
    with two_machines() as (first, second):
        agents = [m.torchrun(first, ["train", *launched], tmp_path / f"{m.name}.log") for m in (first, second)]
        try:
            wait_until(lambda: standing(root, name) is not None or agents[0].poll() is not None)
            second.cut_off()
            before = standing(root, name)
            assert agents[0].wait(timeout=300) == 0, (tmp_path / f"{first.name}.log").read_text()[-3000:]
        finally:
            for agent in agents:
                end(agent)
    kinds = sorted(str(events.last_kind(path)) for path in attempts(root, plan.study_id))
    assert set(kinds) == {"cell_finished", "killed"}
    assert kinds.count("cell_finished") == 1
    result = ResultStore(root).result(name)
    assert result.measured.devices == 1, "it went on alone"
    assert went_on_from(before, result), "it began again"
    alone = tmp_path / "alone"
    subprocess.run(
        [sys.executable, "-m", "pipeline", "train", *settings, f"paths.root={alone}"], check=True, capture_output=True
    )
    expected = ResultStore(alone).result(name)
    assert [p.step for p in result.trajectory] == [p.step for p in expected.trajectory]
    early = [i for i, p in enumerate(expected.trajectory) if 0 < p.step < 60]
    np.testing.assert_allclose(
        [result.trajectory[i].train_loss for i in early], [expected.trajectory[i].train_loss for i in early], rtol=1e-3
    )

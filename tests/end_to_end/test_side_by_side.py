"""Several commands on one folder at the same time, and a server that goes away: nothing is lost or done twice."""

import subprocess
import time
from pathlib import Path

import pytest
from command_kit import findings, planned, runs, staged, start, wait_until
from conftest import Finished

from pipeline.study.plan import Plan
from pipeline.tracking import events
from pipeline.tracking.spool import spool
from pipeline.tracking.store import Store
from tests.serving import a_server, free_port, kill_group

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def ended(processes: "list[subprocess.Popen[str]]", seconds: float = 400.0) -> list[tuple[int, str]]:
    """Exit codes, and what was said."""
    said = [process.communicate(timeout=seconds) for process in processes]
    return [(p.returncode, out + err) for p, (out, err) in zip(processes, said, strict=True)]


def trainings(root: Path) -> list[str]:
    """The cells that were trained to their end, as often as they were."""
    ends = {path: [e.body for e in events.read(path)[0]] for path in spool(root).glob("*/*@*.jsonl")}
    trained = [path for path, said in ends.items() if any(isinstance(b, events.CellFinished) for b in said)]
    return [path.name.partition("@")[0] for path in trained if not path.stem.endswith("@reused")]


def test_eight_commands_that_begin_at_once_in_an_empty_folder_all_end_well(finished: Finished, tmp_path: Path) -> None:
    root = tmp_path / "out"
    world = [*finished.world, "train.epochs=1", f"paths.root={root}", "tracking=local", "executor.workers=1"]
    commands = [start("train", *world, "train.size=16", f"train.seed={seed}") for seed in range(8)]
    for code, said in ended(commands):
        assert code == 0, said
        assert "Traceback" not in said
    assert len(set(trainings(root))) == len(trainings(root)) == 8
    assert [status for _, status in runs(root, "cell")] == ["FINISHED"] * 8
    assert staged(root) == []


def test_two_coordinators_of_one_study_train_each_cell_once(finished: Finished, tmp_path: Path) -> None:
    arguments = [*finished.at(tmp_path / "out"), "tracking=local", "executor.workers=1"]
    plan = planned(arguments)
    for code, said in ended([start("study", *arguments), start("study", *arguments)]):
        assert code == 0, said
    assert sorted(trainings(plan.root)) == sorted(plan.cells)
    assert findings(plan) == findings(finished.plan)
    assert {status for _, status in runs(plan.root, "cell")} == {"FINISHED"}
    assert len(runs(plan.root, "cell")) == len(plan.cells)


def finished_cells(plan: Plan, share: float) -> bool:
    return len(plan.store.ids()) >= share * len(plan.cells)


def test_a_server_that_is_gone_for_the_middle_third_gets_everything_once(finished: Finished, tmp_path: Path) -> None:
    shelf, port = Store(root=tmp_path / "server"), free_port()
    arguments = [*finished.at(tmp_path / "out"), "tracking=server", f"tracking.uri=http://127.0.0.1:{port}"]
    arguments += ["executor.workers=1"]
    plan = planned(arguments)
    with a_server(shelf, port) as server:
        process = start("study", *arguments)
        wait_until(lambda: finished_cells(plan, 1 / 3) or process.poll() is not None)
        kill_group(server)
    wait_until(lambda: finished_cells(plan, 2 / 3) or process.poll() is not None)
    with a_server(shelf, port):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        end = time.monotonic() + 60
        while len(runs(shelf.root, "cell")) < len(plan.cells) and time.monotonic() < end:
            time.sleep(1)
    names = [name for name, status in runs(shelf.root, "cell") if status == "FINISHED"]
    assert names == sorted(f"{cell.key.label} seed {cell.key.seed}" for cell in plan.cells.values())
    assert len(runs(shelf.root, "cell")) == len(plan.cells)
    assert [status for _, status in runs(shelf.root, "study")] == ["FINISHED"]
    assert findings(plan) == findings(finished.plan)

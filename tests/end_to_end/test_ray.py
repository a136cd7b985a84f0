"""A study over two Ray nodes: the findings of one on this machine alone, also where a node dies in the middle."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from command_kit import (
    command,
    family,
    findings,
    one_finished_run_a_cell,
    planned,
    runs,
    staged,
    start,
    struck,
    wait_until,
)
from conftest import Finished
from ray_kit import Nodes, cells_on, cluster

from pipeline.study.plan import Plan
from pipeline.tracking.spool import attempts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
pytest.importorskip("ray")

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with cluster() as found:
        found.add()
        yield found


def on(nodes: Nodes) -> list[str]:
    return ["executor=ray", "executor.workers=null", f"executor.address={nodes.address}", "hardware.threads=1"]


def trains_on(node: "subprocess.Popen[bytes]", plan: Plan) -> bool:
    """Whether a cell on this node has begun, by its log and its record."""
    logs = [Path(file.path) for cell in cells_on(node) for file in opened(cell) if file.path.endswith(".log")]
    begun = {path.name.partition("@")[0] for path in attempts(plan.root, plan.study_id)}
    return any(log.stem in begun for log in logs)


def opened(process: psutil.Process) -> list[Any]:
    try:
        return list(process.open_files())
    except psutil.Error:
        return []


def as_if_undisturbed(plan: Plan, finished: Finished) -> None:
    """Findings, record and folder, whatever happened on the way."""
    assert findings(plan) == findings(finished.plan)
    assert staged(plan.root) == []
    assert not (plan.root / "questions").exists() or not list((plan.root / "questions").iterdir())
    one_finished_run_a_cell(plan)


def test_a_node_that_dies_costs_its_running_cells_alone(nodes: Nodes, finished: Finished, tmp_path: Path) -> None:
    arguments = [*finished.at(tmp_path / "out"), "tracking=local", *on(nodes)]
    plan, process = planned(arguments), start("study", *arguments)
    wait_until(lambda: process.poll() is not None or (len(plan.store.ids()) > 1 and trains_on(nodes.extra[-1], plan)))
    kept = {name: (plan.store.folder(name) / "result.json").stat().st_mtime_ns for name in plan.store.ids()}
    nodes.lose()
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    assert len(kept) < len(plan.cells)
    assert {n: (plan.store.folder(n) / "result.json").stat().st_mtime_ns for n in kept} == kept
    as_if_undisturbed(plan, finished)
    assert "KILLED" in [status for _, status in runs(plan.root, "cell")], "nothing was running on the node that died"


def test_a_study_that_is_told_to_end_leaves_nothing_running_and_goes_on(
    nodes: Nodes, finished: Finished, tmp_path: Path, capsys: Capture
) -> None:
    arguments = [*finished.at(tmp_path / "out"), "tracking=local", *on(nodes)]
    plan, process = planned(arguments), start("study", *arguments)
    wait_until(lambda: process.poll() is not None or (len(plan.store.ids()) > 0 and nodes.cells() != []))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=100)
    assert process.returncode == 143
    wait_until(lambda: nodes.cells() == [], 10)
    assert 0 < len(plan.store.ids()) < len(plan.cells)
    assert command(capsys, "study", *arguments).code == 0
    as_if_undisturbed(plan, finished)


@pytest.mark.soak
@pytest.mark.parametrize("moment", range(20))
def test_a_signal_to_any_process_at_any_moment_changes_no_finding(
    moment: int, nodes: Nodes, finished: Finished, tmp_path: Path, temporary: Path, capsys: Capture
) -> None:
    def at(before: int) -> list[str]:
        return [*finished.at(tmp_path / str(before)), "tracking=local", *on(nodes)]

    process, before = struck(
        lambda n: start("study", *at(n), TMPDIR=str(temporary)),
        lambda begun: [*family(begun), *nodes.cells()],
        moment,
        window=(5, 40),
    )
    process.communicate(timeout=600)
    assert list(temporary.iterdir()) == []
    arguments = at(before)
    plan = planned(arguments)
    wait_until(lambda: family(process) == [] and nodes.cells() == [], 60)
    assert command(capsys, "study", *arguments).code == 0
    as_if_undisturbed(plan, finished)

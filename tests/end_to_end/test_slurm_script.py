"""The script of docs/hardware.md, by which a whole study is one job of SLURM, run as it stands there."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_kit import planned, staged, wait_until

from pipeline.tracking import events
from pipeline.tracking.spool import attempts, spool
from tests import slurm_kit, tiny

DOCUMENT = Path(__file__).parents[2] / "docs" / "hardware.md"


def script() -> str:
    """What stands there, without the margin."""
    _, start, rest = DOCUMENT.read_text(encoding="utf-8").partition("    #!/bin/bash\n")
    lines = (start + rest.partition("\n\n")[0]).splitlines()
    assert all(line.startswith("    ") for line in lines)
    return "\n".join(line.removeprefix("    ") for line in lines) + "\n"


def the_study_is(arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever study `headstart` is asked for, it runs this one."""
    command, program = [sys.executable, "-m", "pipeline", "study", *arguments], folder / "headstart"
    folder.mkdir()
    program.write_text(f"#!/bin/sh\nexec {shlex.join(command)}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))


@pytest.mark.slow
def test_the_script_saves_the_study_when_its_time_is_up_and_is_requeued_until_it_is_done(
    tiny_base: Path, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*tiny.overrides(tiny_base, reviews, tmp_path / "out"), *tiny.study()]
    queue, plan = slurm_kit.install(tmp_path / "cluster", monkeypatch), planned(arguments)
    the_study_is(arguments, tmp_path / "bin", monkeypatch)
    (tmp_path / "job.sh").write_text(script())
    said = subprocess.run(["sbatch", tmp_path / "job.sh"], check=True, capture_output=True, text=True).stdout
    assert said == "Submitted batch job 1\n"
    wait_until(lambda: len(plan.store.ids()) > 0)
    shell = int((queue / "1" / "session").read_text())
    os.kill(shell, signal.SIGTERM)  # to the shell alone, as --signal=B:TERM@90 says
    wait_until(lambda: (queue / "1" / "session").read_text() != str(shell))
    kept = {name: (plan.store.folder(name) / "result.json").stat().st_mtime_ns for name in plan.store.ids()}
    assert 0 < len(kept) < len(plan.cells)
    wait_until((queue / "1" / "over").exists)
    assert set(plan.store.ids()) == set(plan.cells), (queue / "1" / "batch.log").read_text()
    assert {n: (plan.store.folder(n) / "result.json").stat().st_mtime_ns for n in kept} == kept
    assert (plan.folder / "report.html").is_file()
    assert staged(plan.root) == []
    kinds = [events.last_kind(path) for path in attempts(plan.root, plan.study_id)]
    assert set(kinds) == {"cell_finished", "killed"}
    assert events.last_kind(spool(plan.root) / plan.study_id / "study.jsonl") == "study_finished"

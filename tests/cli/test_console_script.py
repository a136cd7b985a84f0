"""The installed command in processes of its own, from a folder that is not the project's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("headstart")


def run(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT)] if SCRIPT.is_file() else [sys.executable, "-m", "pipeline"]
    return subprocess.run(
        [*command, *words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def completed(line: str, folder: Path, *, point: int | None = None) -> list[str]:
    done = run(
        "-sc", "query=bash", folder=folder, COMP_LINE=line, COMP_POINT=str(len(line) if point is None else point)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("headstart st", {"study"}),
        ("headstart study experiments=qu", {"experiments=quickstart"}),
        (
            "headstart study experiments=",
            {f"experiments={path.stem}" for path in (ROOT / "experiments").glob("*.yaml")},
        ),
        ("headstart train arm=scratch base=minil", {"base=minilm"}),
        ("headstart train hardware=ddp_", {"hardware=ddp_cpu"}),
        ("headstart train arm=", {f"arm={path.stem}" for path in (ROOT / "conf/arm").glob("*.yaml")}),
    ],
)
def test_tab_completes_commands_and_choices(line: str, expected: set[str], tmp_path: Path) -> None:
    assert set(completed(line, tmp_path)) == expected


def test_tab_completes_every_command(tmp_path: Path) -> None:
    from pipeline.cli import COMMANDS

    assert set(completed("headstart ", tmp_path)) == set(COMMANDS)


def test_tab_completes_settings_and_own_studies(tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "mine.yaml").write_text("# @package _global_\nstudy: {name: mine}\n")
    assert "train.lr=" in completed("headstart train train.l", tmp_path)
    assert completed("headstart study experiments=mi", tmp_path) == ["experiments=mine"]


def test_the_line_that_installs_tab_completion_is_a_script_for_this_command(tmp_path: Path) -> None:
    done = run("-sc", "install=bash", folder=tmp_path)
    assert done.returncode == 0
    assert "complete -o nospace -o default -F" in done.stdout
    assert "headstart" in done.stdout
    checked = subprocess.run(["bash", "-n"], input=done.stdout, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_defaults_tree_names_the_files_chosen(tmp_path: Path) -> None:
    done = run("train", "--info", "defaults-tree", "arm=scratch", "+study.claims.a.size=10", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "arm: scratch" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_own_yaml_in_the_working_directory_comes_first(tmp_path: Path) -> None:
    (tmp_path / "conf" / "task").mkdir(parents=True)
    (tmp_path / "conf" / "task" / "mine.yaml").write_text("name: mine\ndata: {path: mine.csv, text: words}\n")
    shown = run("train", "task=mine", "--cfg", "job", "--package", "task.data.text", folder=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, "words\n")
    missing = run("train", "task=mine", folder=tmp_path)
    assert missing.returncode == 2
    assert "mine.csv" in missing.stderr
    assert {p.name for p in tmp_path.iterdir()} == {"conf"}


def test_a_mistake_ends_with_two_and_no_traceback(tmp_path: Path) -> None:
    done = run("train", "train.lr=abc", folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: The configuration breaks 1 rule:\n  1. train.lr: Value 'abc'")
    assert "Traceback" not in done.stderr


def test_a_bug_ends_with_one_and_shows_its_place_only_when_asked(tmp_path: Path) -> None:
    code = (
        "import sys, pipeline.commands.doctor as d, pipeline.cli as c\n"
        "def run(_): return {}['nothing']\n"
        "d.run = run\nsys.argv = ['headstart', *sys.argv[1:]]\nsys.exit(c.main())\n"
    )

    def doctor(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "doctor", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    plain, traced = doctor(), doctor("debug=true")
    assert (plain.returncode, traced.returncode) == (1, 1)
    assert plain.stderr.startswith("Error: KeyError: 'nothing'\nThis is a bug.")
    assert "Traceback" not in plain.stderr
    assert "Traceback" in traced.stderr


def test_a_reader_that_leaves_early_is_no_error_worth_a_traceback(tmp_path: Path) -> None:
    line = f"{sys.executable} -m pipeline train --cfg job | head -1"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "base:\n"
    assert "Traceback" not in done.stderr

"""`make` as a person meets it: the list of targets, and the real command each one prints."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("Makefile", "pyproject.toml", "constraints.txt", "requirements-samples.txt")
PROMISED = (
    "setup compare claims train study sweep report publish predict export doctor dashboard sweep-dashboard services "
    "test coverage check site bench soak clean clean-results help"
)


def make(*arguments: str, folder: Path = ROOT, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the build files alone, its environment already made."""
    for name in FILES:
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("bin/python", ".ready", ".bench"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def commands(folder: Path, *arguments: str) -> list[str]:
    result = make("-n", *arguments, folder=folder)
    assert result.returncode == 0, result.stderr
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_help_is_the_default_goal_and_lists_every_target_with_one_line() -> None:
    plain, asked = make(), make("help")
    assert plain.stdout == asked.stdout
    for target in PROMISED.split():
        assert len(re.findall(rf"^  {target} +\S.+$", plain.stdout, flags=re.MULTILINE)) == 1, target


def test_help_names_every_variable() -> None:
    for variable in ("EXPERIMENT=", "TASK=", "BASE=", "HARDWARE=", "ARM=", "ARGS=", "TORCH=", "PYTHON="):
        assert f"  {variable} " in make("help").stdout


def test_every_phony_target_is_in_the_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = {name for line in re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE) for name in line.split()}
    assert phony == {*PROMISED.split(), "always"}


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["train"], "python -m pipeline train"),
        (["train", "ARM=lora", "TASK=topic"], "python -m pipeline train arm=lora task=topic"),
        (["compare"], "python -m pipeline study experiments=quickstart"),
        (["compare", "BASE=bert"], "python -m pipeline study experiments=quickstart base=bert"),
        (["claims", "TASK=sentiment"], "python -m pipeline claims task=sentiment"),
        (["study", "EXPERIMENT=data_efficiency"], "python -m pipeline study experiments=data_efficiency"),
        (
            ["report", "ARGS=paths.root=elsewhere"],
            "python -m pipeline report experiments=quickstart paths.root=elsewhere",
        ),
        (["predict", "ARGS=cell=ab12"], "python -m pipeline predict cell=ab12"),
        (["export", "ARGS=cell=ab12 export=out"], "python -m pipeline export cell=ab12 export=out"),
        (["doctor", "HARDWARE=cpu"], "python -m pipeline doctor hardware=cpu"),
        (["dashboard"], "python -m pipeline dashboard"),
        (["test", "ARGS=-k words"], "python -m pytest -q -k words"),
        (["bench"], "python -m tests.bench"),
        (["soak"], "python -m pytest -q -m soak --timeout=0"),
    ],
)
def test_a_target_prints_the_command_with_only_what_was_chosen(
    checkout: Path, arguments: list[str], command: str
) -> None:
    assert commands(checkout, *arguments) == [f".venv/bin/{command}"]


def test_check_runs_format_lint_types_and_layers(checkout: Path) -> None:
    tools = [line.split("/")[-1].removeprefix("python -m ") for line in commands(checkout, "check")]
    assert tools == ["ruff format --check .", "ruff check .", "mypy", "lint-imports"]


def test_choices_in_the_environment_do_not_leak_into_a_command(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK", "left over from another tool")
    assert commands(checkout, "train") == [".venv/bin/python -m pipeline train"]


@pytest.mark.parametrize("target", ["compare", "test", "doctor"])
def test_every_target_makes_the_environment_first_where_there_is_none(checkout: Path, target: str) -> None:
    (checkout / ".venv/.ready").unlink()
    lines = commands(checkout, target)
    assert "-c constraints.txt" in lines[0]
    assert "--no-deps --no-compile --require-hashes -r requirements-samples.txt" in lines[1]


def test_setup_takes_the_build_of_torch_that_was_asked_for(checkout: Path) -> None:
    assert "torch" not in commands(checkout, "setup")[0]
    assert commands(checkout, "setup", "TORCH=cpu")[0].endswith("torch==2.13.0+cpu")
    assert commands(checkout, "setup", "TORCH=cuda")[0].endswith("torch===2.13.0")
    chosen = commands(checkout, "setup", "TORCH=cuda", "TORCH_INDEX=https://wheels.example.org/cu")[0]
    assert chosen.endswith("--index-url https://wheels.example.org/cu torch==2.13.0")


def test_an_unknown_build_of_torch_is_refused(checkout: Path) -> None:
    result = make("setup", "TORCH=blue", folder=checkout)
    assert result.returncode != 0
    assert "TORCH must be default, cpu or cuda, but got 'blue'" in result.stderr


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 1", "Headstart needs Python 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "cannot make virtual environments"),
    ],
)
def test_an_unfit_python_gives_one_clear_error(checkout: Path, script: str, message: str) -> None:
    for name in ("bin/python", ".ready"):
        (checkout / ".venv" / name).unlink()
    python = checkout / "fake-python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)
    result = make("setup", f"PYTHON={python}", folder=checkout)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_clean_leaves_results_and_clean_results_deletes_them_only_after_yes(checkout: Path) -> None:
    result = checkout / "outputs/cells/ab12/result.json"
    result.parent.mkdir(parents=True)
    result.touch()
    (checkout / "pipeline/__pycache__").mkdir(parents=True)
    assert make("clean", folder=checkout).returncode == 0
    assert result.exists()
    assert not (checkout / "pipeline/__pycache__").exists()
    for typed in ("", "no\n", "y\n"):
        assert make("clean-results", folder=checkout, typed=typed).returncode == 0
        assert result.exists()
    asked = make("clean-results", folder=checkout, typed="yes\n")
    assert "1 finished cells" in asked.stdout
    assert not (checkout / "outputs").exists()

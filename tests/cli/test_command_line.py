"""The command line in this process: exit codes, what is said, and that nothing is half-written."""

from collections.abc import Callable
from pathlib import Path

import pytest

import pipeline.cli
from pipeline import __version__
from pipeline.cli import COMMANDS, main
from pipeline.errors import StorageError
from tests.serving import free_port

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """A function that runs a command in an empty folder: its exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_help_names_every_command_and_succeeds(say: Say) -> None:
    for words in (["--help"], ["-h"], ["help"]):
        code, out, err = say(*words)
        assert (code, err) == (0, "")
        assert all(f"  {name}" in out for name in COMMANDS)


def test_without_a_command_help_is_shown_and_it_fails(say: Say) -> None:
    code, out, _ = say()
    assert code == 2
    assert "usage: headstart COMMAND" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_its_line(command: str, say: Say) -> None:
    code, out, _ = say(command, "--help")
    assert code == 0
    assert COMMANDS[command] in out
    assert sum(f"  {name} " in out for name in COMMANDS) == 1


def test_the_version_is_said(say: Say) -> None:
    assert say("--version") == (0, f"headstart {__version__}\n", "")


@pytest.mark.parametrize(("word", "meant"), [("trian", "train"), ("studdy", "study"), ("repot", "report")])
def test_an_unknown_command_names_the_nearest(word: str, meant: str, say: Say) -> None:
    code, out, err = say(word)
    assert (code, out) == (2, "")
    assert f"There is no command '{word}'. Did you mean '{meant}'?" in err


@pytest.mark.parametrize("command", ["train", "study", "report", "predict", "export", "dashboard", "doctor"])
def test_every_command_checks_its_settings_first_and_writes_nothing(command: str, say: Say, tmp_path: Path) -> None:
    code, out, err = say(command, "train.lr=-1", "train.batch=0")
    assert (code, out) == (2, "")
    assert "breaks 2 rules" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["-m", "--multirun"])
@pytest.mark.parametrize("before", [[], ["--cfg", "job"]])
def test_multirun_is_refused_and_a_study_is_named_instead(flag: str, before: list[str], say: Say) -> None:
    code, _, err = say("train", *before, flag, "train.seed=1,2")
    assert code == 2
    assert "several trainings are a study" in err


@pytest.mark.parametrize(
    "flag", ["--config-dir=x", "--config-path", "--experimental-rerun=x.pickle", "--run", "-x", "--cgf"]
)
@pytest.mark.parametrize("before", [[], ["--cfg", "job"]])
def test_an_option_that_is_not_offered_is_refused(flag: str, before: list[str], say: Say) -> None:
    code, out, err = say("train", *before, flag)
    assert (code, out) == (2, "")
    assert f"There is no option {flag!r}; settings are given as name=value." in err


def test_an_option_that_only_details_another_is_refused_alone(say: Say, tmp_path: Path) -> None:
    code, _, err = say("train", "--resolve")
    assert code == 2
    assert "--resolve only goes with --cfg" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", [["--cfg", "job"], ["-c", "job"], ["--cfg=job"]])
def test_the_configuration_is_shown_with_its_overrides(flag: list[str], say: Say, tmp_path: Path) -> None:
    code, out, err = say("train", "train.lr=0.125", *flag, "arm=scratch")
    assert (code, err) == (0, "")
    assert "  lr: 0.125\n" in out
    assert "  start: scratch\n" in out
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_the_configuration_is_shown(say: Say) -> None:
    code, out, _ = say("train", "--cfg", "job", "--package", "arm.recipe", "arm=scratch")
    assert code == 0
    assert out.startswith("lr: 0.0002\n")
    assert say("train", "--cfg", "job", "-p", "amr")[0] == 2


def test_no_secret_is_shown_with_the_configuration(say: Say) -> None:
    secret = "hf_VerySecret"
    given = [f"base.token={secret}", "tracking=server", f"tracking.uri=https://me:{secret}@host"]
    for flags in (["--cfg", "job"], ["--cfg", "job", "-p", "base.token"]):
        code, out, err = say("train", *given, *flags)
        assert code == 0
        assert secret not in out + err


def test_a_failure_that_is_nobodys_mistake_ends_with_one(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise StorageError("The disk is full.")

    monkeypatch.setattr("pipeline.commands.doctor.run", fail)
    assert say("doctor") == (1, "", "Error: The disk is full.\n")


def test_an_error_of_the_system_is_one_line(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise PermissionError(13, "Permission denied", "outputs/x")

    monkeypatch.setattr("pipeline.commands.doctor.run", fail)
    code, _, err = say("doctor")
    assert code == 1
    assert err.startswith("Error: [Errno 13] Permission denied: 'outputs/x'.")
    assert "Traceback" not in err


def test_tracebacks_are_shown_when_asked_for(say: Say) -> None:
    code, _, err = say("train", "train.lr=-1", "debug=true")
    assert code == 2
    assert "Traceback" in err
    assert "Error: The configuration breaks 1 rule" in err


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt(), 130), (pipeline.cli.Terminated(), 143)])
def test_a_stop_says_how_to_go_on(stop: BaseException, code: int, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise stop

    monkeypatch.setattr("pipeline.commands.doctor.run", fail)
    found, _, err = say("doctor")
    assert found == code
    assert "the same command goes on from there" in err


def test_a_study_must_be_chosen(say: Say) -> None:
    code, _, err = say("study")
    assert code == 2
    assert "experiments=quickstart" in err


def test_a_study_takes_its_arms_from_its_list(say: Say) -> None:
    code, _, err = say("study", "experiments=quickstart", "arm=lora")
    assert code == 2
    assert "study.arms=[" in err


def test_the_best_from_scratch_needs_two_arms_from_scratch_to_choose_from(say: Say) -> None:
    code, out, err = say("study", "experiments=quickstart", "study.arms=[pretrained,frozen,scratch]",
                         "+study.claims.rival.against=best_from_scratch")  # fmt: skip
    assert (code, out) == (2, "")
    assert "study.claims.rival: best_from_scratch must be chosen from at least two arms that start from scratch" in err
    assert "but study.arms=[pretrained,frozen,scratch] has 1 (scratch). Add one, for example scratch_small" in err
    assert "study.claims.rival.against=scratch." in err


@pytest.mark.parametrize(
    ("setting", "nearest"), [("task.metric=acuracy", "accuracy"), ("task.kind=clasification", "classification")]
)
def test_a_metric_or_kind_that_does_not_exist_is_refused_before_anything_is_prepared(
    setting: str, nearest: str, say: Say, tmp_path: Path
) -> None:
    code, _, err = say("train", setting)
    assert code == 2
    assert f"Did you mean '{nearest}'?" in err
    assert list(tmp_path.iterdir()) == []


def test_a_base_that_is_not_there_is_refused_before_anything_is_prepared(say: Say, tmp_path: Path) -> None:
    code, _, err = say("train", "base=local", "base.path=nowhere")
    assert code == 2
    assert "base.path=nowhere: there is no such directory." in err
    assert list(tmp_path.iterdir()) == []


def test_results_cannot_go_into_a_file(say: Say, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("a,b\n")
    for command in (["study", "experiments=quickstart"], ["dashboard", f"tracking.port={free_port()}"]):
        code, _, err = say(*command, f"paths.root={tmp_path / 'reviews.csv'}")
        assert code == 2, err
        assert "cannot be written to. Choose another folder with paths.root=FOLDER." in err


def test_train_has_no_plan_to_show(say: Say, tmp_path: Path) -> None:
    code, _, err = say("train", "plan=true")
    assert code == 2
    assert "plan=true has no place here: it shows the cells of a study" in err
    assert list(tmp_path.iterdir()) == []

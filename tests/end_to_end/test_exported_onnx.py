"""Classifiers as ONNX graphs, read by ONNX Runtime with the code of their model cards."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from command_kit import command
from formats_kit import Export, built, elsewhere, losses_of

Capture = pytest.CaptureFixture[str]
CASES = ("mean", "head", "last of pairs", "head of pairs", "mean with several labels", "number of pairs")
needs_packages = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("onnx", "onnxscript", "onnxruntime"))),
    reason="the packages of the extra onnx are not installed",
)


@pytest.mark.slow
@needs_packages
def test_a_graph_gives_the_cells_own_probabilities(tmp_path: Path) -> None:
    exports = built(CASES, tmp_path, "export_format=onnx")
    for name, answer in elsewhere(exports, tmp_path).items():
        own = np.exp(-answer.export.losses())
        np.testing.assert_allclose(np.exp(-losses_of(answer.found, answer.export)), own, atol=1e-4, err_msg=name)
        assert answer.found.std(axis=0).max() > 5e-3, f"{name}: the texts cannot be told apart"
        assert not list(answer.export.folder.glob("*.safetensors"))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    return built(["words", "cls"], tmp_path_factory.mktemp("refused"))


def test_a_model_on_words_is_refused_with_the_format_for_it(
    exports: dict[str, Export], tmp_path: Path, capsys: Capture
) -> None:
    asked = [*exports["words"].world, f"export={tmp_path / 'model'}", "export_format=onnx"]
    done = command(capsys, "export", *asked)
    assert done.code == 2
    assert "is a linear model on words. Use export_format=safetensors." in done.err
    assert not (tmp_path / "model").exists()


def test_without_its_packages_it_is_refused_with_the_command_that_installs_them(
    exports: dict[str, Export], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else there(name))
    asked = [*exports["cls"].world, f"export={tmp_path / 'model'}", "export_format=onnx"]
    done = command(capsys, "export", *asked)
    assert done.code == 2
    assert "onnxscript" in done.err.split(", but ")[1]
    assert "pip install -c constraints.txt '.[onnx]'" in done.err


def test_another_format_is_refused_with_the_nearest(exports: dict[str, Export], capsys: Capture) -> None:
    done = command(capsys, "export", *exports["cls"].world, "export_format=onxx")
    assert done.code == 2
    assert "Did you mean 'onnx'?" in done.err

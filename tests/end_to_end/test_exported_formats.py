"""Exports of every pooling and of counted words, read by other libraries alone with the code of their model cards."""

import csv
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from command_kit import command
from formats_kit import CASES, FEW, NUMBERS, SEVERAL, Answer, Export, built, elsewhere, losses_of

from pipeline.data.store import stored_examples
from pipeline.study.plan import plan_cell

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    return built(FEW, tmp_path_factory.mktemp("few"))


@pytest.fixture(scope="module", params=["few", pytest.param("others", marks=pytest.mark.slow)])
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    found: dict[str, Export] = (
        request.getfixturevalue("exports")
        if request.param == "few"
        else built([name for name in CASES if name not in FEW], tmp_path_factory.mktemp("others"))
    )
    return elsewhere(found, tmp_path_factory.mktemp("elsewhere"))


def test_the_code_of_each_card_gives_the_cells_own_probabilities(answers: dict[str, Answer]) -> None:
    for name, answer in answers.items():
        own = np.exp(-answer.export.losses())
        np.testing.assert_allclose(np.exp(-losses_of(answer.found, answer.export)), own, atol=1e-4, err_msg=name)
        assert answer.found.std(axis=0).max() > 5e-3, f"{name}: the texts cannot be told apart"


def test_predict_gives_what_the_exported_directory_gives(
    answers: dict[str, Answer], tmp_path: Path, capsys: Capture
) -> None:
    for name, answer in answers.items():
        said = predicted(answer.export, tmp_path / "test.csv", capsys)
        for row, probabilities in zip(said, answer.found, strict=True):
            if answer.export.case.task == NUMBERS:
                assert float(row["similarity"]) == pytest.approx(probabilities[0], abs=2e-4), name
            elif answer.export.case.task == SEVERAL:
                clear = {answer.labels[i] for i in np.flatnonzero(probabilities > 0.501)}
                assert clear <= set(row["labels"].split(", ")), name
            else:
                assert float(row["probability"]) == pytest.approx(probabilities.max(), abs=2e-4), name
                assert row["label"] == answer.labels[probabilities.argmax()] or np.ptp(probabilities) < 1e-3, name


def predicted(export: Export, path: Path, capsys: Capture) -> list[dict[str, str]]:
    """What `predict` says of the test set."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        sample = [[e.text, e.second or ""] for e in stored_examples(export.prepared(), "test")]
        csv.writer(file).writerows([("one", "other"), *sample])
    given = [f"predict.path={path}", "predict.column=one", "predict.second_column=other"]
    done = command(capsys, "predict", *export.world, *given)
    assert done.code == 0, done.err
    return list(csv.DictReader(io.StringIO(done.out)))


def test_a_directory_for_sentence_transformers_says_how_it_reads(exports: dict[str, Export]) -> None:
    folder = exports["mean"].folder
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8"))
    assert config["id2label"] == {"0": "bad", "1": "good"}
    assert not [name for name in config if "headstart" in name]
    assert prompts["prompts"][prompts["default_prompt_name"]] == "query: "
    assert "library_name: sentence-transformers" in exports["mean"].card()


def test_counted_words_are_exported_without_pickle_and_name_no_base(exports: dict[str, Export]) -> None:
    export = exports["words"]
    names = {path.name for path in export.folder.iterdir()}
    assert names == {"vocabulary.json", "trained.safetensors", "labels.json", "README.md"}
    assert "No base was used" in export.card()
    assert "architecture and tokenizer" not in export.card()
    assert "Recipe:" not in export.card()
    assert "Recipe:" in exports["mean"].card()


@pytest.mark.parametrize("name", ["mean", "last of pairs"])
def test_without_sentence_transformers_the_check_is_made_by_hand_and_says_so(
    exports: dict[str, Export], name: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    done = command(capsys, "export", *exports[name].world, f"export={tmp_path / 'model'}")
    assert done.code == 0, done.err
    assert "Checked with transformers and NumPy (Sentence Transformers is not installed)" in done.out
    assert float(re.search(r"difference (\S+)\)", done.out)[1]) < 1e-5  # type: ignore[index]


def test_an_exported_directory_is_a_base_with_its_own_pooling_and_prefix(exports: dict[str, Export]) -> None:
    base = f"base.path={exports['mean'].folder}"
    asked = [each for each in exports["mean"].world if not each.startswith(("base.path", "base.prefix", "base.pool"))]
    (cell,) = plan_cell([*asked, base]).cells.values()
    assert (cell.base.pooling, cell.base.prefix) == ("mean", "query: ")

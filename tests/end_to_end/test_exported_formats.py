"""Exports of every pooling and of counted words, read by other libraries alone with the code of their model cards."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_kit import command

from pipeline.data.sets import Prepared
from pipeline.data.store import load, texts
from pipeline.study.plan import plan_cell
from pipeline.tasks import PAIR
from tests import tiny
from tests.models.tiny_bases import save_tiny, tiny_tokenizer

Capture = pytest.CaptureFixture[str]
Probabilities = np.ndarray  # float64 [N, C]
LONG = "the plot was long and the actor was dull but the film is good "  # repeated, more than a base reads

SINGLE = ["task=classification", "task.data.text=one", "task.data.label=fits"]
PAIRS = ["task=pair_classification", "task.data.text=one", "task.data.second=other", "task.data.label=fits"]
SEVERAL = ["task=multi_label_classification", "task.data.text=one", "task.data.label=null", "task.data.labels=tags"]
NUMBERS = ["task=similarity", "task.data.text=one", "task.data.second=other", "task.data.label=null",
           "task.data.score=rating", "task.data.scale=[0,1]"]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A cell to export: of an arm on a base of a family that is pooled so, for a task, with a prefix."""

    family: str
    pooling: str
    task: list[str]
    arm: str = "pretrained"
    prefix: str = ""

    @property
    def paired(self) -> bool:
        return self.task in (PAIRS, NUMBERS)

    @property
    def gives(self) -> str:
        """The last lines of a program that has run the model card's code: probabilities of `given` as JSON."""
        if self.arm == "bag_of_words":
            return "found = predict(*zip(*given)) if isinstance(given[0], tuple) else predict(given)"
        if self.pooling == "head":
            return "found = [[row[name] for name in sorted(row)] for row in rows(said)]"
        return "found = probabilities"


CASES = {
    "mean": Case("bert", "mean", SINGLE, prefix="query: "),
    "cls": Case("distilbert", "cls", SINGLE),
    "last": Case("llama", "last", SINGLE),
    "head": Case("bert", "head", SINGLE, prefix="query: "),
    "low-rank": Case("bert", "mean", SINGLE, arm="lora"),
    "mean of pairs": Case("bert", "mean", PAIRS, prefix="query: "),
    "cls of pairs": Case("roberta", "cls", PAIRS),
    "last of pairs": Case("llama", "last", PAIRS, prefix="query: "),
    "head of pairs": Case("bert", "head", PAIRS),
    "mean with several labels": Case("modernbert", "mean", SEVERAL),
    "head with several labels": Case("bert", "head", SEVERAL),
    "number of pairs": Case("bert", "mean", NUMBERS, arm="frozen"),
    "words": Case("bert", "mean", SINGLE, arm="bag_of_words", prefix="query: "),
    "words of pairs": Case("bert", "mean", PAIRS, arm="bag_of_words"),
    "words with several labels": Case("bert", "mean", SEVERAL, arm="bag_of_words"),
}
FEW = ("mean", "last of pairs", "head", "words")


@dataclass(frozen=True)
class Export:
    """A finished cell and its exported directory."""

    case: Case
    world: list[str]
    folder: Path

    def losses(self) -> np.ndarray:
        """The cell's own, of each text of its test set."""
        plan = plan_cell(self.world)
        scores = plan.store.scores(*plan.cells)
        return np.asarray(scores[scores["dataset"] == 1]["loss"], dtype=np.float64)

    def prepared(self) -> Prepared:
        return load(plan_cell(self.world).data_folder)

    def given(self) -> list[Any]:
        """The test's texts, or pairs of them, as a user gives them."""
        prefix = self.case.prefix if self.case.paired or self.case.pooling == "head" else ""
        prefix = "" if self.case.arm == "bag_of_words" else prefix
        parts = [text.split(PAIR) for text in texts(self.prepared(), "test")]
        if self.case.paired:
            return [[prefix + first, prefix + second] for first, second, *_ in parts]
        return [prefix + first for first, *_ in parts]

    def card(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")


def table(path: Path) -> Path:
    """240 pairs of texts, some of them long, each with a label, tags and a number."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("one", "other", "fits", "tags", "rating"))
        for i, ((text, tone), (second, _)) in enumerate(zip(tiny.rows(240), tiny.rows(240, seed=1), strict=True)):
            tags = f"{tone};early" if i % 4 < 2 else tone
            writer.writerow((f"{LONG * (i % 3)}{text}", second, tone, tags, i % 5 / 4))
    return path


def built(names: Sequence[str], root: Path) -> dict[str, Export]:
    """The cases' cells, trained and exported."""
    from pipeline.cli import main

    data, found = table(root / "data.csv"), {}
    for number, name in enumerate(names):
        case, folder = CASES[name], root / str(number)
        base = save_tiny(folder / "base", case.family, initializer_range=0.2)  # answers that differ between texts
        tiny_tokenizer().save_pretrained(base)
        asked = [f"base.pooling={case.pooling}", f"base.prefix='{case.prefix}'", f"arm={case.arm}", *case.task]
        recipe = ["train.size=48", "train.lr=3e-3", "train.epochs=3", "train.min_steps=12", "train.keep=all"]
        world = [*tiny.overrides(base, data, folder / "out"), *asked, "task.max_length=24", *recipe]
        assert main(["train", *world]) == 0, name
        assert main(["export", *world, f"export={folder / 'model'}"]) == 0, name
        found[name] = Export(case=case, world=world, folder=folder / "model")
    return found


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    return built(FEW, tmp_path_factory.mktemp("few"))


READER = """
import json, os, sys

def rows(said):
    return [{each["label"]: each["score"] for each in row} for row in said]

answers = {}
for job in json.load(sys.stdin):
    os.chdir(job["folder"])
    given = [tuple(each) if isinstance(each, list) else each for each in job["given"]]
    scope = {"given": given, "rows": rows}
    exec(job["code"], scope)
    names = scope.get("labels") or sorted(rows(scope["said"])[0])
    names = [names[i] for i in range(len(names))]
    answers[job["name"]] = [[list(map(float, row)) for row in scope["found"]], names]
assert "pipeline" not in sys.modules
json.dump(answers, open(sys.argv[1], "w"))
"""


def program(export: Export) -> str:
    """The code of the model card, with `given` for its example, and the lines that make `found` of it."""
    code = export.card().split("## Use\n\n```\n", 1)[1].split("\n```", 1)[0]
    if export.case.arm == "bag_of_words":
        code, changed = re.subn(r"\nprint\(labels, predict\(.*\)\)$", "", code)
    elif export.case.pooling == "head":
        dicts = '[{"text": one, "text_pair": other} for one, other in given]' if export.case.paired else "given"
        code, changed = re.subn(r"\nask\(.*(, truncation=True)\)$", rf"\nsaid = ask({dicts}\1, top_k=None)", code)
    else:
        code, changed = re.subn(r"model\.encode\(\[.*\]\)", "model.encode(given)", code)
    assert changed == 1, code
    return f"{code}\n{export.case.gives}\n"


@dataclass(frozen=True)
class Answer:
    """What another process, which has never imported this package, finds with the code of a model card."""

    export: Export
    found: Probabilities
    labels: list[str]


@pytest.fixture(scope="module", params=["few", pytest.param("others", marks=pytest.mark.slow)])
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    folder = tmp_path_factory.mktemp("elsewhere")
    exports: dict[str, Export] = (
        request.getfixturevalue("exports")
        if request.param == "few"
        else built([name for name in CASES if name not in FEW], tmp_path_factory.mktemp("others"))
    )
    jobs = [
        {"name": name, "folder": str(export.folder), "given": export.given(), "code": program(export)}
        for name, export in exports.items()
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", READER, str(folder / "answers.json")],
        input=json.dumps(jobs), capture_output=True, text=True, cwd=folder, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "newly initialized" not in done.stderr, "weights that the directory lacks"
    found = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return {
        name: Answer(export=exports[name], found=np.array(rows), labels=labels)
        for name, (rows, labels) in found.items()
    }


def losses_of(found: Probabilities, export: Export) -> np.ndarray:
    """The loss of each test text by these probabilities, with its answer from the prepared data."""
    test = export.prepared().test
    if export.case.task in (SINGLE, PAIRS):
        return -np.log(found[np.arange(len(found)), np.asarray(test.labels)])
    if export.case.task == NUMBERS:
        right = np.asarray(test.beside["number"])[:, None]
    else:
        classes = np.asarray(test.beside["classes"])
        right = (classes[:, :, None] == np.arange(found.shape[1])).any(axis=1)
    return -(right * np.log(found) + (1 - right) * np.log(1 - found)).mean(axis=1)


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
        sample = [[*text.split(PAIR), ""][:2] for text in texts(export.prepared(), "test")]
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

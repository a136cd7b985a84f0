"""Cells that are exported, and another process that reads the directories with the code of their model cards."""

import csv
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

from pipeline.data.sets import Prepared
from pipeline.data.store import load, stored_examples
from pipeline.study.plan import plan_cell
from pipeline.tasks import kind, prefixed
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
        """The test's texts, or pairs of them, with a prefix where the card has one before its example."""
        prefix = self.case.prefix if f'"{self.case.prefix}…"' in self.code() else ""
        task = kind(plan_cell(self.world).config.task.kind)
        examples = prefixed(task, stored_examples(self.prepared(), "test"), prefix)
        return [[e.text, e.second] if self.case.paired else e.text for e in examples]

    def card(self) -> str:
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def code(self) -> str:
        """The code of the model card."""
        return self.card().split("## Use\n\n```\n", 1)[1].split("\n```", 1)[0]


def table(path: Path) -> Path:
    """240 pairs of texts, some of them long, each with a label, tags and a number."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("one", "other", "fits", "tags", "rating"))
        for i, ((text, tone), (second, _)) in enumerate(zip(tiny.rows(240), tiny.rows(240, seed=1), strict=True)):
            tags = f"{tone};early" if i % 4 < 2 else tone
            writer.writerow((f"{LONG * (i % 3)}{text}", second, tone, tags, i % 5 / 4))
    return path


def built(names: Sequence[str], root: Path, *settings: str) -> dict[str, Export]:
    """The cases' cells, trained, and exported with these settings."""
    from pipeline.cli import main

    exports = trained(names, root)
    for name, export in exports.items():
        assert main(["export", *export.world, f"export={export.folder}", *settings]) == 0, name
    return exports


def trained(names: Sequence[str], root: Path) -> dict[str, Export]:
    """The cases' cells, trained, and where they are to be exported."""
    from pipeline.cli import main

    data, found = table(root / "data.csv"), {}
    for number, name in enumerate(names):
        case, folder = CASES[name], root / str(number)
        base = save_tiny(folder / "base", case.family, initializer_range=0.2)  # answers that differ between texts
        tiny_tokenizer().save_pretrained(base)
        asked = [f"base.pooling={case.pooling}", f"base.prefix='{case.prefix}'", f"arm={case.arm}", *case.task]
        recipe = [
            "arm.head=fresh",
            "train.size=48",
            "train.lr=3e-3",
            "train.epochs=3",
            "train.min_steps=12",
            "train.keep=all",
        ]
        world = [*tiny.overrides(base, data, folder / "out"), *asked, "task.max_length=24", *recipe]
        assert main(["train", *world]) == 0, name
        found[name] = Export(case=case, world=world, folder=folder / "model")
    return found


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
    if isinstance(names, dict):
        names = [name for _, name in sorted(names.items(), key=lambda each: int(each[0]))]
    answers[job["name"]] = [[list(map(float, row)) for row in scope["found"]], names]
assert "pipeline" not in sys.modules
json.dump(answers, open(sys.argv[1], "w"))
"""


def program(export: Export) -> str:
    """The code of the model card with `given` for its example, and a line that makes `found` of its answers."""
    if "\nask(" in export.code():
        texts = '[{"text": one, "text_pair": other} for one, other in given]' if export.case.paired else "given"
        pattern, given = r"\nask\(.*(, truncation=True)\)$", rf"\nsaid = ask({texts}\1, top_k=None)"
        last = "found = [[row[name] for name in sorted(row)] for row in rows(said)]"
    elif "def predict(" in export.code():
        pattern, given = r"\nprint\(labels, predict\(.*\)\)$", ""
        last = "found = predict(*map(list, zip(*given)))" if export.case.paired else "found = predict(given)"
    else:
        pattern, given, last = r"model\.encode\(\[.*\]\)", "model.encode(given)", "found = probabilities"
    code, changed = re.subn(pattern, given, export.code())
    assert changed == 1, code
    return f"{code}\n{last}\n"


@dataclass(frozen=True)
class Answer:
    """What another process, which has never imported this package, finds with the code of a model card."""

    export: Export
    found: Probabilities
    labels: list[str]


def elsewhere(exports: dict[str, Export], folder: Path) -> dict[str, Answer]:
    """The answers of all of them, each with the code of its model card, from a process in `folder`."""
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

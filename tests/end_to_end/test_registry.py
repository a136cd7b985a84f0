"""`register` and `challenge`: models in MLflow's registry that answer as their cells do, without Headstart."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from command_kit import command
from formats_kit import CASES, Export, losses_of, trained
from mlflow import MlflowClient

from pipeline.cli import main
from pipeline.data.store import stored_examples
from tests import tiny

Capture = pytest.CaptureFixture[str]

FEW = ("mean", "words")
# Loads each model where this package cannot be imported.
LOADER = """
import importlib.abc, json, sys

class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pipeline", "headstart"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
import mlflow
import pandas as pd

answers = {}
for job in json.load(sys.stdin):
    mlflow.set_tracking_uri(job["store"])
    mlflow.set_registry_uri(job["store"])
    model = mlflow.pyfunc.load_model("models:/reviews@champion")
    columns = [column.name for column in model.metadata.signature.inputs.inputs]
    table = model.predict(pd.DataFrame(job["given"], columns=columns))
    empty = model.predict(pd.DataFrame([[" "] * len(columns)], columns=columns))
    answers[job["name"]] = {"rows": table.to_dict("records"), "empty": empty.to_dict("records")}
assert not {"sentence_transformers", "pytorch_lightning", "hydra"} & set(sys.modules)
json.dump(answers, open(sys.argv[1], "w"))
"""


def store(root: Path) -> str:
    return f"sqlite:///{root / 'tracking' / 'mlflow.db'}"


def root_of(export: Export) -> Path:
    return export.folder.parent / "out"


@dataclass(frozen=True)
class Loaded:
    """What a registered model says of its cell's test texts in another process, and of an empty one."""

    export: Export
    rows: list[dict[str, object]]
    empty: list[dict[str, object]]


def loaded(exports: dict[str, Export], folder: Path) -> dict[str, Loaded]:
    jobs = [
        {
            "name": name,
            "store": store(root_of(export)),
            "given": [
                [e.text, e.second] if export.case.paired else [e.text]
                for e in stored_examples(export.prepared(), "test")
            ],
        }
        for name, export in exports.items()
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOADER, str(folder / "answers.json")],
        input=json.dumps(jobs), capture_output=True, text=True, cwd=folder, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return {name: Loaded(export=exports[name], **answers[name]) for name in exports}


def registered(names: Sequence[str], folder: Path) -> dict[str, Loaded]:
    exports = trained(names, folder)
    for name, export in exports.items():
        assert main(["register", *export.world, "tracking=local", "name=reviews"]) == 0, name
    return loaded(exports, folder)


@pytest.fixture(scope="module", params=["few", pytest.param("others", marks=pytest.mark.slow)])
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Loaded]:
    names = FEW if request.param == "few" else [name for name in CASES if name not in FEW]
    return registered(names, tmp_path_factory.mktemp("registry"))


@pytest.mark.timeout(1200)
def test_the_loaded_model_gives_the_cells_own_probabilities(models: dict[str, Loaded]) -> None:
    for name, model in models.items():
        if "similarity" in model.rows[0]:
            shares = np.array([[row["similarity"]] for row in model.rows])
        else:
            shares = np.array([list(row["probabilities"].values()) for row in model.rows])  # type: ignore[attr-defined]
        own = np.exp(-model.export.losses())
        np.testing.assert_allclose(np.exp(-losses_of(shares, model.export)), own, atol=1e-5, err_msg=name)
        assert shares.std(axis=0).max() > 5e-3, f"{name}: the texts cannot be told apart"


@pytest.mark.timeout(1200)
def test_what_is_told_of_a_text_follows_from_the_probabilities(models: dict[str, Loaded]) -> None:
    for name, model in models.items():
        for row in model.rows:
            shares = row.get("probabilities")
            if "label" in row:
                assert row["label"] == max(shares, key=shares.get), name  # type: ignore[call-overload, attr-defined]
                assert row["probability"] == max(shares.values()), name  # type: ignore[attr-defined]
            elif "labels" in row:
                assert set(row["labels"]) == {n for n, share in shares.items() if share > 0.5}, name  # type: ignore
        assert all(value is None for value in model.empty[0].values()), name


@pytest.mark.timeout(1200)
def test_a_version_holds_no_pickle_and_no_text_of_the_data(models: dict[str, Loaded]) -> None:
    for name, model in models.items():
        client = MlflowClient(store(root_of(model.export)), store(root_of(model.export)))
        version = client.get_model_version_by_alias("reviews", "champion")
        assert version.tags["headstart.arm"] == model.export.case.arm
        files = [p for p in (root_of(model.export) / "tracking/artifacts").rglob("*") if p.is_file()]
        assert {p.suffix for p in files} & {".pkl", ".pickle", ".bin", ".pt"} == set(), name
        example = next(p for p in files if p.name == "input_example.json").read_text(encoding="utf-8")
        assert "the weather was fine" in example
        needed = next(p for p in files if p.name == "requirements.txt").read_text(encoding="utf-8")
        assert ("torch==" in needed) == (model.export.case.arm != "bag_of_words")
        assert "headstart" not in needed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["register", "cell=0000", "name=reviews"], "no finished cell starts with these letters"),
        (["register"], "name must be what the model is called"),
        (["register", "name=../x"], "name must be letters, digits"),
        (["register", "name=reviews", "tracking=none"], "tracking=none has no model registry"),
        (["challenge", "name=reviews"], "base must be the one that challenges"),
        (["challenge", "name=reviews", "base=distilbert"], "No model 'reviews' is registered. Valid: none"),
    ],
)
def test_what_cannot_be_registered_is_refused(words: list[str], message: str, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, *words, f"paths.root={tmp_path}")
    assert done.code == 2
    assert message in done.err


@pytest.mark.slow
def test_a_kind_that_cannot_be_served_is_refused(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    world = [*tiny.overrides(tiny_base, reviews, tmp_path), "task=masked_language_modelling", "task.data.label=null"]
    assert main(["train", *world, "train.size=16", "train.min_steps=2", "train.epochs=1", "train.keep=all"]) == 0
    done = command(capsys, "register", f"paths.root={tmp_path}", "task.name=masked_language_modelling", "name=gaps")
    assert done.code == 2
    assert "register takes networks that classify texts or score pairs" in done.err


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_challenger_takes_the_place_of_a_champion_that_it_beats_and_no_other(tmp_path: Path, capsys: Capture) -> None:
    poor, rich = (tiny.write_base(tmp_path / n, layers=1, width=w) for n, w in (("poor", 2), ("rich", 128)))
    table = tiny.write_csv(tmp_path / "reviews.csv", tiny.rows(480))
    world = [*tiny.overrides(poor, table, tmp_path / "out"), "base.name=poor", "task.name=films"]
    more = ["arm=frozen", "train.size=160", "train.keep=all", "task.data.test_size=200"]
    assert main(["train", *world, *more]) == 0
    assert main(["register", f"paths.root={tmp_path / 'out'}", "task.name=films", "name=films"]) == 0
    challenge = ["challenge", "name=films", f"paths.root={tmp_path / 'out'}", "hardware=cpu", "executor.workers=2"]
    better, worse = (["base=local", f"base.path={base}", f"base.name={base.name}"] for base in (rich, poor))

    own = command(capsys, *challenge, *worse)
    assert (own.code, "is the champion's own base" in own.err) == (2, True)
    won = command(capsys, *challenge, *better)
    assert won.code == 0, won.err
    assert "judged at an error of 0.025 (0.05/2^1)" in won.out
    assert "Registered frozen@rich" in won.out
    lost = command(capsys, *challenge, *worse)
    assert lost.code == 0, lost.err
    assert "judged at an error of 0.0125 (0.05/2^2)" in lost.out
    assert "films stays at version 2, on rich" in lost.out
    again = command(capsys, *challenge, *worse)
    assert "Challenge 2 on this test set" in again.out

    client = MlflowClient(store(tmp_path / "out"), store(tmp_path / "out"))
    assert int(client.get_model_version_by_alias("films", "champion").version) == 2
    (tag,) = (v for k, v in client.get_registered_model("films").tags.items() if k.startswith("headstart.challenges."))
    assert json.loads(tag) == ["rich", "poor"]

"""The independent script finds every interval of a study again, and what was changed in it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import CellResult, to_json
from pipeline.storage.item_scores import packed
from pipeline.study.finding.findings import Basis, find
from tests.study.synthetic_cells import examined, loader, synthetic_cells

SCRIPT = Path(__file__).parents[2] / "experiments" / "recompute_intervals.py"
ARMS, SIZES = ("pretrained", "frozen", "scratch_small", "scratch"), (25, 50, 100, 200, 1600)
CLAIMS = {
    "accurate": Claim(size=100, delta=0.05),
    "elsewhere": Claim(size=50, dataset="imdb", delta=0.02),
    "best": Claim(size=100, against="best_from_scratch", delta=0.02),
    "worse": Claim(arm="scratch", against="pretrained", size=50, delta=0.02),
    "labels": Claim(metric="label_multiplier", size=50, delta=2.0),
    "fewer": Claim(metric="label_multiplier", size=25, delta=3.0),
    "no_worse": Claim(test="not_inferior", margin=0.05, size=200),
    "equal": Claim(arm="scratch_small", test="equivalent", margin=0.2, size=1600),
    "robust": Claim(metric="effective_robustness", dataset="imdb", size=50, delta=0.02),
    "compute": Claim(metric="compute_multiplier", size=100, delta=1.5),
    "early": Claim(metric="early_area", size=100, delta=0.01),
    "start": Claim(metric="initial_score", size=100, delta=0.01),
    "gain": Claim(metric="gain_over_start", against="pretrained", size=100, delta=0.01),
    "gap": Claim(metric="generalisation_gap", dataset="imdb", size=1600, direction="lower", delta=0.3),
    "sure": Claim(metric="audit", audit="calibration", size=100, direction="lower", delta=0.02),
    "sure_of_best": Claim(metric="audit", audit="calibration", against="best_from_scratch", size=200, delta=0.02),
    "train_gap": Claim(metric="generalisation_gap", dataset="train", size=1600, direction="lower", delta=0.3),
}


def stored(folder: Path, metric: str = "accuracy", *, seeds: int = 5, sd: float = 0.02) -> Path:
    """The folder of a study with synthetic cells, as `study` leaves it."""
    rng = np.random.default_rng(3)
    more = {"out_of_domain": ("imdb",), "out_items": 90, "seed_sd": sd, "metric": metric}
    cells = synthetic_cells(ARMS, SIZES, range(seeds), 150, rng, **more)
    looks = {"looks": (3, seeds), "spend": (0.4, 0.6)} if seeds > 3 else {}
    study = Study(
        name="s", question="q?", arms=ARMS, sizes=SIZES, seeds=tuple(range(seeds)), target=0.7, claims=CLAIMS, **looks
    )
    cells, items = examined(cells, "calibration", lambda cell: squared_errors(cell, rng))
    store = loader(cells, items)
    basis = Basis(
        study=study,
        base=Base(name="minilm"),
        task=Task(name="sentiment", metric=metric),
        from_scratch=("scratch_small", "scratch"),
    )
    found = find(basis, [result for result, _ in cells], store)
    place = folder / "studies" / "s"
    place.mkdir(parents=True)
    (place / "findings.json").write_text(to_json(found), encoding="utf-8")
    for result, scores in cells:
        cell = folder / "cells" / result.cell_id
        cell.mkdir(parents=True)
        (cell / "result.json").write_text(to_json(result), encoding="utf-8")
        np.save(cell / "scores.npy", scores)
        np.save(cell / "validation.npy", packed(store.validation(result)))
        audit = cell / "evaluations" / "calibration"
        audit.mkdir(parents=True)
        (audit / "record.json").write_text(to_json(result.audits[0]), encoding="utf-8")
        np.save(audit / "items.npy", items[result.cell_id, "calibration"])
    return place


def squared_errors(cell: CellResult, rng: np.random.Generator) -> np.ndarray:
    """Of the test items, smaller for pretrained."""
    return (rng.random(150) - 0.2 * (cell.key.arm == "pretrained")).astype(np.float32)


def script(folder: Path) -> "subprocess.CompletedProcess[str]":
    """What the script says, in a process that cannot import our package."""
    start = f"sys.path.insert(0, {str(SCRIPT.parent)!r}); sys.argv = ['script', {str(folder)!r}]; "
    code = f"import sys, runpy; sys.modules['pipeline'] = None; {start}"
    code += f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("accuracy"))


def test_every_interval_is_found_again(study: Path) -> None:
    findings = json.loads((study / "findings.json").read_text(encoding="utf-8"))
    assert any(law["k"] for law in findings["transferred"])
    assert {v["look"] for v in findings["verdicts"]} == {1, 2}
    assert {v["verdict"] for v in findings["verdicts"]} >= {"supported", "refuted"}
    done = script(study)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = {line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("| ")}
    assert kinds > {"score", "difference", "label multiplier", "data transferred", "cost to target", "gap", "verdict"}
    assert f"| verdict | {len(CLAIMS)} |" in done.stdout


@pytest.mark.parametrize(
    ("metric", "seeds", "sd"), [("macro_f1", 3, 0.02), ("accuracy", 1, 0.02), ("accuracy", 3, 0.0)]
)
def test_so_are_those_of_another_metric_and_of_one_seed(tmp_path: Path, metric: str, seeds: int, sd: float) -> None:
    done = script(stored(tmp_path, metric, seeds=seeds, sd=sd))
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_changed_is_found(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study.parents[1], tmp_path / "out")
    path = tmp_path / "out" / "studies" / "s" / "findings.json"
    findings = json.loads(path.read_text(encoding="utf-8"))
    findings["contrasts"][0]["estimate"]["low"] += 1e-7
    settled = next(v for v in findings["verdicts"] if v["verdict"] == "supported")
    settled["verdict"] = "refuted"
    path.write_text(json.dumps(findings), encoding="utf-8")
    scores = tmp_path / "out" / "cells" / "frozen-100-0" / "scores.npy"
    changed = np.load(scores)
    changed["score"][0] = 1 - changed["score"][0]
    np.save(scores, changed)
    done = script(path.parent)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if ": stored" in line]
    contrast = findings["contrasts"][0]
    assert any(line.startswith(f"difference {contrast['arm']} {contrast['against']}") for line in wrong)
    assert any(line.startswith(f"settled {settled['claim']}") for line in wrong)
    assert any(line.startswith("score frozen 100 test") for line in wrong)


def test_a_folder_without_findings_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    done = script(tmp_path)
    assert done.returncode == 2
    assert "findings.json" in done.stderr
    assert "Traceback" not in done.stderr

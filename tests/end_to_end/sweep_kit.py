"""What the tests of sweeps share: a small sweep, and what it leaves."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.storage.results import ResultStore
from tests import tiny

NAME = "classification-scratch-48"
GOOD_AND_BAD = "[2e-3, 3e-3, 4e-3, 5e-3, 1e-9, 2e-9, 3e-9]"  # learning rates


@pytest.fixture
def world(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    """A sweep of the scratch arm on the tiny base, a second a trial."""
    return [
        *tiny.overrides(tiny_base, reviews, tmp_path),
        "arm=scratch",
        "train.size=48",
        "train.min_steps=12",
        "sweep.space={train.lr: {log: [1e-4, 1e-1]}, train.epochs: {choice: [2, 3]}}",
        "sweep.only=[train.lr,train.epochs]",
        "sweep.trials=4",
        "sweep.pruner=none",
    ]


def only_rates(world: list[str], choice: str) -> list[str]:
    """The same sweep over these learning rates alone, each once, and nothing that would keep a mad one in bounds."""
    given = [a for a in world if "log:" not in a and not a.startswith("sweep.only")]
    space = f"sweep.space={{train.lr: {{choice: {choice}}}}}"
    return [*given, space, "sweep.only=[train.lr]", "train.clip=1e30", "sweep.sampler=grid", "sweep.from_recipe=false"]


def record(root: Path, name: str = NAME) -> dict[str, Any]:
    """What the sweep left."""
    return dict(json.loads((root / "sweeps" / name / "sweep.json").read_text(encoding="utf-8")))


def comes_to_the_same_alone(said: str, root: Path) -> bool:
    """Whether the line that the sweep ended with, run in a shell as it stands, trains what its best trial was."""
    line = next(text for text in said.splitlines() if text.startswith("Best:"))
    assert "sweep." not in line
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    pasted = line.removeprefix("Best:").strip()
    done = subprocess.run(pasted, shell=True, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    left, store = record(root), ResultStore(root)
    best = next(t for t in left["trials"] if t["number"] == left["best"][0])
    trial = store.result(best["cells"][0])
    (alone,) = (r for r in map(store.result, store.ids()) if store.cell(r.cell_id).tested)
    again = {p.examples: p.validation_score for p in alone.trajectory}
    seen = {p.examples: p.validation_score for p in trial.trajectory}
    return max(seen.values()) == best["values"][0] and seen == {examples: again[examples] for examples in seen}

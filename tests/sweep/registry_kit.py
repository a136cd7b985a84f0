"""A sweep's registry without any training: an objective of the values alone, told by processes that may die."""

import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from pipeline.config.compose import compose
from pipeline.files import lock
from pipeline.sweep.trial_registry import TrialRegistry

SPACE = "{train.lr: {log: [1e-5, 1e-1]}, train.warmup: {uniform: [0, 0.5]}}"


def registry(root: Path, *overrides: str, space: str = SPACE, contract: str = "same") -> TrialRegistry:
    """The registry of a sweep over two settings, or over another space, and over nothing else."""
    config = compose(["arm=scratch", f"sweep.space={space}", *overrides])
    config = dataclasses.replace(config, arm=dataclasses.replace(config.arm, space={}))
    return TrialRegistry(config, root, name="s", contract=contract, pruner=optuna.pruners.NopPruner())


def objective(values: dict[str, Any]) -> float:
    """Highest, 1, at lr 0.001 and warmup 0.1."""
    return float(1 - abs(values.get("train.lr", 0.0) - 1e-3) - abs(values.get("train.warmup", 0.0) - 0.1))


def search(found: TrialRegistry, *, most: int = 10_000, seconds: float = 0.0) -> int:
    """Run trials until none is left to begin, or `most` are done; how many were."""
    done = 0
    with lock(found.lock_file(found.holder)):
        while done < most and (begun := found.begin()):
            trial, values = begun
            time.sleep(seconds)
            found.finish(trial, [objective(values)], TrialState.COMPLETE)
            done += 1
    return done


def seen(found: TrialRegistry) -> list[tuple[dict[str, Any], Sequence[float]]]:
    """Values of every trial that counts, in order."""
    return [(t.params, t.values) for t in found.counted()]


def main() -> None:
    """A process of its own: ROOT SECONDS OVERRIDE..."""
    root, seconds, *overrides = sys.argv[1:]
    os.environ["OMP_NUM_THREADS"] = "1"
    search(registry(Path(root), *overrides), seconds=float(seconds))


if __name__ == "__main__":
    main()

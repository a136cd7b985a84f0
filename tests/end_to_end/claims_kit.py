"""`headstart claims` on the tiny base: a dozen trainings of a second."""

from pathlib import Path

from tests import tiny

SHORT = ["study.sizes=[16,32]", "study.seeds=[0,1]", "study.budget=null", "train.lr=3e-3", "train.epochs=3"]


def given(base: Path, data: Path, root: Path, *more: str) -> list[str]:
    return [*tiny.overrides(base, data, root), *SHORT, "train.min_steps=12", "study.name=tiny_claims", *more]

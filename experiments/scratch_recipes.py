"""Is the default scratch recipe a fair one? Ten random recipes against it, at 1,000 labels, three seeds.

    python experiments/scratch_recipes.py [overrides]

A fair comparison needs a baseline that is not starved, so the default is compared with recipes drawn at random from a
wide space. Recipes are chosen by their mean validation score and reported on the test set. Finished cells are used
again. Writes `paths.root`/recipes/scratch.json and prints a table, best first.
"""

import dataclasses
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.config.cell import Cell
from pipeline.config.identity import cell_id
from pipeline.config.schema import Recipe
from pipeline.files import write_text
from pipeline.records import CellResult, to_json
from pipeline.study.plan import Plan, plan_cell
from pipeline.study.progress import Progress
from pipeline.study.run import run

RECIPES, SEEDS, SIZE, DRAW = 10, (0, 1, 2), 1000, 20261
DEFAULTS = (
    "arm=scratch",
    f"train.size={SIZE}",
    "train.eval_every=1000",
    "train.keep=none",
    "task.out_of_domain_size=20",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recipe and what it came to; scores are means over seeds."""

    name: str
    recipe: Recipe
    validation: float
    test: float
    converged_gain: float | None


def random_recipes(rng: np.random.Generator) -> Iterator[Recipe]:
    """Recipes drawn from the space: learning rate and weight decay log-uniform, the rest from lists."""
    for _ in range(RECIPES):
        yield Recipe(
            lr=float(f"{10 ** rng.uniform(-4.3, -3.0):.2g}"),
            weight_decay=float(f"{10 ** rng.uniform(-3, -1):.2g}"),
            warmup=float(rng.choice([0.05, 0.1, 0.2])),
            decay=str(rng.choice(["linear", "cosine"])),
            epochs=float(rng.choice([5, 8, 12, 16])),
        )


def candidates(plan: Plan) -> dict[str, Recipe]:
    """The default under its name, then the random ones."""
    default = next(iter(plan.cells.values())).recipe
    drawn = random_recipes(np.random.default_rng(DRAW))
    return {"default": default} | {f"random {i}": recipe for i, recipe in enumerate(drawn, start=1)}


def with_recipes(plan: Plan, recipes: dict[str, Recipe]) -> tuple[Plan, dict[str, str]]:
    """The plan of every recipe under every seed, and the recipe's name behind each cell."""
    cells: dict[str, Cell] = {}
    names: dict[str, str] = {}
    for name, recipe in recipes.items():
        for seed in SEEDS:
            cell = _cell(next(iter(plan.cells.values())), recipe, seed)
            identity = cell_id(cell, base_fingerprint=plan.located.whole, data_fingerprint=plan.data_fingerprint)
            cells[identity], names[identity] = cell, name
    return dataclasses.replace(plan, cells=cells), names


def _cell(cell: Cell, recipe: Recipe, seed: int) -> Cell:
    arm = dataclasses.replace(cell.arm, recipe=recipe)
    return dataclasses.replace(cell, arm=arm, train=dataclasses.replace(cell.train, seed=seed))


def row(name: str, recipe: Recipe, results: Sequence[CellResult]) -> Row:
    """Means over the seeds."""
    gains = [r.converged_gain for r in results if r.converged_gain is not None]
    return Row(
        name=name,
        recipe=recipe,
        validation=_mean(results, "validation"),
        test=_mean(results, "test"),
        converged_gain=statistics.mean(gains) if gains else None,
    )


def _mean(results: Sequence[CellResult], dataset: str) -> float:
    return statistics.mean(e.metrics[r.metric] for r in results for e in r.evaluations if e.dataset == dataset)


def main(overrides: Sequence[str]) -> int:
    """Train what is missing and print the table."""
    base = plan_cell([*DEFAULTS, *overrides])
    recipes = candidates(base)
    plan, names = with_recipes(base, recipes)
    with Progress(plan) as progress:
        outcome = run(plan, progress.watch)
    done = {name: [plan.store.result(c) for c in outcome.finished if names[c] == name] for name in recipes}
    rows = sorted((row(n, recipes[n], r) for n, r in done.items() if r), key=lambda r: -r.validation)
    write_text(Path(plan.root) / "recipes" / "scratch.json", to_json(rows))
    for entry in rows:
        gain = "" if entry.converged_gain is None else f"  gain in the last quarter {100 * entry.converged_gain:+.1f}"
        print(f"{entry.name:<10} validation {entry.validation:.1%}  test {entry.test:.1%}{gain}  {entry.recipe}")
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

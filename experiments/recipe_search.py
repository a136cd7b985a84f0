"""Is an arm's default recipe a fair one? Recipes drawn at random against it, on several tasks, with the same seeds.

    python experiments/recipe_search.py ARM TASK=SIZE [TASK=SIZE ...] [overrides]
    python experiments/recipe_search.py scratch dialogues=200 intents=200 sentiment=all

For each task the recipe with the best mean validation score is chosen, the default among them. What the default loses
is the chosen one's test score minus its own, paired over seeds. Another split than that of published studies is used
(task.split_seed=1). Finished cells are used again. Each task and size is a file
experiments/recipe_rows/ARM-TASK-SIZE.json, so that a search can be made in parts; at the end all files of the arm are
summed up.
"""

import dataclasses
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.stats

from pipeline.config.identity import RESULT_VERSION
from pipeline.config.schema import Recipe
from pipeline.errors import ConfigError, UserError
from pipeline.files import write_text
from pipeline.records import CellResult, from_json, to_json
from pipeline.study.plan import Plan, plan_cell
from pipeline.study.progress import Progress
from pipeline.study.run import run

RECIPES, SEEDS, DRAW = 4, (50, 51, 52), 20261
DEFAULTS = ("task.split_seed=1", "train.keep=none", "train.samples=0", "task.out_of_domain_size=20", "tracking=none")
ROWS = Path(__file__).parent / "recipe_rows"
FORM = "recipe_search.py ARM TASK=SIZE [TASK=SIZE ...] [overrides with a dot in their names]"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recipe on one task; scores are of each seed, in the order of SEEDS. `version` is that of the results."""

    version: int
    task: str
    size: int | str
    name: str
    recipe: Recipe
    validation: tuple[float, ...]
    test: tuple[float, ...]
    late_gain: float | None

    @property
    def chosen_by(self) -> float:
        """The mean validation score, by which recipes are ranked."""
        return statistics.mean(self.validation)


def random_recipes(default: Recipe) -> Iterator[Recipe]:
    """Recipes around nothing but sense: the learning rate log-uniform over a decade and a half, the rest from lists."""
    rng = np.random.default_rng(DRAW)
    for _ in range(RECIPES):
        yield dataclasses.replace(
            default,
            lr=float(f"{10 ** rng.uniform(-4.5, -3.0):.2g}"),
            weight_decay=float(rng.choice([0.0, 0.01, 0.1])),
            warmup=float(rng.choice([0.05, 0.1, 0.2])),
            decay=str(rng.choice(["linear", "cosine", "warmup_stable_decay"])),
            epochs=float(default.epochs * rng.choice([0.5, 1, 2])),
            min_steps=int(default.min_steps * rng.choice([0.5, 1, 2])),
        )


def rows_of(arm: str, task: str, size: int | str, overrides: Sequence[str]) -> list[Row]:
    """Train what is missing of one task, and what came of each recipe."""
    plan = plan_cell([*DEFAULTS, f"arm={arm}", f"task={task}", f"train.size={size}", *overrides])
    default = next(iter(plan.cells.values())).recipe
    recipes = {"default": default} | {f"random {i}": r for i, r in enumerate(random_recipes(default), start=1)}
    whole, names = _with_recipes(plan, recipes)
    with Progress(whole) as progress:
        run(whole, progress.watch)
    done = {
        name: [plan.store.result(c) for c, n in names.items() if n == name and plan.store.has(c)] for name in recipes
    }
    return [
        _row(task, size, name, recipes[name], results) for name, results in done.items() if len(results) == len(SEEDS)
    ]


def _with_recipes(plan: Plan, recipes: dict[str, Recipe]) -> tuple[Plan, dict[str, str]]:
    """The plan of every recipe under every seed, and the recipe's name behind each cell."""
    first = next(iter(plan.cells.values()))
    cells, names = {}, {}
    for name, recipe in recipes.items():
        for seed in SEEDS:
            train = dataclasses.replace(first.train, seed=seed)
            cell = dataclasses.replace(first, arm=dataclasses.replace(first.arm, recipe=recipe), train=train)
            cells[plan.identity(cell)], names[plan.identity(cell)] = cell, name
    config = dataclasses.replace(plan.config, study=dataclasses.replace(plan.config.study, seeds=SEEDS))
    return dataclasses.replace(plan, config=config, cells=cells), names


def _row(task: str, size: int | str, name: str, recipe: Recipe, results: Sequence[CellResult]) -> Row:
    gains = [r.converged_gain for r in results if r.converged_gain is not None]
    return Row(
        version=RESULT_VERSION,
        task=task,
        size=size,
        name=name,
        recipe=recipe,
        validation=_scores(results, "validation"),
        test=_scores(results, "test"),
        late_gain=statistics.mean(gains) if gains else None,
    )


def _scores(results: Sequence[CellResult], dataset: str) -> tuple[float, ...]:
    return tuple(e.metrics[r.metric] for r in results for e in r.evaluations if e.dataset == dataset)


@dataclass(frozen=True, kw_only=True)
class Loss:
    """How much the default recipe loses on one task: points of the test score, one value per seed."""

    version: int
    task: str
    size: int | str
    chosen: str
    points: tuple[float, ...]
    late_gain: float | None

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return statistics.mean(self.points)


def loss_of(rows: Sequence[Row]) -> Loss:
    """The chosen recipe's test score less the default's."""
    best, default = max(rows, key=lambda row: row.chosen_by), next(row for row in rows if row.name == "default")
    points = tuple(100 * (a - b) for a, b in zip(best.test, default.test, strict=True))
    gain = None if default.late_gain is None else 100 * default.late_gain
    return Loss(version=best.version, task=best.task, size=best.size, chosen=best.name, points=points, late_gain=gain)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95% interval of the mean."""
    half = float(scipy.stats.t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.mean(values) - half, statistics.mean(values) + half


def told(rows: Sequence[Row]) -> str:
    """The rows of one task, the chosen one first, and what the default loses against it."""
    loss = loss_of(rows)
    lines = [f"{loss.task}, {loss.size} labels: the default loses {loss.mean:.1f} points to {loss.chosen}"]
    for row in sorted(rows, key=lambda row: -row.chosen_by):
        gain = "" if row.late_gain is None else f", late gain {100 * row.late_gain:+.1f}"
        test = statistics.mean(row.test)
        lines.append(f"  {row.name:<10} validation {row.chosen_by:.1%}, test {test:.1%}{gain}  {_in_words(row.recipe)}")
    return "\n".join(lines)


def summary(losses: Sequence[Loss]) -> str:
    """A table in Markdown of what the default loses everywhere, and the mean over tasks with its interval.

    A task counts with the mean of its sizes.
    """
    columns = ("task", "labels", "results version", "chosen", "the default loses", "late gain")
    lines = [f"| {' | '.join(columns)} |", "| --- | ---: | ---: | --- | ---: | ---: |"]
    for loss in losses:
        low, high = interval(loss.points)
        gain = "" if loss.late_gain is None else f"{loss.late_gain:+.2f}"
        cells = (loss.task, loss.size, loss.version, loss.chosen, f"{loss.mean:.1f} ({low:.1f} to {high:.1f})", gain)
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    by_task = {task: [loss.mean for loss in losses if loss.task == task] for task in {loss.task for loss in losses}}
    if len(by_task) > 1:
        means = [statistics.mean(of_sizes) for of_sizes in by_task.values()]
        low, high = interval(means)
        lines.append(
            f"\nMean loss over {len(means)} tasks: {statistics.mean(means):.2f} ({low:.2f} to {high:.2f}) points."
        )
    return "\n".join(lines)


def kept(arm: str) -> list[Loss]:
    """The losses in all files of the arm."""
    files = sorted(ROWS.glob(f"{arm}-*.json"))
    return [loss_of(from_json(tuple[Row, ...], path.read_text("utf-8"), str(path))) for path in files]


def _in_words(recipe: Recipe) -> str:
    return (
        f"lr {recipe.lr:g}, {recipe.decay}, warm-up {recipe.warmup:g}, weight decay {recipe.weight_decay:g}, "
        f"{recipe.epochs:g} epochs, {recipe.min_steps} steps at least"
    )


def main(given: Sequence[str]) -> int:
    """Search every task named, and say what the default loses on each and on all that were searched before."""
    arm, *rest = given or [""]
    pairs = [text.partition("=")[::2] for text in rest if "." not in text.partition("=")[0]]
    if "=" in arm or not pairs or not all(size.isdigit() or size == "all" for _, size in pairs):
        raise ConfigError([f"The form is {FORM}, but got {' '.join(given) or 'nothing'}."])
    overrides = [text for text in rest if "." in text.partition("=")[0]]
    for task, size in pairs:
        rows = rows_of(arm, task, size if size == "all" else int(size), overrides)
        write_text(ROWS / f"{arm}-{task}-{size}.json", to_json(rows))
        print(told(rows), flush=True)
    print(summary(kept(arm)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

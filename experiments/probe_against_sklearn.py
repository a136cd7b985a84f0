"""Are `frozen` and `bag_of_words` as good as scikit-learn on the same texts, subsets and labels?

    python experiments/probe_against_sklearn.py [TASK=SIZE,SIZE,... ...] [overrides with a dot in their names]
    python experiments/probe_against_sklearn.py sentiment=50,400,all dialogues=50,200 'study.seeds=[0,1,2]'

Features of the base are made by Sentence Transformers, words are counted by scikit-learn. At the strength that our cell
chose, scikit-learn solves the same problem with another solver (Newton's), and objectives and test predictions are
compared. Then it chooses a strength of its own on validation, out of ten, and test scores are compared: on the same
features, and on vectors scaled to length 1, as `encode` of Sentence Transformers gives them for many bases.

Another split than that of published studies is used (task.split_seed=1). Finished cells are used again. Writes
`paths.root`/against_sklearn.json and prints a table.
"""

import dataclasses
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn_reference import (
    Linear,
    Matrix,
    Problem,
    by_validation,
    objective,
    predicted,
    reference,
    scores,
    strength_of,
)

from pipeline.config.cell import Cell
from pipeline.data.sets import Prepared
from pipeline.data.store import load, stored_examples
from pipeline.data.subsets import nested_subset
from pipeline.errors import ConfigError, UserError
from pipeline.files import write_text
from pipeline.models.logistic_regression import ALL_STRENGTHS
from pipeline.models.words import PARTS
from pipeline.records import to_json
from pipeline.study.plan import Plan, plan_study
from pipeline.study.progress import Progress
from pipeline.study.run import run

TASKS = {"sentiment": "50,400,all", "topic": "25,200,all", "dialogues": "50,200,all", "weaknesses": "100,300,all",
         "intents": "60,200,all", "curriculum": "50,200,all"}  # fmt: skip
ARMS = ("frozen", "bag_of_words")
DEFAULTS = (
    "study.name=against_sklearn", "study.question='Is a solved arm as good as scikit-learn?'",
    "study.seeds=[0,1,2,3,4]", f"study.arms=[{','.join(ARMS)}]", "task.split_seed=1", "task.out_of_domain_size=20",
    "train.precision=fp32", "train.keep=all", "train.samples=0", "tracking=none",
)  # fmt: skip
FORM = "probe_against_sklearn.py [TASK=SIZE,SIZE,... ...] [overrides with a dot in their names]"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell and its counterparts; scores are the task's metric on the test set."""

    task: str
    size: int | str
    seed: int
    arm: str
    strength: float
    objective: float  # ours less scikit-learn's at that strength, relative to it
    differing: int  # test predictions that differ, ties left out
    ties: int
    ours: float
    sklearn: float
    sklearn_strength: float
    sklearn_unit: float | None  # on vectors of length 1; None of words


class Sets:
    """A task's texts and labels, and the features that the references are made of."""

    def __init__(self, plan: Plan) -> None:
        self.prepared: Prepared = load(plan.data_folder)
        self.classes = len(self.prepared.labels)
        self._plan = plan
        self._vectors: dict[str, np.ndarray] = {}

    def texts(self, name: str) -> list[str]:
        """Those of a set."""
        return [example.text for example in stored_examples(self.prepared, name)]

    def right(self, name: str) -> np.ndarray:
        """Classes [N], or labels [N, C] as 0 and 1."""
        encoded = self.prepared.sets[name]
        if "classes" not in encoded.beside:
            return np.asarray(encoded.labels).astype(np.int64)
        given = np.asarray(encoded.beside["classes"]).reshape(len(encoded), -1)
        return np.asarray((given[:, :, None] == np.arange(self.classes)).any(axis=1)).astype(np.int64)

    def vectors(self, name: str) -> np.ndarray:
        """Sentence Transformers' own of a set, float64 [N, F], before any scaling; of the train set, those
        that some cell is trained on."""
        if name not in self._vectors:
            from sentence_transformers import SentenceTransformer

            whole = SentenceTransformer(str(self._plan.located.directory), device="cpu", local_files_only=True)
            model = SentenceTransformer(modules=[whole[0], whole[1]], device="cpu")
            model.max_seq_length = self._plan.config.task.max_length
            prefix = next(iter(self._plan.cells.values())).base.prefix or ""
            whole_set = self.texts(name)
            rows = np.arange(len(whole_set)) if name != "train" else self._trained_on()
            encoded = model.encode([prefix + whole_set[row] for row in rows], show_progress_bar=False)
            self._vectors[name] = np.full((len(whole_set), encoded.shape[1]), np.nan)
            self._vectors[name][rows] = encoded
        return self._vectors[name]

    def _trained_on(self) -> np.ndarray:
        return np.unique(np.concatenate([self.rows(cell) for cell in self._plan.cells.values()]))

    def rows(self, cell: Cell) -> np.ndarray:
        """The cell's subset of the train set."""
        return nested_subset(np.asarray(self.prepared.train.labels), cell.train.size, cell.train.seed)


def problems(sets: Sets, cell: Cell, features: Callable[[str], Matrix]) -> tuple[Problem, Problem, Problem]:
    """Train subset, validation and test."""
    train = Problem(features=features("train"), right=sets.right("train")[sets.rows(cell)])
    validation, test = (Problem(features=features(n), right=sets.right(n)) for n in ("validation", "test"))
    return train, validation, test


def counted(sets: Sets, cell: Cell) -> Callable[[str], Matrix]:
    """scikit-learn's words and characters of each set, as the train subset knows them."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    union = FeatureUnion([(name, TfidfVectorizer(sublinear_tf=True, **how)) for name, how in PARTS.items()])
    whole = sets.texts("train")
    subset = [whole[int(row)] for row in sets.rows(cell)]
    union.fit(subset)
    return lambda name: union.transform(subset if name == "train" else sets.texts(name)).tocsr()


def embedded(sets: Sets, cell: Cell, *, unit: bool) -> Callable[[str], Matrix]:
    """Sentence Transformers' vectors of each set."""

    def features(name: str) -> np.ndarray:
        vectors = sets.vectors(name)[sets.rows(cell) if name == "train" else slice(None)]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if unit else vectors

    return features


def stored_model(plan: Plan, cell_id: str, classes: int, several: bool) -> Linear:
    """The linear model that a cell solved; for two classes the difference of both."""
    from safetensors.numpy import load_file

    tensors = load_file(plan.store.folder(cell_id) / "weights" / "trained.safetensors")
    (weights,) = (values.astype(np.float64) for values in tensors.values() if values.ndim == 2)
    (bias,) = (values.astype(np.float64) for values in tensors.values() if values.ndim == 1)
    if classes == 2 and not several:
        return Linear(weights=weights[1:] - weights[:1], bias=bias[1:] - bias[:1])
    return Linear(weights=weights, bias=bias)


def row_of(plan: Plan, cell_id: str, sets: Sets) -> Row:
    """One finished cell against its counterparts."""
    cell, result = plan.cells[cell_id], plan.store.result(cell_id)
    words = cell.method.reads == "words"
    features = counted(sets, cell) if words else embedded(sets, cell, unit=False)
    train, validation, test = problems(sets, cell, features)
    ours = stored_model(plan, cell_id, sets.classes, train.several)
    strength = strength_of(ours, train, ALL_STRENGTHS)
    same = reference(train, strength, solver="newton-cg", tol=1e-9, max_iter=5000)
    goal = objective(same, train, strength)
    told, ties = predicted(same.probabilities(test), test.several)
    own = plan.store.scores(cell_id)
    own = own[own["dataset"] == 1]
    differ = np.abs(own["score"] - scores(told, test.right)) > 1e-6
    if not test.several:
        differ |= own["predicted"] != told
    chosen, score = by_validation(train, validation, test)
    unit = None
    if not words:
        unit = by_validation(*problems(sets, cell, embedded(sets, cell, unit=True)))[1]
    return Row(
        task=cell.task.name,
        size=cell.train.size,
        seed=cell.train.seed,
        arm=cell.arm.name,
        strength=strength,
        objective=objective(ours, train, strength) / goal - 1,
        differing=int((differ & ~ties).sum()),
        ties=int(ties.sum()),
        ours=next(e.metrics[result.metric] for e in result.evaluations if e.dataset == "test"),
        sklearn=score,
        sklearn_strength=chosen,
        sklearn_unit=unit,
    )


def rows_of(task: str, sizes: str, overrides: Sequence[str]) -> list[Row]:
    """Solve what is missing of one task, and compare every cell. With all labels every seed has the same subset."""
    plan = plan_study([*DEFAULTS, f"task={task}", f"study.sizes=[{sizes}]", *overrides])
    first = plan.config.study.seeds[0]
    cells = {i: cell for i, cell in plan.cells.items() if cell.train.size != "all" or cell.train.seed == first}
    plan = dataclasses.replace(plan, cells=cells)
    with Progress(plan) as progress:
        run(plan, progress.watch)
    sets = Sets(plan)
    return [row_of(plan, cell_id, sets) for cell_id in plan.cells if plan.store.has(cell_id)]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown: a table of means over seeds for each task and size, then a summary of each arm."""
    yield "| arm | task | labels | seeds | objective | predictions that differ | ours | scikit-learn | unit length |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    groups: dict[tuple[str, str, int | str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.arm, row.task, row.size), []).append(row)
    for (arm, task, size), some in sorted(groups.items(), key=lambda each: ARMS.index(each[0][0])):
        worst, differing = max(abs(row.objective) for row in some), sum(row.differing for row in some)
        means = [np.mean([row.ours for row in some]), np.mean([row.sklearn for row in some])]
        unit = "" if some[0].sklearn_unit is None else f"{np.mean([row.sklearn_unit for row in some]):.1%}"
        yield (
            f"| `{arm}` | {task} | {size} | {len(some)} | {worst:.0e} | {differing} | {means[0]:.1%} | {means[1]:.1%} "
            f"| {unit} |"
        )
    for arm in ARMS:
        yield from ("", *_summary(arm, [some for key, some in groups.items() if key[0] == arm]))


def _summary(arm: str, groups: Sequence[Sequence[Row]]) -> Iterator[str]:
    every = [row for some in groups for row in some]
    if not every:
        return
    worst, differing = max(abs(row.objective) for row in every), sum(row.differing for row in every)
    ties = sum(row.ties for row in every)
    yield f"`{arm}`, {len(every)} cells: objectives within {worst:.1e} of scikit-learn's at the same strength,"
    yield f"{differing} predictions differ ({ties} ties left out)."
    lost = [100 * float(np.mean([row.sklearn - row.ours for row in some])) for some in groups]
    yield f"Own strengths: ours loses {_interval(lost)} points, mean over {len(lost)} of tasks and sizes."
    unit = [[row.sklearn_unit - row.ours for row in some if row.sklearn_unit is not None] for some in groups]
    if all(unit):
        yield f"Against vectors of length 1: {_interval([100 * float(np.mean(each)) for each in unit])} points."


def _interval(values: Sequence[float]) -> str:
    """Their mean and its 95% interval, by Student's t."""
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.2f}"
    half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:.2f} ({mean - half:.2f} to {mean + half:.2f})"


def main(given: Sequence[str]) -> int:
    """Compare every task named, or all of them."""
    from sklearn.exceptions import ConvergenceWarning

    # Weak penalties are not solved to the end within scikit-learn's usual number of iterations.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    overrides = [text for text in given if "." in text.partition("=")[0]]
    asked = [text.partition("=")[::2] for text in given if text not in overrides]
    if not all(task and sizes for task, sizes in asked):
        raise ConfigError([f"The form is {FORM}, but got {' '.join(given)}."])
    every: list[Row] = []
    for task, sizes in asked or TASKS.items():
        every += rows_of(task, sizes, overrides)
        print(f"{task}: {len(every)} rows", flush=True)
    root = next((text.partition("=")[2] for text in overrides if text.startswith("paths.root=")), "outputs")
    write_text(Path(root) / "against_sklearn.json", to_json(every))
    print("\n".join(table(every)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

"""What one finished training leaves behind."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.methods import MethodName
from pipeline.records.checkpoint_use import CheckpointUse

SCORES_DTYPE = np.dtype(
    [
        ("dataset", "u1"),  # index into CellResult.evaluations
        ("item", "i4"),  # row of that evaluation set, the same in every cell
        ("group", "i4"),  # number of its group within the set; rows without groups are groups of one
        ("label", "i4"),  # gold class, or -1 where the kind has none
        ("predicted", "i4"),  # predicted class, or -1
        ("score", "f4"),  # per-example score of the task's metric (1 = correct for accuracy)
        ("loss", "f4"),  # per-example loss, nats
    ]
)


def scores_dtype(statistics: int) -> np.dtype[Any]:
    """SCORES_DTYPE, with as many numbers of each item beside them as a metric that follows from their sums needs."""
    if not statistics:
        return SCORES_DTYPE
    return np.dtype([*SCORES_DTYPE.descr, ("statistics", "f4", (statistics,))])


@dataclass(frozen=True, kw_only=True)
class CellKey:
    """Which training this is, in words; `size` is the number of training labels asked for, or "all"."""

    base: str
    task: str
    arm: str
    size: int | str
    seed: int

    @property
    def label(self) -> str:
        """ "pretrained n=100", the legend of figures and of the dashboard."""
        return f"{self.arm} n={self.size}"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One evaluation set: `role` is "validation", "in_domain", "out_of_domain" or "train".

    `constant` is the score there of the best answer that reads no text, chosen on the train subset; None where the
    metric has none.
    """

    dataset: str
    role: str
    items: int
    truncated: int
    fingerprint: str
    metrics: dict[str, float]
    constant: float | None = None
    unknown: float = 0.0  # share of the set's tokens that the base's tokenizer does not know
    confusion: tuple[tuple[int, ...], ...] = ()  # items of each class (rows) told as each (columns); up to 30 classes
    evaluation_id: str = ""  # of one that is no part of the training: its scores lie in a folder of their own


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What an audit found of one cell. Numbers of each item, float32 [items, columns], lie beside it."""

    audit: str
    version: int  # of the audit
    items: int
    columns: tuple[str, ...]  # what is known of each item
    numbers: dict[str, float]  # what is found of all of them
    evaluation_id: str
    dataset: str = "test"  # the set that it examined


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A text of the test set as the network was given it, what is right, and what it said before and after training."""

    given: str
    right: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class TrajectoryPoint:
    """The validation score after `examples` training examples (evaluation excluded from flops)."""

    step: int
    examples: int
    flops: float
    train_loss: float | None
    validation_loss: float
    validation_score: float
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a training costs anywhere: FLOPs (2 per multiply-add, padding left out), examples, parameters, bytes."""

    flops: float
    examples: int
    steps: int
    parameters: int
    trained_parameters: int
    stored_bytes: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What it cost on this machine. Excluded when two runs are compared for equality."""

    seconds: float
    training_seconds: float
    evaluation_seconds: float
    trajectory_seconds: tuple[float, ...]
    peak_memory_bytes: int
    started_at: float
    finished_at: float
    threads: int
    devices: int
    concurrency: int
    libraries_bytes: int = 0  # of the peak: in memory before the cell's network; 0 on a GPU, and where it is not known
    planned_memory_bytes: int = 0  # the peak without them, as planned; 0 where it is not known
    micro_batch: int | None = None  # texts computed at a time at the end; null: whole batches


@dataclass(frozen=True, kw_only=True)
class StartLine:
    """What must be equal between the arms of one comparison, as it was when the first step was taken.

    `recipe`, `method` and `base_mode` are declared per arm and may differ. What is said of a network is empty where the
    arm has none.
    """

    architecture: str
    pooling: str  # what the head reads: cls, mean, last, or "head" for the architecture's own
    tokenizer: str
    train_items: str
    order: str
    evaluation_grid: str
    global_batch: int
    dropout: float
    trained_mode: str
    parameter_dtype: str
    precision: str
    versions: dict[str, str]
    recipe: dict[str, float]
    method: MethodName
    base_mode: str
    shrink: float = 1.0  # below 1: the architecture is a smaller one, by declaration


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """One training, finished. Per-example scores lie beside it in `scores.npy` (dtype SCORES_DTYPE).

    What the metric is made of at each point of the trajectory, for each validation item, is in `validation.npy`.
    """

    cell_id: str
    key: CellKey
    train_items: int
    pool_items: int  # that these were drawn from
    labels: tuple[str, ...]
    metric: str
    higher_is_better: bool
    evaluations: tuple[Evaluation, ...]
    trajectory: tuple[TrajectoryPoint, ...]
    best_step: int
    stopped_by: str
    converged_gain: float | None
    checkpoint: CheckpointUse | None  # None where the network does not start from one
    start_line: StartLine
    cost: Cost
    measured: Measured
    audits: tuple[AuditResult, ...] = ()  # kept beside the training, as evaluations with an id are

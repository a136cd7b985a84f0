"""What a study found: every number with its interval and with the seeds and items behind it."""

import math
from dataclasses import dataclass
from typing import Literal

from pipeline.language import Sentence
from pipeline.records.verdict import Censoring, Estimate, Looks, Verdict

BEST_FROM_SCRATCH = "best_from_scratch"  # what a claim names in place of an arm
Unit = Literal["flops", "examples", "seconds"]


@dataclass(frozen=True, kw_only=True)
class ArmScore:
    """An arm's mean score at one size on one evaluation set; `per_seed` in the order of the seeds."""

    arm: str
    size: int | str
    train_items: int
    dataset: str
    role: str
    metric: str
    estimate: Estimate
    per_seed: tuple[float, ...]
    chance: float | None


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """`arm` minus `against` in score, paired by seed and item, at one size on one evaluation set."""

    arm: str
    against: str
    size: int | str
    dataset: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True, kw_only=True)
class Multiplier:
    """N*/n: how many times the labels `against` needs for `arm`'s score at `size`; a bound if it is `censored`.

    It lies between `tested_low` and `tested_high` by tests at the sizes alone, at the level of `estimate`.
    """

    arm: str
    against: str
    size: int | str
    estimate: Estimate
    censored: Censoring
    labels: int
    validation_labels: int
    tested_low: float = 0.0
    tested_high: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Transferred:
    """Effective data transferred D_T(n) = N* - n, fitted as k n^alpha (Hernandez et al. 2021), where points allow.

    `points` of the `sizes` have an uncensored positive D; `usable` is the share of the replicates that allow the fit.
    """

    arm: str
    against: str
    points: int
    sizes: int
    k: Estimate | None = None
    alpha: Estimate | None = None
    usable: float | None = None


@dataclass(frozen=True, kw_only=True)
class CostToTarget:
    """Ratio against/arm of the cost to reach `target` on validation; a bound if it is `censored`.

    `censored_*` count the seeds that never reach it.
    """

    arm: str
    against: str
    size: int | str
    unit: Unit
    target: float
    estimate: Estimate
    censored: Censoring
    censored_arm: int
    censored_against: int


@dataclass(frozen=True, kw_only=True)
class EarlyAccuracy:
    """How accurate an arm is before and soon after it starts: at step 0, after `examples`, and the normalised area."""

    arm: str
    size: int | str
    untrained: Estimate
    early_examples: int
    early: Estimate
    area: Estimate


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A generalisation gap: in-domain minus `dataset`; judged between arms only where both are above chance."""

    arm: str
    size: int | str
    dataset: str
    estimate: Estimate
    above_chance: bool


@dataclass(frozen=True, kw_only=True)
class ArmCost:
    """What an arm costs at one size on any machine, means over seeds.

    `converged_gain` is the late gain in score, None where evaluations are too few; `late_loss_fall` the share by which
    the validation loss fell over the last quarter of the steps, or a little more, where none was at its beginning.
    `kept_start` is the share of cells whose best validation point is step 0; None where an arm is solved.
    """

    arm: str
    size: int | str
    flops: float
    examples: float
    steps: float
    parameters: int
    trained_parameters: int
    stored_bytes: int
    converged_gain: float | None
    late_loss_fall: float | None
    kept_start: float | None


@dataclass(frozen=True, kw_only=True)
class MachineCost:
    """What an arm costs at one size on the machine that trained it: mean seconds, and the most memory of any seed.

    Of the peak, `training_memory_bytes` is the training's own; that and what was planned are None if not known.
    """

    arm: str
    size: int | str
    seconds: float
    training_seconds: float
    evaluation_seconds: float
    peak_memory_bytes: float
    training_memory_bytes: float | None = None
    planned_memory_bytes: float | None = None


@dataclass(frozen=True, kw_only=True)
class OnThisMachine:
    """What may differ between two runs of one study: costs, and ratios of seconds to the target."""

    costs: tuple[MachineCost, ...] = ()
    to_target: tuple[CostToTarget, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RivalChoice:
    """Which arm was `best_from_scratch` at one size under each seed, chosen by its score on the validation set.

    `chosen` is in the order of `seeds`, which are those under which every candidate has a result. `shares` says of each
    candidate in how many of them it was chosen.
    """

    size: int | str
    seeds: tuple[int, ...]
    chosen: tuple[str, ...]
    shares: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class FailedCell:
    """A cell that has no result, and why."""

    cell_id: str
    arm: str
    size: int | str
    seed: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class TuningCurve:
    """The best validation score of an arm after each number of trials from 1 on.

    Where trials are `exchangeable` (drawn at random, none pruned) it is the unbiased expectation over their order, else
    the best so far of the one path there is. A pruned trial counts with its best value seen, a failed one with the
    worst of all. `own` is what the arm's recipe came to where it was the first trial.
    """

    arm: str
    size: int | str
    best: tuple[float, ...]
    exchangeable: bool
    own: float | None
    pruned: int
    failed: int
    overrides: str


@dataclass(frozen=True, kw_only=True)
class TuningNeed:
    """After how many trials `arm` is at `score`, the best that `against` came to; None where it never was."""

    arm: str
    against: str
    size: int | str
    score: float
    trials: int | None


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """The seeds of the bootstrap, each for `numpy.random.default_rng`, so that anyone can draw the replicates again.

    `items` holds that of each evaluation set; S seeds are drawn with [`seeds`, S].
    """

    replicates: int
    items: dict[str, tuple[int, ...]]
    seeds: int


@dataclass(frozen=True, kw_only=True)
class Findings:
    """findings.json: all that a report shows; its JSON schema is `docs/findings.schema.json`."""

    study: str
    question: str
    base: str
    task: str
    metric: str
    higher_is_better: bool
    arms: tuple[str, ...]
    sizes: tuple[int | str, ...]
    seeds: tuple[int, ...]
    verdicts: tuple[Verdict, ...]
    scores: tuple[ArmScore, ...]
    contrasts: tuple[Contrast, ...]
    multipliers: tuple[Multiplier, ...]
    transferred: tuple[Transferred, ...]
    costs_to_target: tuple[CostToTarget, ...]
    early: tuple[EarlyAccuracy, ...]
    gaps: tuple[Gap, ...]
    costs: tuple[ArmCost, ...]
    cells: dict[str, str]
    failed: tuple[FailedCell, ...]
    fairness: tuple[Sentence, ...]
    caveats: tuple[Sentence, ...]
    measured: OnThisMachine
    target: float | None = None  # validation score that costs to target refer to
    tuning: tuple[TuningCurve, ...] = ()
    tuning_needs: tuple[TuningNeed, ...] = ()
    counted: Literal["label", "text"] = "label"  # what the sizes are numbers of
    choices: tuple[RivalChoice, ...] = ()  # one for each size, where a claim is against the best from scratch
    looks: Looks | None = None  # None where the study states no claim
    resampling: Resampling | None = None

    @property
    def scored_arms(self) -> tuple[str, ...]:
        """The study's arms, then `best_from_scratch` where a claim is against it."""
        return (*self.arms, BEST_FROM_SCRATCH) if self.choices else self.arms

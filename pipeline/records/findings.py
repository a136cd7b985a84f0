"""What a study found: every number with its interval and with the seeds and items behind it."""

from dataclasses import dataclass
from typing import Literal

BEST_FROM_SCRATCH = "best_from_scratch"  # what a claim names in place of an arm
# What a claim compares: two starts of one network, an arm with the best from scratch, or any two arms.
Comparison = Literal["same_network", "best_from_scratch", "other"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its interval. `low` or `high` may be infinite where the quantity is censored.

    `p` is two-sided against "no difference" (0, or 1 for ratios); None where the method gives none.
    `method` names how the interval was made; `note` states its conditions in words, or is empty.
    """

    value: float
    low: float
    high: float
    level: float
    seeds: int
    items: int
    method: str
    p: float | None = None
    p_holm: float | None = None
    note: str = ""


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
    chance: float


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
    """N*/n: how many times the labels `against` needs for `arm`'s score at `size`; `text` is "> 16" if censored."""

    arm: str
    against: str
    size: int | str
    estimate: Estimate
    text: str
    validation_labels: int


@dataclass(frozen=True, kw_only=True)
class Transferred:
    """Effective data transferred D_T(n) = N* - n, fitted as k n^alpha (Hernandez et al. 2021), where points allow."""

    arm: str
    against: str
    points: int
    k: Estimate | None
    alpha: Estimate | None
    note: str


@dataclass(frozen=True, kw_only=True)
class CostToTarget:
    """Ratio against/arm of the cost to reach `target` on validation; `unit` is flops, examples or seconds.

    `censored_*` count the seeds that never reach it; where any is, the value is a bound.
    """

    arm: str
    against: str
    size: int | str
    unit: str
    target: float
    estimate: Estimate
    censored_arm: int
    censored_against: int
    text: str


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
    """What an arm costs at one size, means over seeds; `seconds` and `peak_memory_bytes` live under `measured`.

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
class Verdict:
    """The answer to one claim: "supported", "refuted" or "inconclusive", said in a sentence.

    `look` is the number of the look that it rests on, 0 where none is reached yet, and `level` that of its interval.
    `next_look` is the number of seeds of the look after it, where the claim is open and one is left; `chance` how
    likely that settles it. `seeds_needed` is how many seeds a new study would need where no look is left; None where
    no number of seeds would do. `remedy` says what would help an open claim. `comparison` is "same_network" where the
    two arms differ in nothing but their start (and recipe). `after_looking` says what of the claim, or of the looks,
    was changed after results had been seen.
    """

    claim: str
    statement: str
    metric: str
    arm: str
    against: str
    size: int | str
    dataset: str
    direction: str
    delta: float
    verdict: str
    sentence: str
    estimate: Estimate | None
    seeds_needed: int | None = None
    remedy: str = ""
    comparison: Comparison = "other"
    look: int = 0
    level: float | None = None
    next_look: int | None = None
    chance: float | None = None
    after_looking: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The sentence, with what was changed after results had been seen, if anything was."""
        changed = f" After looking: {'; '.join(self.after_looking)}." if self.after_looking else ""
        return self.sentence + changed


@dataclass(frozen=True, kw_only=True)
class Looks:
    """The looks of a study: numbers of seeds, and the level of a claim's interval at each.

    `reached` is the number of the last look at which a claim was judged, 0 if there is none; `lacking` names the cells
    that open claims still need for their next look. Where the study ended because its `budget` was spent, the last look
    is the one it ended with; the others were planned.
    """

    seeds: tuple[int, ...]
    levels: tuple[float, ...]
    reached: int
    lacking: tuple[str, ...]
    budget: str = ""


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
class Findings:
    """findings.json: all that a report shows. `measured` holds what may differ between two runs (keys "arm n=size")."""

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
    fairness: tuple[str, ...]
    caveats: tuple[str, ...]
    measured: dict[str, dict[str, float]]
    tuning: tuple[TuningCurve, ...] = ()
    tuning_needs: tuple[TuningNeed, ...] = ()
    counted: str = "label"  # what the sizes are numbers of: label | text
    choices: tuple[RivalChoice, ...] = ()  # one for each size, where a claim is against the best from scratch
    looks: Looks | None = None  # None where the study states no claim

    @property
    def scored_arms(self) -> tuple[str, ...]:
        """The study's arms, then `best_from_scratch` where a claim is against it."""
        return (*self.arms, BEST_FROM_SCRATCH) if self.choices else self.arms

"""What a study concludes on a claim, in fields. `pipeline/report/verdict_sentences.py` makes sentences from them."""

from dataclasses import dataclass, field
from typing import Literal

from pipeline.language import Sentence
from pipeline.records.metrics import MULTIPLIERS

# What a claim compares: two starts of one network, an arm with the best from scratch, or any two arms.
Comparison = Literal["same_network", "best_from_scratch", "other"]
ClaimMetric = Literal[
    "score", "label_multiplier", "compute_multiplier", "early_area", "initial_score", "gain_over_start",
    "generalisation_gap", "effective_robustness", "audit",
]  # fmt: skip
ClaimTest = Literal["superior", "not_inferior", "equivalent"]
Direction = Literal["higher", "lower"]
Judgement = Literal["supported", "refuted", "inconclusive"]
Refutation = Literal["too_small", "opposite", "inferior", "different"]
# A value is exact, or the true one lies above it, below it, or on either side (then it says nothing).
Censoring = Literal["none", "above", "below", "both"]
# What would settle an open claim: more seeds, or, where no number of seeds would do, one of the others.
Help = Literal["seeds", "test_items", "size_between", "larger_effect"]
ObstacleKind = Literal[
    "missing_cells",  # the look lacks cells: `cells`, and numbers["seeds"] of the look
    "unknown_dataset",  # not every cell has scores on `dataset`
    "unexamined",  # not every cell was examined by the claim's audit
    "gap_without_dataset",  # a gap needs an out-of-domain set, or train
    "no_common_scores",  # the two arms share no seed, or a score was not measured
    "one_seed",
    "one_item",
    "at_chance",  # an arm of a generalisation gap or of an audit is not above the best answer that reads no text
    "size_outside",  # `against` has no sizes around numbers["labels"], the labels of `arm` times the multiplier claimed
    "budgets_too_close",  # runs of `against` took numbers["ratio"] times the FLOPs of `arm`, not numbers["delta"]
    "stopped_early",  # early stopping ended runs of `arm` before their learning rate had decayed
    "score_not_reached",  # no size of `against` is as good in-domain as `arm`: numbers["score"], numbers["best"]
    "score_passed",  # the smallest size of `against` is better in-domain already: numbers["score"], numbers["first"]
    "failed_cells",  # trainings that the look needs failed: `cells`, and numbers["seeds"] of the look
    "two_kinds_of_seeds",  # some seeds (`cells`) are far from the others: numbers rare, seeds, distance, p
    "skewed_seeds",  # seeds as skewed as they may be would undo the verdict: numbers factor, level, low, high
    "unseen_failures",  # so would a share of failing trainings other than that seen: numbers seeds, failed, share, loss
    "some_kept_start",  # numbers["failed"] trainings of numbers["seeds"] kept step 0: a gap or audit is about learning
    "no_training_improved",  # all trainings of `arm` kept step 0: numbers seeds, share (that may do better)
    "not_converged",  # longer training could undo the verdict: numbers late_gain, low, high, level, or late_loss_fall
    "below_constant",  # so could the best answer that reads no text: numbers score, constant
    "below_words",  # so could a bag of words, which scores more than `scratch`: numbers score, words
]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its interval. `low` or `high` may be infinite where the quantity is censored.

    `p` is two-sided against "no difference" (0, or 1 for ratios); None where the method gives none.
    `method` names how the interval was made; each of `notes` is a condition under which it holds, in words.
    """

    value: float
    low: float
    high: float
    level: float
    seeds: int
    items: int
    method: Sentence
    p: float | None = None
    p_holm: float | None = None
    notes: tuple[Sentence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why a claim cannot be judged, whatever its interval; what a kind fills in beside itself is its own.

    Args:
        arm: the arm that stands in the way.
        size: the train size at which it does.
        dataset: the evaluation set concerned.
        cells: the cells concerned, "ARM n=SIZE seed=SEED".
        numbers: what was measured, by a short name ("late_loss_fall").
    """

    kind: ObstacleKind
    arm: str = ""
    size: int | str | None = None
    dataset: str = ""
    cells: tuple[str, ...] = ()
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ScoreTerm:
    """One part of a linear contrast: `weight` times the mean score of an arm at a size on a set."""

    weight: float
    arm: str
    size: int | str
    dataset: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer to one claim.

    Args:
        labels: how many labels (or texts) `arm` was trained on; None if it has no cell.
        labels_against: how many labels `against` is read at, if other than `labels`.
        test: what is asked of the effect, and `margin` how large a loss or difference does not matter.
        pool: how many these were drawn from, if they are more than a small part of it, so that seeds share many.
        validation_labels: how many more every arm used to choose its best point.
        delta: the smallest effect that matters, as the claim states it.
        audit: what the arms were examined by, for metric "audit".
        refutation: how a refuted claim fails; None for any other.
        estimate: the effect with its interval, signed as `arm` minus `against`.
        terms: the scores that the effect is a weighted sum of; empty if it is read off trajectories.
        budget_ratio: how many times the training FLOPs of `arm` the runs of `against` took, if the claim asks.
        obstacles: what keeps the claim from being judged; with any of them it is inconclusive.
        helps: what would settle an open claim; None if it is settled, or an obstacle has to go first.
        seeds_needed: how many seeds a new study would need if no look is left; None if no number of seeds would do.
        comparison: "same_network" if the two arms differ in nothing but their start (and recipe).
        look: the number of the look that the verdict rests on, 0 if none is reached yet.
        level: of the interval at that look.
        next_look: the number of seeds of the look after it, if the claim is open and one is left.
        chance: how likely the next look settles it.
        after_looking: what of the claim, or of the looks, was changed after results had been seen.
    """

    claim: str
    statement: str
    metric: ClaimMetric
    arm: str
    against: str
    size: int | str
    labels: int | None = None
    labels_against: float | None = None
    pool: int | None = None
    validation_labels: int = 0
    dataset: str
    audit: str | None = None
    test: ClaimTest = "superior"
    direction: Direction
    delta: float
    margin: float | None = None
    verdict: Judgement
    refutation: Refutation | None = None
    estimate: Estimate | None = None
    terms: tuple[ScoreTerm, ...] = ()
    budget_ratio: float | None = None
    obstacles: tuple[Obstacle, ...] = ()
    helps: Help | None = None
    seeds_needed: int | None = None
    comparison: Comparison = "other"
    look: int = 0
    level: float | None = None
    next_look: int | None = None
    chance: float | None = None
    after_looking: tuple[Sentence, ...] = ()

    @property
    def threshold(self) -> float:
        """What the effect is compared with, in the claim's direction; see `threshold_of`."""
        return threshold_of(self.metric, self.test, self.delta, self.margin)


def threshold_of(metric: ClaimMetric, test: ClaimTest, delta: float, margin: float | None) -> float:
    """What a claim compares its effect with, in its direction and in the unit of its estimate.

    A claim on a multiplier compares scores at labels or FLOPs that are delta times apart, so its effect need not be
    more than 0. For `equivalent` it is the lower of the two edges.
    """
    if test != "superior":
        return -(margin or 0.0)
    return 0.0 if metric in MULTIPLIERS else delta


@dataclass(frozen=True, kw_only=True)
class Looks:
    """The looks of a study: numbers of seeds, and the level of a claim's interval at each, in the largest family.

    `reached` is the number of the last look at which a claim was judged, 0 if there is none; `lacking` names the cells
    that open claims still need for their next look. Where the study ended because its `budget` was spent, the last look
    is the one it ended with; the others were planned.
    """

    seeds: tuple[int, ...]
    levels: tuple[float, ...]
    reached: int
    lacking: tuple[str, ...]
    budget: str = ""

"""What the seeds of an interval may be like that Student's t does not allow for: of two kinds, or skewed."""

import dataclasses
import math

from pipeline.analysis.skewed_seeds import factor_for_skew
from pipeline.analysis.two_kinds_of_seeds import CLEAN, two_kinds
from pipeline.records import Obstacle, Verdict
from pipeline.study.finding.estimates import Effect
from pipeline.study.looks import Place
from pipeline.study.verdicts.judging import undone
from pipeline.study.verdicts.obstacles import obstacle_at
from pipeline.study.verdicts.question import Question


def odd_seeds(question: Question, measured: Verdict, effect: Effect) -> tuple[Obstacle, ...]:
    """The obstacles that seeds of two kinds are, and skewed ones."""
    return (*_two_kinds(question, effect), *_skewed(question, measured, effect))


def place_text(place: Place) -> str:
    """ "ARM n=SIZE seed=SEED"."""
    arm, size, seed = place
    return f"{arm} n={size} seed={seed}"


def _two_kinds(question: Question, effect: Effect) -> tuple[Obstacle, ...]:
    """Whether the values of the seeds that an interval rests on fall into two groups, far apart."""
    group, mean = (question.claim.arm, question.size), effect.mean
    split = two_kinds(effect.values, sum(part.noise for part in mean.sets))
    if split is None or split.p > CLEAN:
        return ()
    seeds = sorted(question.look.seeds)  # as values are
    rare = [seeds[place] for place in split.rare]
    numbers = {"rare": len(rare), "seeds": mean.seeds, "distance": split.distance, "p": split.p}
    cells = tuple(place_text((*group, seed)) for seed in rare)
    return (dataclasses.replace(obstacle_at("two_kinds_of_seeds", group, numbers), cells=cells),)


def _skewed(question: Question, measured: Verdict, effect: Effect) -> tuple[Obstacle, ...]:
    """Whether the verdict is another one with the room that skewed seeds need at its level."""
    mean, level, estimate = effect.mean, question.level, measured.estimate
    half = mean.half_width(level)
    if estimate is None or not math.isfinite(half):
        return ()
    more = mean.guarded_half_width(level) - half
    if effect.guarded:
        low, high = effect.guarded
    else:
        low, high = estimate.low - more, estimate.high + more
    if not undone(measured, low, high):
        return ()
    numbers = {"factor": factor_for_skew(mean.seeds, level), "level": level, "low": low, "high": high}
    return (obstacle_at("skewed_seeds", (question.claim.arm, question.size), numbers),)

"""Verdicts in words, for people who skip the tables."""

import math
from collections.abc import Sequence

from pipeline.analysis.verdict import INCONCLUSIVE, REFUTED
from pipeline.config.schema import Claim
from pipeline.records import Estimate
from pipeline.records.metrics import SHARES
from pipeline.study.finding.curves import ratio_text
from pipeline.study.finding.table import Size
from pipeline.study.looks import Place

RATIOS = ("label_multiplier", "flops_to_target", "examples_to_target")


def sentence(verdict: str, how: str, finding: str, interval: str, smallest: str, remedy: str) -> str:
    """The verdict, what was found with its interval, the smallest effect that matters, and what is still needed."""
    head = f"{verdict.capitalize()} ({how})" if verdict == REFUTED else verdict.capitalize()
    tail = f". {remedy}" if verdict == INCONCLUSIVE and remedy else "."
    return f"{head}: {finding} {interval}; {smallest}{tail}"


def unreached(seeds: int, lacking: Sequence[Place], remedy: str, *, several: bool) -> str:
    """No look is reached: how many cells it needs still, and which."""
    shown = ", ".join(f"{arm} n={size} seed={seed}" for arm, size, seed in lacking[:3])
    more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
    look = "first look" if several else "look"
    return f"Inconclusive: not judged yet. The {look}, at {plural(seeds)}, lacks {shown}{more}. {remedy}"


def next_look(seeds: int, chance: float | None, helps: str) -> str:
    """The next planned look, how likely it settles the claim, and what else would help where seeds alone do not."""
    likely = f" The chance that it settles this is {chance_text(chance)}." if chance is not None else ""
    return f"The next look is at {plural(seeds)}.{likely}{f' {helps}' if helps else ''}"


def chance_text(chance: float) -> str:
    """ "about 40%", "under 1%" or "over 99%"."""
    if chance < 0.01:
        return "under 1%"
    return "over 99%" if chance > 0.99 else f"about {chance:.0%}"


def new_study(needed: int | None) -> str:
    """What a study of new seeds would need, where the looks of this one are spent."""
    return f"No look is left. A new study would need about {needed:,} seeds if the estimate stays where it is."


def plural(seeds: int) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{seeds:,} seed{'' if seeds == 1 else 's'}"


def labels_text(size: Size, train_items: int, counted: str) -> str:
    """ "100 labels", "1 text", or "all 7,000 labels"."""
    ending = "" if train_items == 1 else "s"
    return f"{'all ' if size == 'all' else ''}{train_items:,} {counted}{ending}"


def amount(value: float, metric: str) -> str:
    """A difference in score without its sign: "18.2 points", or a plain number for metrics that are no shares."""
    return f"{_number(abs(value), metric)} points" if metric in SHARES else f"{abs(value):.3g}"


def score_finding(claim: Claim, value: float, metric: str, labels: str, dataset: str) -> str:
    """ "pretrained scores 18.2 points more than scratch at 100 labels", with the set where it is not the test."""
    where = "" if dataset == "test" else f" on {dataset}"
    more = "more" if value >= 0 else "less"
    return f"{claim.arm} scores {amount(value, metric)} {more} than {claim.against} at {labels}{where}"


def multiplier_finding(claim: Claim, value: float, mark: str, labels: str) -> str:
    """How many times the labels `against` needs, as a bound where it is censored."""
    how = {"above": "more than ", "below": "less than "}.get(mark, "")
    return f"with {labels} {claim.arm} does as well as {claim.against} with {how}{ratio_text(value)} times as many"


def cost_finding(claim: Claim, value: float, bound: str, labels: str, target: str) -> str:
    """How many times the FLOPs or examples `against` spends to the target."""
    unit = {"flops_to_target": "FLOPs"}.get(claim.metric, "training examples")
    end = f"to reach {target} on validation at {labels}"
    if bound == "unknown":
        return f"too few runs of {claim.arm} and {claim.against} get there to compare the {unit} {end}"
    how = {"above": "more than ", "below": "less than "}.get(bound, "")
    return f"{claim.against} takes {how}{ratio_text(value)} times the {unit} of {claim.arm} {end}"


def area_finding(claim: Claim, value: float, metric: str, labels: str) -> str:
    """The mean score over the early stretch of training."""
    more = "more" if value >= 0 else "less"
    return (
        f"averaged over the training examples that all arms see, {claim.arm} scores {amount(value, metric)} {more} "
        f"than {claim.against} on validation at {labels}"
    )


def initial_finding(claim: Claim, value: float, metric: str, labels: str) -> str:
    """What two arms tell before they are trained."""
    more = "more" if value >= 0 else "less"
    return (
        f"before training {claim.arm} scores {amount(value, metric)} {more} than {claim.against} on validation "
        f"at {labels}"
    )


def gain_finding(claim: Claim, value: float, metric: str, labels: str) -> str:
    """What training brings over a start."""
    more = "more" if value >= 0 else "less"
    start = "its own start" if claim.against == claim.arm else f"the start of {claim.against}"
    return f"once trained {claim.arm} scores {amount(value, metric)} {more} than {start} on validation at {labels}"


def gap_finding(claim: Claim, value: float, metric: str, labels: str) -> str:
    """How much more or less an arm loses outside its domain, or off its training examples."""
    more = "more" if value >= 0 else "less"
    step = "from its training examples to the test" if claim.dataset == "train" else f"from the test to {claim.dataset}"
    return f"{step} {claim.arm} loses {amount(value, metric)} {more} than {claim.against} at {labels}"


def interval_text(claim: Claim, estimate: Estimate, metric: str) -> str:
    """ "(95% interval 15.1 to 21.3; 3 seeds x 1,500 items)"."""
    if claim.metric in RATIOS:
        ends = _span(estimate.low, estimate.high)
    elif math.isinf(estimate.high):
        ends = "unknown"
    else:
        ends = f"{_number(estimate.low, metric)} to {_number(estimate.high, metric)}"
    items = f" x {estimate.items:,} item{'' if estimate.items == 1 else 's'}" if estimate.items else ""
    of = " of the difference" if claim.metric not in RATIOS and estimate.value < 0 else ""
    return f"({100 * estimate.level:.4g}% interval{of} {ends}; {plural(estimate.seeds)}{items})"


def smallest_text(claim: Claim, metric: str) -> str:
    """The smallest effect that matters, as the claim states it."""
    if claim.metric in RATIOS:
        return f"the {'largest' if claim.direction == 'lower' else 'smallest'} ratio that matters is {claim.delta:.3g}"
    size = f"{100 * claim.delta:.3g} points" if metric in SHARES else f"{claim.delta:.3g}"
    return f"the smallest effect that matters is {size}{' less' if claim.direction == 'lower' else ''}"


def _number(value: float, metric: str) -> str:
    text = f"{100 * value:.1f}" if metric in SHARES else f"{value:.3g}"
    return text[1:] if text.startswith("-") and not float(text) else text


def _span(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{ratio_text(low)} or more" if low > 0 else "open at both ends"
    return f"{ratio_text(low)} to {ratio_text(high)}" if low > 0 else f"{ratio_text(high)} or less"

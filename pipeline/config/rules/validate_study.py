"""Rules of a study and its claims."""

from collections.abc import Iterator
from itertools import pairwise

from pipeline.config.budget import budget_of
from pipeline.config.choices import options
from pipeline.config.claim_sets import BY_ROLE
from pipeline.config.disk import bytes_of
from pipeline.config.rules.closed_sets import words
from pipeline.config.schema import Claim, Config, Study
from pipeline.errors import nearest
from pipeline.records import BEST_FROM_SCRATCH, ClaimMetric
from pipeline.records.metrics import MULTIPLIERS, SHARES

# Metrics of claims that can be about another set than the test.
ON_ANY_SET = ("score", "generalisation_gap", "effective_robustness", "audit")
BETWEEN_SETS = (
    "generalisation_gap",
    "effective_robustness",
)  # metrics of claims that compare the test with another set
# Metrics of claims that can be against best_from_scratch.
AGAINST_THE_BEST = ("score", "label_multiplier", "generalisation_gap", "effective_robustness", "audit")


def study_rules(config: Config) -> Iterator[str]:
    """What is wrong with the study, one sentence each; nothing where there is none."""
    study = config.study
    if not study.name:
        return
    for name, values in (("arms", study.arms), ("sizes", study.sizes), ("seeds", study.seeds)):
        if not values:
            yield f"study.{name} must name at least one, but got none."
        if len(set(values)) < len(values):
            yield f"study.{name} must not repeat itself, but got {list(values)}."
    yield from (
        f"study.sizes must be numbers of labels or 'all', but got {s!r}." for s in study.sizes if not is_size(s)
    )
    if config.tuning.size is not None and not is_size(config.tuning.size):
        yield f"tuning.size must be a number of labels, 'all' or null for each size, but got {config.tuning.size!r}."
    yield from (f"study.seeds must be 0 or more, but got {s}." for s in study.seeds if s < 0)
    if config.task.metric in SHARES and study.target is not None and not 0 < study.target < 1:
        yield f"study.target must be above 0 and below 1 for {config.task.metric}, but got {study.target}. 60% is 0.6."
    if not 0.5 < study.confidence < 1:
        yield f"study.confidence must be above 0.5 and below 1, but got {study.confidence}."
    yield from _looks(study)
    yield from _budget(study)
    yield from _disk(study)
    unknown = [text for arm in study.arms for text in _arm_of_study(arm)]
    if unknown:  # what claims say of arms would mislead
        yield from unknown
        return
    yield from _arms_of_claims(study)
    for key, claim in study.claims.items():
        for text in _claim(claim, study, config):
            yield f"study.claims.{key}: {text} To drop the claim: ~study.claims.{key}."


def _looks(study: Study) -> Iterator[str]:
    """What is wrong with the planned looks and how they spend the error."""
    looks, spend = list(study.looks), list(study.spend)
    if not 0 <= study.reserve < 1:
        yield f"study.reserve must be a share of the error from 0 to below 1, but got {study.reserve}."
    if looks and min(looks) < 2:
        yield f"study.looks must be of 2 seeds or more, but got {looks}: one seed cannot show how much seeds vary."
    if any(later <= earlier for earlier, later in pairwise(looks)):
        near = sorted(set(looks))
        yield f"study.looks must increase, but got {looks}. Use study.looks={near}, with one share of study.spend each."
    if looks and max(looks) > len(study.seeds):
        yield (
            f"study.looks asks for {max(looks)} seeds, but study.seeds has {len(study.seeds)}. Add seeds, or end the "
            f"looks at {len(study.seeds)}."
        )
    if len(spend or [1.0]) != len(looks or [1]):
        even = [round(1 / len(looks), 3)] * len(looks) if looks else [1]
        yield f"study.spend must have one share for each of study.looks={looks}, but got {spend}. For example {even}."
    elif spend and (min(spend) <= 0 or abs(sum(spend) + study.reserve - 1) > 1e-6):
        less = f" less study.reserve={study.reserve:g}" if study.reserve else ""
        yield f"study.spend must be shares above 0 that sum to 1{less}, but got {spend}, whose sum is {sum(spend):g}."


def _budget(study: Study) -> Iterator[str]:
    if study.budget is not None:
        try:
            budget_of(study.budget)
        except ValueError as error:
            yield f"study.budget {error}"


def _disk(study: Study) -> Iterator[str]:
    try:
        bytes_of(study.disk)
    except ValueError as error:
        yield f"study.disk {error}"


def _arm_of_study(named: str) -> Iterator[str]:
    """What is wrong with the name of an arm, `ARM` or `ARM@BASE`."""
    arm, at, other = named.partition("@")
    if arm == BEST_FROM_SCRATCH:
        yield (
            f"study.arms names {named!r}: that name is reserved for the best of the arms from scratch, chosen on "
            "validation. Leave it out, and name it in a claim: against: best_from_scratch."
        )
    elif arm not in options("arm"):
        yield f"study.arms names {named!r}: there is no such arm. {nearest(arm, options('arm'))}"
    if at and other not in options("base"):
        yield f"study.arms names {named!r}: there is no such base. {nearest(other, options('base'))}"


def _claim(claim: Claim, study: Study, config: Config) -> Iterator[str]:
    yield from _asked(claim)
    yield from _arms_of_claim(claim, study)
    if claim.size not in (*study.sizes, "smallest", "largest"):
        yield f"size {claim.size!r} is not in study.sizes {list(study.sizes)}; smallest and largest are valid too."
    if claim.metric in BETWEEN_SETS and claim.dataset == "test":
        others = (*config.task.out_of_domain, *(["train"] if claim.metric == "generalisation_gap" else []))
        valid = f"Valid: {', '.join(others)}." if others else "The task has none (task.out_of_domain)."
        yield f"metric {claim.metric} compares the test set with another one: name it in dataset. {valid}"
    datasets = (
        *("test", *config.task.out_of_domain, *BY_ROLE),
        *(["train"] if claim.metric == "generalisation_gap" else []),
    )
    if claim.dataset not in datasets and config.task.out_of_domain:  # else the plan leaves the claim out, and says so
        yield f"dataset {claim.dataset!r} is not an evaluation set of the task. {nearest(claim.dataset, datasets)}"
    elif claim.metric not in ON_ANY_SET and claim.dataset in (*config.task.out_of_domain, *BY_ROLE):
        yield (
            f"metric {claim.metric} is about the task's own sets, but got dataset {claim.dataset!r}. "
            f"Leave dataset out, or use metric {' or '.join(ON_ANY_SET)}."
        )
    if claim.metric == "audit" and not claim.audit:
        yield "metric audit compares what an audit finds in two arms: name it in audit, for example audit: calibration."
    elif claim.audit and claim.metric != "audit":
        yield f"audit is read by metric audit, but got metric {claim.metric}. Leave audit out, or use metric audit."


def _asked(claim: Claim) -> Iterator[str]:
    """What is wrong with delta, test, margin and direction, at most one sentence for each."""
    if claim.delta <= 0:
        yield f"delta, the smallest effect that matters, must be above 0, but got {claim.delta}."
    elif claim.metric in MULTIPLIERS and claim.direction == "higher" and claim.delta <= 1:
        yield f"delta of metric {claim.metric} is a factor and must be above 1, for example 2.0, but got {claim.delta}."
    elif claim.test != "superior" and claim.metric not in MULTIPLIERS and claim.delta != Claim().delta:
        yield f"test {claim.test} reads margin and no delta, but got delta {claim.delta}. Leave it out."
    yield from _margin(claim)
    if claim.direction == "lower" and (claim.test == "equivalent" or claim.metric == "compute_multiplier"):
        what = (
            "test equivalent looks both ways" if claim.test == "equivalent" else f"metric {claim.metric} has no other"
        )
        yield f"{what}, but got direction lower. Leave direction out, or exchange arm and against."


def _margin(claim: Claim) -> Iterator[str]:
    if claim.test == "superior":
        if claim.margin is not None:
            yield (
                f"test superior reads no margin, but got {claim.margin}: its threshold is delta. Leave margin out, or "
                "set test: not_inferior or equivalent."
            )
    elif claim.margin is None:
        allowed = "difference" if claim.test == "equivalent" else "loss"
        yield f"test {claim.test} needs margin, the largest {allowed} that does not matter, for example margin: 0.02."
    elif claim.margin <= 0:
        yield f"margin must be above 0, but got {claim.margin}."


def _arms_of_claims(study: Study) -> Iterator[str]:
    """The arms that claims name and the study lacks, one sentence for all claims that name an arm."""
    lacking: dict[str, list[str]] = {}
    for key, claim in study.claims.items():
        named = dict.fromkeys((claim.arm, claim.against))
        for arm in (each for each in named if each not in (*study.arms, BEST_FROM_SCRATCH)):
            lacking.setdefault(arm, []).append(key)
    for arm, keys in lacking.items():
        known = "Add it to study.arms." if arm in options("arm") else nearest(arm, (*study.arms, BEST_FROM_SCRATCH))
        drop = " ".join(f"~study.claims.{key}" for key in keys)
        one = "claim" if len(keys) == 1 else f"{len(keys)} claims"
        yield f"study.claims.{', '.join(keys)}: arm {arm!r} is not in study.arms. {known} To drop the {one}: {drop}."


def _arms_of_claim(claim: Claim, study: Study) -> Iterator[str]:
    if claim.arm == BEST_FROM_SCRATCH:
        yield f"arm must be one of study.arms, but got {claim.arm!r}: what arms are compared with, in against."
    if claim.against == BEST_FROM_SCRATCH and claim.metric in set(words(ClaimMetric)) - set(AGAINST_THE_BEST):
        yield (
            f"metric {claim.metric} reads how one training went or what it cost, but best_from_scratch is chosen when "
            f"all its candidates are trained. Use metric {', '.join(AGAINST_THE_BEST)}, or name one arm in against."
        )


def is_size(size: int | str) -> bool:
    """Whether it is a number of labels or "all"."""
    return size == "all" or (isinstance(size, int) and size >= 1)

"""Sentences on verdicts. Terminal, report and MLflow take their words from here, and nothing reads them back."""

import math
from collections.abc import Callable

from pipeline.audits import AUDITS
from pipeline.records import Censoring, ClaimMetric, Direction, Findings, Help, Refutation, Verdict
from pipeline.records.metrics import MULTIPLIERS, RATIOS, amount
from pipeline.report.obstacles import remedy_of, why
from pipeline.report.wording import (
    TIMES,
    counting_validation,
    plural,
    ratio_text,
    scale_of,
    scale_of_effect,
    size_name,
)

REFUTATIONS: dict[Refutation, str] = {
    "too_small": "too small",
    "opposite": "opposite",
    "inferior": "inferior",
    "different": "different",
}
_BOUNDS: dict[Censoring, str] = {"above": "more than ", "below": "less than "}
_UNITS = {"flops_to_target": "FLOPs", "examples_to_target": "training examples"}


def verdict_sentence(findings: Findings, v: Verdict) -> str:
    """The whole verdict: what was found with its interval, the smallest effect that matters, what is still needed,
    and what was changed after results had been seen.
    """
    how = f" ({REFUTATIONS[v.refutation]})" if v.refutation else ""
    changed = f"After looking: {'; '.join(v.after_looking)}." if v.after_looking else ""
    if v.estimate:
        measured = f"{finding_text(findings, v)} ({interval_text(findings, v)}); {asked_text(findings, v)}."
    else:
        measured = finding_text(findings, v)
    tail = next_step(findings, v)
    return " ".join(part for part in (f"{v.verdict.capitalize()}{how}: {measured}", tail, changed) if part)


def scores_so_far(findings: Findings) -> str:
    """The test scores of a study that still runs, at its largest size that has any, with their intervals."""
    tests = [score for score in findings.scores if score.role == "in_domain"]
    size = next((size for size in reversed(findings.sizes) if any(s.size == size for s in tests)), None)
    shown, scale = [score for score in tests if score.size == size], scale_of(findings.metric)
    if size is None:
        return "No scores yet."
    each = [f"{s.arm} {scale.score(s.estimate.value)} ({scale.span(s.estimate)})" for s in shown]
    seeds = min(score.estimate.seeds for score in shown)
    where = f"with {size_name(size)} {findings.counted}s, {plural(seeds, 'seed')}"
    return f"Interim scores, no verdict yet: {', '.join(each)}, {where}."


def finding_text(findings: Findings, v: Verdict) -> str:
    """What was found, without a full stop: "pretrained scores 18.2 points more than scratch at 100 labels".

    Where nothing could be measured it is a whole sentence that says why.
    """
    if v.estimate is None:
        first = "not judged yet." if any(o.kind == "missing_cells" for o in v.obstacles) else "it cannot be judged."
        return " ".join([first, *(why(findings, v, o) for o in v.obstacles)])
    return _FINDINGS[v.metric](findings, v, v.estimate.value)


def next_step(findings: Findings, v: Verdict) -> str:
    """What an open claim still needs, or nothing: how to clear its obstacles, else the next look, else a new study."""
    if v.verdict != "inconclusive":
        return ""
    if v.obstacles:
        before = [] if v.estimate is None else [why(findings, v, o) for o in v.obstacles]
        return " ".join(dict.fromkeys(p for p in (*before, *(remedy_of(findings, v, o) for o in v.obstacles)) if p))
    helps = _HELPS[v.helps].format(labels=f"{v.labels_against or 0.0:.0f}") if v.helps else ""
    if v.next_look:
        likely = f"The chance that it settles this is {_chance(v.chance)}." if v.chance is not None else ""
        return " ".join(p for p in (f"The next look is at {plural(v.next_look, 'seed')}.", likely, helps) if p)
    return helps or (
        f"No look is left. A new study would need about {v.seeds_needed:,} seeds if the estimate stays where it is."
    )


def interval_text(findings: Findings, v: Verdict) -> str:
    """ "95% interval 15.1 to 21.3; 3 seeds, 1,500 items", with a sign between the two."""
    e, scale = v.estimate, scale_of_effect(findings.metric, v)
    assert e is not None
    of = ""
    if v.metric in RATIOS:
        ends = _ratio_ends(e.low, e.high)
    elif math.isinf(e.high):
        ends = "unknown"
    else:
        ends = scale.span(e)
        of = " of the difference" if e.value < 0 else ""
    items = f" {TIMES} {plural(e.items, 'item')}" if e.items else ""
    return f"{100 * e.level:.4g}% interval{of} {ends}; {plural(e.seeds, 'seed')}{items}"


def asked_text(findings: Findings, v: Verdict) -> str:
    """What the claim asks: the smallest effect that matters, and the margin that does not."""
    scale, least = scale_of_effect(findings.metric, v), "largest" if v.direction == "lower" else "smallest"
    parts = []
    if v.metric in RATIOS or v.metric in MULTIPLIERS:
        noun = "ratio" if v.metric in RATIOS else "multiplier"
        parts.append(f"the {least} {noun} that matters is {v.delta:.3g}")
    elif v.test == "superior":
        less = " less" if v.direction == "lower" else ""
        parts.append(f"the smallest effect that matters is {scale.amount(v.delta)}{less}")
    if v.test != "superior":
        noun = "difference" if v.test == "equivalent" else "gain" if v.direction == "lower" else "loss"
        parts.append(f"a {noun} of up to {scale.amount(v.margin or 0.0)} does not matter")
    return ", and ".join(parts)


def _labels(findings: Findings, v: Verdict) -> str:
    """ "100 labels", "all 7,000 labels", or "1,000 of the 1,633 labels at hand" if seeds share many of them."""
    if v.labels is None:
        return f"{v.size} {findings.counted}s"
    if v.pool and v.labels < v.pool:
        return f"{v.labels:,} of the {plural(v.pool, findings.counted)} at hand"
    number = plural(v.labels, findings.counted)
    return f"all {number}" if v.size == "all" else number


def _differs(findings: Findings, value: float) -> str:
    return f"{amount(value, findings.metric)} {'more' if value >= 0 else 'less'}"


def _score(findings: Findings, v: Verdict, value: float) -> str:
    where = "" if v.dataset == "test" else f" on {v.dataset}"
    return f"{v.arm} scores {_differs(findings, value)} than {v.against} at {_labels(findings, v)}{where}"


def _better(findings: Findings, value: float) -> str:
    return f"is {amount(value, findings.metric)} {'better' if value >= 0 else 'worse'}"


def _multiplier(findings: Findings, v: Verdict, value: float) -> str:
    sizes = [size_name(term.size) for term in v.terms if (term.arm, term.size) != (v.arm, v.size)]
    between = f" (read between {' and '.join(sizes)})" if len(sizes) > 1 else ""
    granted = v.labels_against or 0.0
    counted = ""
    if v.validation_labels and v.labels:
        ratio = counting_validation(granted / v.labels, v.labels, v.validation_labels)
        kind = plural(v.validation_labels, f"validation {findings.counted}")
        counted = f", {ratio_text(ratio)} times as many counting the {kind} of both"
    more = f"than {v.against} with {granted:,.0f}{between}{counted}"
    return f"with {_labels(findings, v)} {v.arm} {_better(findings, value)} {more}"


def _computation(findings: Findings, v: Verdict, value: float) -> str:
    spent = f"whose runs took {ratio_text(v.budget_ratio or math.nan)} times the training computation"
    return f"at {_labels(findings, v)} {v.arm} {_better(findings, value)} than {v.against}, {spent}"


def _robustness(findings: Findings, v: Verdict, value: float) -> str:
    alike = f"{v.against} with the same in-domain score, which takes it about {v.labels_against or 0.0:,.0f}"
    return f"on {v.dataset} {v.arm} with {_labels(findings, v)} {_better(findings, value)} than {alike}"


def _cost(findings: Findings, v: Verdict, value: float) -> str:
    target = scale_of(findings.metric).score(findings.target if findings.target is not None else math.nan)
    end = f"to reach {target} on validation at {_labels(findings, v)}"
    if v.censored == "both":
        return f"too few runs of {v.arm} and {v.against} get there to compare the {_UNITS[v.metric]} {end}"
    times = f"{_BOUNDS.get(v.censored, '')}{ratio_text(value)} times"
    return f"{v.against} takes {times} the {_UNITS[v.metric]} of {v.arm} {end}"


def _area(findings: Findings, v: Verdict, value: float) -> str:
    where = f"on validation at {_labels(findings, v)}"
    return (
        f"averaged over the training examples that all arms see, {v.arm} scores {_differs(findings, value)} than "
        f"{v.against} {where}"
    )


def _initial(findings: Findings, v: Verdict, value: float) -> str:
    where = f"on validation at {_labels(findings, v)}"
    return f"before training {v.arm} scores {_differs(findings, value)} than {v.against} {where}"


def _gain(findings: Findings, v: Verdict, value: float) -> str:
    start = "its own start" if v.against == v.arm else f"the start of {v.against}"
    where = f"on validation at {_labels(findings, v)}"
    return f"once trained {v.arm} scores {_differs(findings, value)} than {start} {where}"


def _gap(findings: Findings, v: Verdict, value: float) -> str:
    step = "from its training examples to the test" if v.dataset == "train" else f"from the test to {v.dataset}"
    return f"{step} {v.arm} loses {_differs(findings, value)} than {v.against} at {_labels(findings, v)}"


def _audited(findings: Findings, v: Verdict, value: float) -> str:
    measure = AUDITS[v.audit or ""].measure
    which: Direction = "higher" if value >= 0 else "lower"
    differs = f"{scale_of_effect(findings.metric, v).amount(value)} {which}"
    judged = "worse" if which == measure.worse else "better"
    return f"the {measure.called} of {v.arm} is {differs} ({judged}) than that of {v.against} at {_labels(findings, v)}"


_FINDINGS: dict[ClaimMetric, Callable[[Findings, Verdict, float], str]] = {
    "score": _score,
    "label_multiplier": _multiplier,
    "compute_multiplier": _computation,
    "flops_to_target": _cost,
    "examples_to_target": _cost,
    "early_area": _area,
    "initial_score": _initial,
    "gain_over_start": _gain,
    "generalisation_gap": _gap,
    "effective_robustness": _robustness,
    "audit": _audited,
}
_HELPS: dict[Help, str] = {
    "seeds": "",
    "test_items": "No number of seeds would settle it; more test items would.",
    "size_between": "Add {labels} to study.sizes: between two sizes a learning curve is only known to rise.",
    "larger_effect": "No number of seeds would settle it, and the audit has no more items: ask for a larger effect.",
    "finer_costs": "Longer training, a target that every run reaches, or a finer evaluation grid would settle it.",
}


def _chance(chance: float) -> str:
    """ "about 40%", "under 1%" or "over 99%"."""
    if chance < 0.01:
        return "under 1%"
    return "over 99%" if chance > 0.99 else f"about {chance:.0%}"


def _ratio_ends(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{ratio_text(low)} or more" if low > 0 else "open at both ends"
    return f"{ratio_text(low)} to {ratio_text(high)}" if low > 0 else f"{ratio_text(high)} or less"

"""Sentences on verdicts. Terminal, report and MLflow take their words from here, and nothing reads them back."""

import math
from collections.abc import Callable

from pipeline.audits import AUDITS
from pipeline.language import marked, nouns, numeral, tr, translated, translated_sentence
from pipeline.records import ClaimMetric, Direction, Findings, Help, Refutation, Verdict
from pipeline.records.metrics import MULTIPLIERS, SHARES
from pipeline.report.obstacles import remedy_of, why
from pipeline.report.wording import (
    TIMES,
    Factor,
    counting_validation,
    plural,
    ratio_text,
    scale_of,
    scale_of_effect,
    size_name,
)

REFUTATIONS: dict[Refutation, str] = {
    "too_small": marked("too small"),
    "opposite": marked("opposite"),
    "inferior": marked("inferior"),
    "different": marked("different"),
}


def verdict_sentence(findings: Findings, v: Verdict) -> str:
    """The whole verdict: what was found with its interval, the smallest effect that matters, what is still needed,
    and what was changed after results had been seen.
    """
    how = f" ({translated(REFUTATIONS[v.refutation])})" if v.refutation else ""
    changed = (
        tr("After looking: {changes}.", changes="; ".join(map(translated_sentence, v.after_looking)))
        if v.after_looking
        else ""
    )
    if v.estimate:
        measured = f"{finding_text(findings, v)} ({interval_text(findings, v)}); {asked_text(findings, v)}."
    else:
        measured = finding_text(findings, v)
    tail = next_step(findings, v)
    return " ".join(part for part in (f"{translated(v.verdict).capitalize()}{how}: {measured}", tail, changed) if part)


def scores_so_far(findings: Findings) -> str:
    """The test scores of a study that still runs, at its largest size that has any, with their intervals."""
    tests = [score for score in findings.scores if score.role == "in_domain"]
    size = next((size for size in reversed(findings.sizes) if any(s.size == size for s in tests)), None)
    shown, scale = [score for score in tests if score.size == size], scale_of(findings.metric)
    if size is None:
        return tr("No scores yet.")
    each = [f"{s.arm} {scale.score(s.estimate.value)} ({scale.span(s.estimate)})" for s in shown]
    seeds = min(score.estimate.seeds for score in shown)
    where = tr(
        "with {size} {labels}, {seeds}",
        size=size_name(size),
        labels=nouns(findings.counted),
        seeds=plural(seeds, "seed"),
    )
    return tr("Interim scores, no verdict yet: {scores}, {where}.", scores=", ".join(each), where=where)


def finding_text(findings: Findings, v: Verdict) -> str:
    """What was found, without a full stop: "pretrained scores 18.2 points more than scratch at 100 labels".

    Where nothing could be measured it is a whole sentence that says why.
    """
    if v.estimate is None:
        first = (
            tr("not judged yet.") if any(o.kind == "missing_cells" for o in v.obstacles) else tr("it cannot be judged.")
        )
        return " ".join([first, *(why(findings, v, o) for o in v.obstacles)])
    return _FINDINGS[v.metric](findings, v, v.estimate.value)


def next_step(findings: Findings, v: Verdict) -> str:
    """What an open claim still needs, or nothing: how to clear its obstacles, else the next look, else a new study."""
    if v.verdict != "inconclusive":
        return ""
    if v.obstacles:
        before = [] if v.estimate is None else [why(findings, v, o) for o in v.obstacles]
        return " ".join(dict.fromkeys(p for p in (*before, *(remedy_of(findings, v, o) for o in v.obstacles)) if p))
    helps = tr(_HELPS[v.helps], labels=f"{v.labels_against or 0.0:.0f}") if v.helps else ""
    if v.next_look:
        likely = (
            tr("The chance that it settles this is {chance}.", chance=_chance(v.chance)) if v.chance is not None else ""
        )
        return " ".join(
            p for p in (tr("The next look is at {seeds}.", seeds=plural(v.next_look, "seed")), likely, helps) if p
        )
    return helps or (
        tr(
            "No look is left. A new study would need about {seeds:,} seeds if the estimate stays where it is.",
            seeds=v.seeds_needed,
        )
    )


def interval_text(findings: Findings, v: Verdict) -> str:
    """ "95% interval 15.1 to 21.3; 3 seeds, 1,500 items", with a sign between the two."""
    e, scale = v.estimate, scale_of_effect(findings.metric, v)
    assert e is not None
    of = ""
    if math.isinf(e.high):
        ends = tr("unknown")
    else:
        ends = scale.span(e)
        of = tr(" of the difference") if e.value < 0 and not isinstance(scale, Factor) else ""
    items = f" {TIMES} {plural(e.items, 'item')}" if e.items else ""
    return tr(
        "{level:.4g}% interval{of_difference} {ends}; {seeds}{items}",
        level=100 * e.level,
        of_difference=of,
        ends=ends,
        seeds=plural(e.seeds, "seed"),
        items=items,
    )


def asked_text(findings: Findings, v: Verdict) -> str:
    """What the claim asks: the smallest effect that matters, and the margin that does not."""
    scale, lower = scale_of_effect(findings.metric, v), v.direction == "lower"
    parts = []
    if v.metric in MULTIPLIERS:
        least = tr("the largest multiplier that matters is") if lower else tr("the smallest multiplier that matters is")
        parts.append(f"{least} {numeral(v.delta, '.3g')}")
    elif v.test == "superior":
        less = tr(" less") if lower else ""
        parts.append(tr("the smallest effect that matters is {amount}{less}", amount=scale.amount(v.delta), less=less))
    if v.test != "superior":
        allowed = tr("a difference") if v.test == "equivalent" else tr("a gain") if lower else tr("a loss")
        parts.append(
            tr("{allowed} of up to {amount} does not matter", allowed=allowed, amount=scale.amount(v.margin or 0.0))
        )
    return tr(", and ").join(parts)


def _labels(findings: Findings, v: Verdict) -> str:
    """ "100 labels", "all 7,000 labels", or "1,000 of the 1,633 labels at hand" if seeds share many of them."""
    if v.labels is None:
        labels = nouns(findings.counted)
        return tr("all {labels}", labels=labels) if v.size == "all" else f"{v.size} {labels}"
    if v.pool and v.labels < v.pool:
        return tr("{some:,} of the {labels} at hand", some=v.labels, labels=plural(v.pool, findings.counted))
    number = plural(v.labels, findings.counted)
    return tr("all {labels}", labels=number) if v.size == "all" else number


def _differs(findings: Findings, value: float) -> str:
    shown = _amount(findings, value)
    return tr("{amount} more", amount=shown) if value >= 0 else tr("{amount} less", amount=shown)


def _amount(findings: Findings, value: float) -> str:
    """A difference in score without its sign: "18.2 points", or a plain number for metrics that are no shares."""
    share = findings.metric in SHARES
    return tr("{points:.1f} points", points=100 * abs(value)) if share else numeral(abs(value), ".3g")


def _score(findings: Findings, v: Verdict, value: float) -> str:
    return tr(
        "{arm} scores {differs} than {against} at {labels}{where}",
        arm=v.arm,
        differs=_differs(findings, value),
        against=v.against,
        labels=_labels(findings, v),
        where=_elsewhere(v),
    )


def _elsewhere(v: Verdict) -> str:
    """The set, if it is another one than the test set."""
    return "" if v.dataset == "test" else tr(" on {dataset}", dataset=v.dataset)


def _better(findings: Findings, value: float) -> str:
    shown = _amount(findings, value)
    return tr("is {amount} better", amount=shown) if value >= 0 else tr("is {amount} worse", amount=shown)


def _multiplier(findings: Findings, v: Verdict, value: float) -> str:
    sizes = [size_name(term.size) for term in v.terms if (term.arm, term.size) != (v.arm, v.size)]
    between = tr(" (read between {sizes})", sizes=tr(" and ").join(sizes)) if len(sizes) > 1 else ""
    granted = v.labels_against or 0.0
    counted = ""
    if v.validation_labels and v.labels:
        ratio = counting_validation(granted / v.labels, v.labels, v.validation_labels)
        labels = plural(v.validation_labels, f"validation {findings.counted}")
        counted = tr(", {ratio} times as many counting the {labels} of both", ratio=ratio_text(ratio), labels=labels)
    more = tr(
        "than {against} with {labels:,.0f}{between}{counted}",
        against=v.against,
        labels=granted,
        between=between,
        counted=counted,
    )
    return tr(
        "with {labels} {arm} {better} {more}",
        labels=_labels(findings, v),
        arm=v.arm,
        better=_better(findings, value),
        more=more,
    )


def _computation(findings: Findings, v: Verdict, value: float) -> str:
    spent = tr("whose runs took {ratio} times the training computation", ratio=ratio_text(v.budget_ratio or math.nan))
    return tr(
        "at {labels} {arm} {better} than {against}, {spent}",
        labels=_labels(findings, v),
        arm=v.arm,
        better=_better(findings, value),
        against=v.against,
        spent=spent,
    )


def _robustness(findings: Findings, v: Verdict, value: float) -> str:
    alike = tr(
        "{against} with the same in-domain score, which takes it about {labels:,.0f}",
        against=v.against,
        labels=v.labels_against or 0.0,
    )
    return tr(
        "on {dataset} {arm} with {labels} {better} than {against}",
        dataset=v.dataset,
        arm=v.arm,
        labels=_labels(findings, v),
        better=_better(findings, value),
        against=alike,
    )


def _area(findings: Findings, v: Verdict, value: float) -> str:
    where = tr("on validation at {labels}", labels=_labels(findings, v))
    return tr(
        "averaged over the training examples that all arms see, {arm} scores {differs} than {against} {where}",
        arm=v.arm,
        differs=_differs(findings, value),
        against=v.against,
        where=where,
    )


def _initial(findings: Findings, v: Verdict, value: float) -> str:
    where = tr("on validation at {labels}", labels=_labels(findings, v))
    return tr(
        "before training {arm} scores {differs} than {against} {where}",
        arm=v.arm,
        differs=_differs(findings, value),
        against=v.against,
        where=where,
    )


def _gain(findings: Findings, v: Verdict, value: float) -> str:
    start = tr("its own start") if v.against == v.arm else tr("the start of {against}", against=v.against)
    where = tr("on validation at {labels}", labels=_labels(findings, v))
    return tr(
        "once trained {arm} scores {differs} than {start} {where}",
        arm=v.arm,
        differs=_differs(findings, value),
        start=start,
        where=where,
    )


def _gap(findings: Findings, v: Verdict, value: float) -> str:
    step = (
        tr("from its training examples to the test")
        if v.dataset == "train"
        else tr("from the test to {dataset}", dataset=v.dataset)
    )
    return tr(
        "{step} {arm} loses {differs} than {against} at {labels}",
        step=step,
        arm=v.arm,
        differs=_differs(findings, value),
        against=v.against,
        labels=_labels(findings, v),
    )


def _audited(findings: Findings, v: Verdict, value: float) -> str:
    measure = AUDITS[v.audit or ""].measure
    if measure.timed:
        return tr(
            "{arm} takes {ratio} times as long as {against} to {called} at {labels}",
            arm=v.arm,
            ratio=scale_of_effect(findings.metric, v).number(value),
            against=v.against,
            called=translated(measure.called),
            labels=_labels(findings, v),
        )
    which: Direction = "higher" if value >= 0 else "lower"
    amount = scale_of_effect(findings.metric, v).amount(value)
    differs = tr("{amount} higher", amount=amount) if which == "higher" else tr("{amount} lower", amount=amount)
    judged = tr("worse") if which == measure.worse else tr("better")
    return tr(
        "the {called} of {arm} is {differs} ({judged}) than that of {against} at {labels}{where}",
        called=translated(measure.called),
        arm=v.arm,
        differs=differs,
        judged=judged,
        against=v.against,
        labels=_labels(findings, v),
        where=_elsewhere(v),
    )


_FINDINGS: dict[ClaimMetric, Callable[[Findings, Verdict, float], str]] = {
    "score": _score,
    "label_multiplier": _multiplier,
    "compute_multiplier": _computation,
    "early_area": _area,
    "initial_score": _initial,
    "gain_over_start": _gain,
    "generalisation_gap": _gap,
    "effective_robustness": _robustness,
    "audit": _audited,
}
_HELPS: dict[Help, str] = {
    "seeds": "",
    "test_items": marked("No number of seeds would settle it; more test items would."),
    "size_between": marked("Add {labels} to study.sizes: between two sizes a learning curve is only known to rise."),
    "larger_effect": marked(
        "No number of seeds would settle it, and the audit has no more items: ask for a larger effect."
    ),
}


def _chance(chance: float) -> str:
    """ "about 40%", "under 1%" or "over 99%"."""
    if chance < 0.01:
        return tr("under 1%")
    return tr("over 99%") if chance > 0.99 else tr("about {chance:.0%}", chance=chance)

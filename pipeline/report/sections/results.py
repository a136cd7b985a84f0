"""The sections on what was found: scores, curves, label multipliers, trajectories."""

import functools
import math
from collections.abc import Sequence

from pipeline.analysis.curves import FEWEST_POINTS
from pipeline.language import nouns, tr, translated
from pipeline.records import (
    BEST_FROM_SCRATCH,
    ArmScore,
    CellResult,
    Contrast,
    Estimate,
    Findings,
    Multiplier,
    RivalChoice,
    Transferred,
)
from pipeline.report.figures.learning_curves import learning_curves
from pipeline.report.figures.panel import MOST_PANELS
from pipeline.report.figures.ratios import label_multipliers, window
from pipeline.report.figures.trajectories import trajectories
from pipeline.report.layout import Column, Entry, Section, Table, arm_entry, by_size, notes, size_entry, table
from pipeline.report.wording import (
    ALPHA,
    MINUS,
    MISSING,
    TIMES,
    behind,
    counting_validation,
    metric_name,
    p_value,
    plain,
    plural,
    ratio,
    ratio_span,
    ratio_text,
    scale_of,
)


def headline(findings: Findings) -> Section:
    """Mean scores on the in-domain test, sizes down and arms across, and the differences between arms."""
    scores = [s for s in findings.scores if s.role == "in_domain"]
    tables = [score_table(findings, scores)] if scores else []
    own = {s.dataset for s in scores}
    contrasts = [c for c in findings.contrasts if c.dataset in own]
    if contrasts:
        tables.append(contrast_table(findings, contrasts))
    if findings.choices:
        tables.append(_choice_table(findings))
    shown = [s.estimate for s in scores] + [c.estimate for c in contrasts]
    return Section(
        anchor="scores",
        title=tr("Scores"),
        lead="" if scores else tr("No cell has finished, so there is no score to show."),
        tables=tuple(tables),
        bullets=notes(shown),
    )


def score_table(findings: Findings, scores: Sequence[ArmScore]) -> Table:
    """Mean scores on one evaluation set with their intervals; the best of each size stands out."""
    scale, first = scale_of(scores[0].metric), scores[0]
    by_place = {(s.size, s.arm): s for s in scores}
    arms = [a for a in findings.scored_arms if any(s.arm == a for s in scores)]

    def cell(size: int | str, arm: str) -> Entry:
        if (size, arm) not in by_place:
            return Entry(MISSING)
        e = by_place[size, arm].estimate
        return Entry(scale.score(e.value), scale.span(e), strong=e.value == best.get(size))

    best = {size: _best(findings, [s.estimate.value for s in scores if s.size == size]) for size in findings.sizes}
    chance = (
        tr(" Chance: {score}.", score=scale.score(first.chance))
        if first.chance and first.chance == first.chance
        else ""
    )
    caption = tr(
        "Mean {metric} on {dataset}, with {intervals}.{chance}",
        metric=metric_name(first.metric),
        dataset=plain(translated(first.dataset), 40),
        intervals=behind(s.estimate for s in scores),
        chance=chance,
    )
    return by_size(findings, arms, cell, caption=caption)


def _best(findings: Findings, values: Sequence[float]) -> float | None:
    """The best of several values."""
    return (max if findings.higher_is_better else min)(values) if len(values) > 1 else None


def contrast_table(findings: Findings, contrasts: Sequence[Contrast]) -> Table:
    """Differences between arms with their intervals and p-values corrected by Holm."""
    scale = scale_of(contrasts[0].metric)
    by_place = {(c.size, _pair(c)): c for c in contrasts}
    unit = tr(" in points") if scale.unit else ""
    caption = tr(
        "Differences{unit}, paired by seed and item, with {intervals}; "
        "p after Holm's correction over all of the study's contrasts.",
        unit=unit,
        intervals=behind(c.estimate for c in contrasts),
    )
    pairs = list(dict.fromkeys(map(_pair, contrasts)))
    return by_size(findings, pairs, lambda size, pair: _contrast_entry(by_place.get((size, pair))), caption=caption)


def _pair(c: Contrast) -> str:
    return f"{plain(c.arm, 30)} {MINUS} {plain(c.against, 30)}"


def _contrast_entry(contrast: Contrast | None) -> Entry:
    if contrast is None:
        return Entry(MISSING)
    e, scale = contrast.estimate, scale_of(contrast.metric)
    p = e.p_holm if e.p_holm is not None else e.p
    said = "" if p is None else f"; p {p_value(p)}" if p < 0.001 else f"; p = {p_value(p)}"
    return Entry(scale.signed(e.value), scale.span(e, signed=True) + said)


def _choice_table(findings: Findings) -> Table:
    """How often each arm was the best from scratch."""
    columns: list[Column[RivalChoice]] = [
        Column(nouns(findings.counted), lambda c: size_entry(findings, c.size), words=True),
        *(Column(arm, functools.partial(_chosen, arm)) for arm in findings.arms if arm in findings.choices[0].shares),
    ]
    caption = tr(
        "{arm}: in how many seeds each arm was the best on the validation set. Its test scores are "
        "those of the arm chosen.",
        arm=BEST_FROM_SCRATCH,
    )
    return table(findings.choices, columns, caption=caption)


def _chosen(arm: str, choice: RivalChoice) -> str:
    return tr("{number} of {seeds}", number=choice.shares[arm], seeds=len(choice.seeds))


def curves(findings: Findings) -> Section:
    """Learning curves, a panel per evaluation set."""
    return Section(
        anchor="curves",
        title=tr("Learning curves"),
        lead=tr(
            "Mean {metric} against the number of training {labels}, on a logarithmic axis.",
            metric=metric_name(findings.metric),
            labels=nouns(findings.counted),
        ),
        panels=learning_curves(findings),
        caption=tr(
            "Bars are intervals over seeds and items together. The dotted line, if any, is chance. "
            "Marks of different arms are set slightly apart so that their bars can be distinguished."
        ),
    )


def multipliers(findings: Findings) -> Section:
    """Label multipliers with censoring shown, and effective data transferred."""
    counted = findings.counted
    title = tr("Label multipliers") if counted == "label" else tr("Text multipliers")
    if not findings.multipliers:
        said = tr(
            "No {label} multiplier: it needs an arm from a pretrained start, a scratch arm and two sizes at least.",
            label=nouns(counted, 1),
        )
        return Section(anchor="multipliers", title=title, lead=said)
    v = max(m.validation_labels for m in findings.multipliers)
    return Section(
        anchor="multipliers",
        title=title,
        lead=tr(
            "How many times the training {labels} the other arm needs to reach the same score. "
            "It counts training {labels} only. Every arm also had {validation}: the last column "
            "of the table counts them in, (N* + V) / (n + V).",
            labels=nouns(counted),
            validation=plural(v, f"validation {counted}"),
        ),
        panels=label_multipliers(findings),
        caption=tr(
            "The pale track is what the sizes of this study can measure; an arrow at its end means "
            "“at least” or “at most”, never a number read beyond the data."
        ),
        tables=(_multiplier_table(findings, findings.multipliers),),
        bullets=notes(m.estimate for m in findings.multipliers) + tuple(map(_transferred, findings.transferred)),
    )


def _multiplier_table(findings: Findings, rows: Sequence[Multiplier]) -> Table:
    columns: list[Column[Multiplier]] = [
        Column(tr("arm"), lambda m: arm_entry(m.arm), words=True),
        Column(tr("against"), lambda m: plain(m.against, 40), words=True),
        Column(nouns(findings.counted), lambda m: size_entry(findings, m.size)),
        Column(tr("multiplier"), lambda m: f"{ratio_text(m.estimate.value, m.censored)}{TIMES}"),
        Column(tr("interval"), lambda m: ratio_span(m.estimate, *window(findings, m.size, m.against))),
        Column(tr("tested"), _tested),
        Column(tr("with validation"), lambda m: f"{ratio_text(_with_validation(m), m.censored)}{TIMES}"),
    ]
    caption = tr(
        "{labels} the second arm needs for the first one's score, over the first "
        "one's; {intervals}. Tested: what differences from the sizes alone leave.",
        labels=nouns(findings.counted).capitalize(),
        intervals=behind(m.estimate for m in rows),
    )
    return table(rows, columns, caption=caption, inline=True)


def _tested(m: Multiplier) -> str:
    if math.isinf(m.tested_high):
        return f"> {ratio(m.tested_low)}" if m.tested_low else MISSING
    return (
        tr("{low} to {high}", low=ratio(m.tested_low), high=ratio(m.tested_high))
        if m.tested_low
        else f"< {ratio(m.tested_high)}"
    )


def _with_validation(m: Multiplier) -> float:
    return counting_validation(m.estimate.value, m.labels, m.validation_labels)


def _transferred(t: Transferred) -> str:
    pair = tr("Effective data transferred, {arm} over {against}", arm=plain(t.arm, 40), against=plain(t.against, 40))
    if t.k is None or t.alpha is None:
        return tr(
            "{pair}: not fitted. {points} of {sizes} have an uncensored positive "
            "D = N* {minus} n; a fit needs {fewest}.",
            pair=pair,
            points=t.points,
            sizes=plural(t.sizes, "size"),
            minus=MINUS,
            fewest=FEWEST_POINTS,
        )
    usable = "" if t.usable is None else tr(" {share:.0%} of the replicates allow the fit.", share=t.usable)
    return tr(
        "{pair}: D(n) = k·n^{alpha} with k = {k:.3g} ({k_span}) and {alpha} = {exponent:.2f} "
        "({exponent_span}), fitted on {sizes}. It holds for this pair of domains alone.{usable}",
        pair=pair,
        alpha=ALPHA,
        k=t.k.value,
        k_span=_ends(t.k),
        exponent=t.alpha.value,
        exponent_span=_ends(t.alpha),
        sizes=plural(t.points, "size"),
        usable=usable,
    )


def _ends(estimate: Estimate) -> str:
    """The interval of a fitted constant."""
    known = math.isfinite(estimate.low) and math.isfinite(estimate.high)
    return tr("{low:.3g} to {high:.3g}", low=estimate.low, high=estimate.high) if known else tr("no interval")


def tracks(findings: Findings, cells: Sequence[CellResult]) -> Section:
    """Trajectories, a panel per size."""
    panels = trajectories(findings, cells)
    more = (
        tr(" Of {all} sizes, {shown} are drawn.", all=len(findings.sizes), shown=MOST_PANELS)
        if len(findings.sizes) > MOST_PANELS
        else ""
    )
    target = tr(" The dashed line is the target that cost to target refers to.") if findings.target is not None else ""
    return Section(
        anchor="trajectories",
        title=tr("Trajectories"),
        lead=tr(
            "Validation {metric} as training goes on: the mean over seeds, in a band from the "
            "lowest seed to the highest.",
            metric=metric_name(findings.metric),
        ),
        panels=panels,
        caption=tr(
            "The axis is linear up to the first evaluation after step 0 and logarithmic from there. A run that has "
            "stopped keeps its last score.{target}{more}",
            target=target,
            more=more,
        ),
    )

"""The sections on what it costs and how far it carries: cost to target, early accuracy, other domains, costs."""

from collections.abc import Sequence

from pipeline.language import nouns, numeral, tr, translated, translated_sentence
from pipeline.records import ArmCost, CostToTarget, EarlyAccuracy, Estimate, Findings, Gap, MachineCost
from pipeline.report.about import About
from pipeline.report.figures.early_accuracy import early_accuracy
from pipeline.report.figures.ratios import costs_to_target
from pipeline.report.layout import Column, Entry, Section, Table, arm_entry, by_size, notes, size_entry, table
from pipeline.report.sections.results import contrast_table, score_table
from pipeline.report.wording import (
    MISSING,
    TIMES,
    behind,
    byte_size,
    count,
    duration,
    flops,
    plain,
    plural,
    ratio_span,
    ratio_text,
    scale_of,
    short_count,
)


def to_target(findings: Findings) -> Section:
    """Ratios of the cost to reach the target, bounds where a seed never does."""
    ratios = findings.costs_to_target
    if not ratios:
        said = tr("The study states no target score (study.target), or no arm was compared on it.")
        return Section(anchor="cost-to-target", title=tr("Cost to target"), lead=said)
    target = scale_of(findings.metric).score(ratios[0].target)
    return Section(
        anchor="cost-to-target",
        title=tr("Cost to target"),
        lead=tr(
            "How many times the cost the second arm pays to reach a validation score of {target}: above "
            "{no_difference}, the first arm is cheaper. Reached means two evaluations in a row; "
            "evaluation itself is not charged.",
            target=target,
            no_difference=f"1{TIMES}",
        ),
        panels=costs_to_target(findings, "flops") or costs_to_target(findings, ratios[0].unit),
        caption=tr("FLOPs to target, geometric mean over seeds; a bound where a seed never reaches the target."),
        tables=(_cost_ratio_table(findings, ratios),),
        bullets=notes(c.estimate for c in ratios),
    )


def _cost_ratio_table(findings: Findings, ratios: Sequence[CostToTarget]) -> Table:
    order = list(dict.fromkeys(_pair(c) for c in ratios))
    levels = tr(" and ").join(f"{numeral(100 * x, '.3g')}%" for x in sorted({c.estimate.level for c in ratios}))
    columns: list[Column[CostToTarget]] = [
        Column(tr("arm"), lambda c: arm_entry(c.arm), words=True),
        Column(tr("against"), lambda c: plain(c.against, 40), words=True),
        Column(tr("unit"), lambda c: translated(plain(c.unit, 20)), words=True),
        Column(nouns(findings.counted), lambda c: size_entry(findings, c.size)),
        Column(tr("ratio"), lambda c: ratio_text(c.estimate.value, c.censored)),
        Column(tr("interval"), lambda c: ratio_span(c.estimate)),
        Column(
            tr("seeds that never reach it"),
            lambda c: tr(
                "{censored_arm} and {censored_against} of {seeds}",
                censored_arm=c.censored_arm,
                censored_against=c.censored_against,
                seeds=c.estimate.seeds,
            ),
        ),
    ]
    caption = tr("Cost of the second arm over cost of the first, with {levels} intervals over seeds.", levels=levels)
    return table(sorted(ratios, key=lambda c: order.index(_pair(c))), columns, caption=caption, inline=True)


def _pair(c: CostToTarget) -> tuple[str, str, str]:
    return c.arm, c.against, c.unit


def early(findings: Findings) -> Section:
    """Accuracy before and soon after the start, and the area under the trajectory."""
    if not findings.early:
        return Section(anchor="early", title=tr("Early accuracy"), lead=tr("No trajectory was recorded."))
    after = count(findings.early[0].early_examples)
    return Section(
        anchor="early",
        title=tr("Early accuracy"),
        lead=tr(
            "Validation {metric} before the first step and after {after} training examples.",
            metric=translated(plain(findings.metric, 40).replace("_", " ")),
            after=after,
        ),
        panels=early_accuracy(findings),
        caption=tr(
            "Hollow mark: before training. Filled mark: after {after} examples, on a bar that is its interval.",
            after=after,
        ),
        tables=(_early_table(findings, findings.early),),
        bullets=notes(e.early for e in findings.early),
    )


def _early_table(findings: Findings, areas: Sequence[EarlyAccuracy]) -> Table:
    scale = scale_of(findings.metric)

    def shown(estimate: Estimate) -> Entry:
        return Entry(scale.score(estimate.value), scale.span(estimate))

    columns: list[Column[EarlyAccuracy]] = [
        Column(tr("arm"), lambda e: arm_entry(e.arm), words=True),
        Column(nouns(findings.counted), lambda e: size_entry(findings, e.size)),
        Column(tr("before training"), lambda e: shown(e.untrained)),
        Column(
            tr("after {number} examples", number=count(areas[0].early_examples)),
            lambda e: shown(e.early),
        ),
        Column(tr("area"), lambda e: shown(e.area)),
    ]
    caption = tr(
        "With {intervals}. The area is the mean height of the trajectory.", intervals=behind(e.early for e in areas)
    )
    return table(areas, columns, caption=caption, inline=True)


def other_domains(findings: Findings) -> Section:
    """Scores out of domain, differences there and the generalisation gaps."""
    names = list(dict.fromkeys(s.dataset for s in findings.scores if s.role == "out_of_domain"))
    tables: list[Table] = []
    for name in names:
        tables.append(score_table(findings, [s for s in findings.scores if s.dataset == name]))
        contrasts = [c for c in findings.contrasts if c.dataset == name]
        tables.extend([contrast_table(findings, contrasts)] if contrasts else [])
    tables.extend(_gap_table(findings, d) for d in dict.fromkeys(g.dataset for g in findings.gaps))
    lead = "" if tables else tr("The task has no out-of-domain set (task.out_of_domain).")
    said = notes(g.estimate for g in findings.gaps)
    return Section(anchor="out-of-domain", title=tr("Out of domain"), lead=lead, tables=tuple(tables), bullets=said)


def _gap_table(findings: Findings, dataset: str) -> Table:
    gaps = {(g.size, g.arm): g for g in findings.gaps if g.dataset == dataset}
    arms = [a for a in findings.scored_arms if any(arm == a for _, arm in gaps)]
    unit = scale_of(findings.metric).unit
    sides = (
        tr("train minus in-domain")
        if dataset == "train"
        else tr("in-domain minus {dataset}", dataset=plain(dataset, 40))
    )
    faint = "" if all(g.above_chance for g in gaps.values()) else tr(" “At chance”: the gap has no meaning there.")
    caption = tr(
        "Generalisation gap, {sides}{unit}, with  {intervals}.{faint}",
        sides=sides,
        unit=unit and tr(", in points"),
        intervals=behind(g.estimate for g in gaps.values()),
        faint=faint,
    )
    return by_size(findings, arms, lambda size, arm: _gap_entry(findings, gaps.get((size, arm))), caption=caption)


def _gap_entry(findings: Findings, gap: Gap | None) -> Entry:
    if gap is None:
        return Entry(MISSING)
    scale = scale_of(findings.metric)
    sub = scale.span(gap.estimate, signed=True) + ("" if gap.above_chance else tr("; at chance"))
    return Entry(scale.signed(gap.estimate.value), sub)


def costs(findings: Findings, about: About) -> Section:
    """What each arm costs at each size, on any machine and on this one."""
    lead = tr("Means over seeds of one training. FLOPs count two per multiply-add, padding left out.")
    tables = (_cost_table(findings), *_measured_table(findings, about)) if findings.costs else ()
    return Section(
        anchor="costs", title=tr("Costs"), lead=lead if tables else tr("No cell has finished."), tables=tables
    )


def _cost_table(findings: Findings) -> Table:
    unit = scale_of(findings.metric)
    columns: list[Column[ArmCost]] = [
        Column(tr("arm"), lambda c: arm_entry(c.arm), words=True),
        Column(nouns(findings.counted), lambda c: size_entry(findings, c.size)),
        Column(tr("computation"), lambda c: flops(c.flops)),
        Column(
            tr("examples seen"),
            lambda c: Entry(count(c.examples), tr("in {steps}", steps=plural(round(c.steps), "step"))),
        ),
        Column(
            tr("parameters trained"),
            lambda c: Entry(short_count(c.trained_parameters), tr("of {number}", number=short_count(c.parameters))),
        ),
        Column(tr("stored"), lambda c: byte_size(c.stored_bytes)),
        Column(tr("late gain"), lambda c: MISSING if c.converged_gain is None else unit.signed(c.converged_gain)),
        Column(tr("kept step 0"), lambda c: MISSING if c.kept_start is None else numeral(c.kept_start, ".0%")),
    ]
    last = tr(
        "validation score, mean of the last quarter of the steps minus the one before{unit}",
        unit=unit.unit and tr(", in points"),
    )
    caption = tr(
        "Cost of one training on any machine. Late gain: {last}; near 0, the training had converged. "
        "Kept step 0: the share of cells whose best validation point is the start.",
        last=last,
    )
    return table(findings.costs, columns, caption=caption, inline=True)


def _measured_table(findings: Findings, about: About) -> tuple[Table, ...]:
    if not findings.measured.costs:
        return ()

    def size(known: float | None) -> str:
        return MISSING if known is None else byte_size(known)

    columns: list[Column[MachineCost]] = [
        Column(tr("arm"), lambda c: arm_entry(c.arm), words=True),
        Column(nouns(findings.counted), lambda c: size_entry(findings, c.size)),
        Column(tr("time"), lambda c: duration(c.seconds)),
        Column(tr("peak memory"), lambda c: size(c.peak_memory_bytes)),
        Column(tr("the training's"), lambda c: size(c.training_memory_bytes)),
        Column(tr("planned"), lambda c: size(c.planned_memory_bytes)),
    ]
    caption = tr(
        "Measured on this machine ({machine}), {cells} at a time. "
        "Of the peak of memory, libraries take the same in every arm; the rest is the training's, and was planned.",
        machine=plain(translated_sentence(about.machine), 200),
        cells=plural(about.concurrency, "cell"),
    )
    return (table(findings.measured.costs, columns, caption=caption, inline=True),)

"""The sections on what it costs and how far it carries: cost to target, early accuracy, other domains, costs."""

from collections.abc import Sequence

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
        said = "The study states no target score (study.target), or no arm was compared on it."
        return Section(anchor="cost-to-target", title="Cost to target", lead=said)
    target = scale_of(findings.metric).score(ratios[0].target)
    return Section(
        anchor="cost-to-target",
        title="Cost to target",
        lead=f"How many times the cost the second arm pays to reach a validation score of {target}: above 1{TIMES}, "
        "the first arm is cheaper. Reached means two evaluations in a row; evaluation itself is not charged.",
        panels=costs_to_target(findings, "flops") or costs_to_target(findings, ratios[0].unit),
        caption="FLOPs to target, geometric mean over seeds; a bound where a seed never reaches the target.",
        tables=(_cost_ratio_table(findings, ratios),),
        bullets=notes(c.estimate for c in ratios),
    )


def _cost_ratio_table(findings: Findings, ratios: Sequence[CostToTarget]) -> Table:
    order = list(dict.fromkeys(_pair(c) for c in ratios))
    levels = " and ".join(f"{100 * x:.3g}%" for x in sorted({c.estimate.level for c in ratios}))
    columns: list[Column[CostToTarget]] = [
        Column("arm", lambda c: arm_entry(c.arm), words=True),
        Column("against", lambda c: plain(c.against, 40), words=True),
        Column("unit", lambda c: plain(c.unit, 20), words=True),
        Column(f"{findings.counted}s", lambda c: size_entry(findings, c.size)),
        Column("ratio", lambda c: ratio_text(c.estimate.value, c.censored)),
        Column("interval", lambda c: ratio_span(c.estimate)),
        Column(
            "seeds that never reach it",
            lambda c: f"{c.censored_arm} and {c.censored_against} of {c.estimate.seeds}",
        ),
    ]
    caption = f"Cost of the second arm over cost of the first, with {levels} intervals over seeds."
    return table(sorted(ratios, key=lambda c: order.index(_pair(c))), columns, caption=caption, inline=True)


def _pair(c: CostToTarget) -> tuple[str, str, str]:
    return c.arm, c.against, c.unit


def early(findings: Findings) -> Section:
    """Accuracy before and soon after the start, and the area under the trajectory."""
    if not findings.early:
        return Section(anchor="early", title="Early accuracy", lead="No trajectory was recorded.")
    after = count(findings.early[0].early_examples)
    return Section(
        anchor="early",
        title="Early accuracy",
        lead=f"Validation {plain(findings.metric, 40).replace('_', ' ')} before the first step and after {after} "
        "training examples.",
        panels=early_accuracy(findings),
        caption=f"Hollow mark: before training. Filled mark: after {after} examples, on a bar that is its interval.",
        tables=(_early_table(findings, findings.early),),
        bullets=notes(e.early for e in findings.early),
    )


def _early_table(findings: Findings, areas: Sequence[EarlyAccuracy]) -> Table:
    scale = scale_of(findings.metric)

    def shown(estimate: Estimate) -> Entry:
        return Entry(scale.score(estimate.value), scale.span(estimate))

    columns: list[Column[EarlyAccuracy]] = [
        Column("arm", lambda e: arm_entry(e.arm), words=True),
        Column(f"{findings.counted}s", lambda e: size_entry(findings, e.size)),
        Column("before training", lambda e: shown(e.untrained)),
        Column(f"after {count(areas[0].early_examples)} examples", lambda e: shown(e.early)),
        Column("area", lambda e: shown(e.area)),
    ]
    caption = f"With {behind(e.early for e in areas)}. The area is the mean height of the trajectory."
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
    lead = "" if tables else "The task has no out-of-domain set (task.out_of_domain)."
    said = notes(g.estimate for g in findings.gaps)
    return Section(anchor="out-of-domain", title="Out of domain", lead=lead, tables=tuple(tables), bullets=said)


def _gap_table(findings: Findings, dataset: str) -> Table:
    gaps = {(g.size, g.arm): g for g in findings.gaps if g.dataset == dataset}
    arms = [a for a in findings.scored_arms if any(arm == a for _, arm in gaps)]
    unit = scale_of(findings.metric).unit
    sides = "train minus in-domain" if dataset == "train" else f"in-domain minus {plain(dataset, 40)}"
    faint = "" if all(g.above_chance for g in gaps.values()) else " “At chance”: the gap has no meaning there."
    caption = (
        f"Generalisation gap, {sides}{unit and f', in{unit}'}, with "
        f" {behind(g.estimate for g in gaps.values())}.{faint}"
    )
    return by_size(findings, arms, lambda size, arm: _gap_entry(findings, gaps.get((size, arm))), caption=caption)


def _gap_entry(findings: Findings, gap: Gap | None) -> Entry:
    if gap is None:
        return Entry(MISSING)
    scale = scale_of(findings.metric)
    sub = scale.span(gap.estimate, signed=True) + ("" if gap.above_chance else "; at chance")
    return Entry(scale.signed(gap.estimate.value), sub)


def costs(findings: Findings, about: About) -> Section:
    """What each arm costs at each size, on any machine and on this one."""
    lead = "Means over seeds of one training. FLOPs count two per multiply-add, padding left out."
    tables = (_cost_table(findings), *_measured_table(findings, about)) if findings.costs else ()
    return Section(anchor="costs", title="Costs", lead=lead if tables else "No cell has finished.", tables=tables)


def _cost_table(findings: Findings) -> Table:
    unit = scale_of(findings.metric)
    columns: list[Column[ArmCost]] = [
        Column("arm", lambda c: arm_entry(c.arm), words=True),
        Column(f"{findings.counted}s", lambda c: size_entry(findings, c.size)),
        Column("computation", lambda c: flops(c.flops)),
        Column("examples seen", lambda c: Entry(count(c.examples), f"in {plural(round(c.steps), 'step')}")),
        Column(
            "parameters trained",
            lambda c: Entry(short_count(c.trained_parameters), f"of {short_count(c.parameters)}"),
        ),
        Column("stored", lambda c: byte_size(c.stored_bytes)),
        Column("late gain", lambda c: MISSING if c.converged_gain is None else unit.signed(c.converged_gain)),
        Column("kept step 0", lambda c: MISSING if c.kept_start is None else f"{c.kept_start:.0%}"),
    ]
    last = f"validation score, mean of the last quarter of the steps minus the one before{unit.unit and ', in points'}"
    caption = (
        f"Cost of one training on any machine. Late gain: {last}; near 0, the training had converged. "
        "Kept step 0: the share of cells whose best validation point is the start."
    )
    return table(findings.costs, columns, caption=caption, inline=True)


def _measured_table(findings: Findings, about: About) -> tuple[Table, ...]:
    if not findings.measured.costs:
        return ()

    def size(known: float | None) -> str:
        return MISSING if known is None else byte_size(known)

    columns: list[Column[MachineCost]] = [
        Column("arm", lambda c: arm_entry(c.arm), words=True),
        Column(f"{findings.counted}s", lambda c: size_entry(findings, c.size)),
        Column("time", lambda c: duration(c.seconds)),
        Column("peak memory", lambda c: size(c.peak_memory_bytes)),
        Column("the training's", lambda c: size(c.training_memory_bytes)),
        Column("planned", lambda c: size(c.planned_memory_bytes)),
    ]
    caption = (
        f"Measured on this machine ({plain(about.machine, 200)}), {plural(about.concurrency, 'cell')} at a time. "
        "Of the peak of memory, libraries take the same in every arm; the rest is the training's, and was planned."
    )
    return (table(findings.measured.costs, columns, caption=caption, inline=True),)

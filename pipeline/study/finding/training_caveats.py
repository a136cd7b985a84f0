"""What the comparison does not show of how arms were trained: recipes, convergence and pretraining, in sentences."""

import math
from collections.abc import Iterator, Sequence

from pipeline.analysis.breakeven import tasks_to_break_even
from pipeline.config.schema import Base
from pipeline.language import Sentence, Value, in_brackets, listed, said
from pipeline.records import ArmCost, CellResult, SweepRecord
from pipeline.records.metrics import amount
from pipeline.study.finding.basis import Basis
from pipeline.study.finding.costs import arm_of, target_costs
from pipeline.study.finding.table import Table
from pipeline.study.looks import BASELINE
from pipeline.study.verdicts.obstacles import CONVERGED, FALLING

KEPT_STARTS = 1 / 3  # share of cells that kept their start, above which it is said


def training_caveats(basis: Basis, table: Table, costs: Sequence[ArmCost]) -> Iterator[Sentence]:
    """Recipes, convergence, and pretraining."""
    yield from _recipes(basis.tuned)
    yield from _convergence(costs, table.metric)
    yield from _kept_starts(costs)
    yield from _own_text(basis.pretrained)
    bases = (basis.base, *basis.others)
    for base in bases:
        yield from _pretraining(table, base, _arms_on(base, bases, table))


def _recipes(tuned: Sequence[SweepRecord]) -> Iterator[Sentence]:
    if not tuned:
        yield said("Recipes are fixed for each arm, not tuned on this task; another recipe may change the differences.")
        return
    first = tuned[0]
    yield said(
        "Recipes were tuned on validation with {trials} trials for each arm ({sampler}); more trials or another space "
        "may change the differences.",
        trials=first.asked,
        sampler=first.sampler,
    )
    for record in tuned:
        if not record.best:
            yield said(
                "No trial of {arm} at n={size} has a result: it kept its own recipe.", arm=record.arm, size=record.size
            )


def _convergence(costs: Sequence[ArmCost], metric: str) -> Iterator[Sentence]:
    for cost in costs:
        if cost.converged_gain is not None and cost.converged_gain >= CONVERGED:
            yield said(
                "{arm} n={size} had not converged: it still gained {gained} over the last quarter of its steps. Longer "
                "training may {may}.",
                arm=cost.arm,
                size=cost.size,
                gained=amount(cost.converged_gain, metric),
                may=said("narrow the difference" if cost.arm == BASELINE else "change the differences"),
            )
    for arm in dict.fromkeys(cost.arm for cost in costs):
        open_ = [c for c in costs if c.arm == arm and c.converged_gain is None and c.late_loss_fall is not None]
        short = {c: c.late_loss_fall for c in open_ if c.late_loss_fall is not None and c.late_loss_fall >= FALLING}
        if short:
            falls = sorted({f"{100 * fall:.0f}" for fall in short.values()}, key=float)
            least, most = falls[0], falls[-1]
            yield said(
                "{arm} n={sizes} may have been trained for too short: its loss on validation still fell by {falls}% "
                "over the last quarter of its steps. Twice as many for every arm, which may change the differences: "
                "train.min_steps={steps}.",
                arm=arm,
                sizes=", ".join(str(cost.size) for cost in short),
                falls=least if least == most else said("{least} to {most}", least=least, most=most),
                steps=round(2 * max(cost.steps for cost in short)),
            )


def _kept_starts(costs: Sequence[ArmCost]) -> Iterator[Sentence]:
    """Where training added nothing to the head that an arm begins with."""
    for arm in dict.fromkeys(cost.arm for cost in costs):
        idle = [c for c in costs if c.arm == arm and c.kept_start is not None and c.kept_start > KEPT_STARTS]
        if idle:
            shares = listed(said("{share:.0%} at n={size}", share=c.kept_start, size=c.size) for c in idle)
            yield said(
                "Training added nothing to the start of {arm} in many cells: the best point on validation was that "
                "before the first step in {shares}. There its score is that of the head it begins with.",
                arm=arm,
                shares=shares,
            )


def _own_text(pretrained: Sequence[CellResult]) -> Iterator[Sentence]:
    for result in pretrained:
        yield said(
            "{arm} first read {texts:,} training texts without their labels, {examples:,} examples in all, which other "
            "arms do not; its loss on validation came to {loss:.3g} nats. These {flops:.2g} FLOPs are part of the "
            "computation of each of its cells, but of no comparison of costs, as a base's pretraining is not; its time "
            "and memory are in neither. One such training serves all sizes and seeds: how others would have turned out "
            "is not in the intervals.",
            arm=arm_of(result),
            texts=result.train_items,
            examples=result.cost.examples,
            loss=_lowest_loss(result),
            flops=result.cost.flops,
        )


def _lowest_loss(result: CellResult) -> float:
    return min(point.validation_loss for point in result.trajectory)


def _arms_on(base: Base, bases: Sequence[Base], table: Table) -> list[str]:
    """The study's arms on this one of its bases."""
    on = {cell.key.arm for cell in table.all_cells() if len(bases) == 1 or cell.key.base == base.name}
    return [arm for arm in table.study.arms if arm in on]


def _pretraining(table: Table, base: Base, arms: Sequence[str]) -> Iterator[Sentence]:
    name = base.name or said("the base")
    if base.pretraining_flops is None:
        yield said("The cost of pretraining {base} is unknown and is charged to no arm.", base=name)
        return
    yield said(
        "The cost of pretraining {base}, about {flops:.2g} FLOPs{source}, is charged to no arm{paid_back}.",
        base=name,
        flops=base.pretraining_flops,
        source=in_brackets(base.pretraining_source or ""),
        paid_back=_paid_back(table, base.pretraining_flops, arms),
    )


def _paid_back(table: Table, pretraining: float, arms: Sequence[str]) -> Value:
    """After how many such tasks, for the first of the arms and the largest size where every seed gets there."""
    for arm in arms:
        for size in reversed(table.curve_sizes(arm)):
            spent = target_costs(table, arm, BASELINE, size, "flops") if arm != BASELINE else None
            if spent:
                tasks = tasks_to_break_even(pretraining, *spent)
                at = {"arm": arm, "against": BASELINE, "size": size}
                if math.isinf(tasks):
                    return said(
                        "; it is never paid back where {arm} and {against} are trained to the target at n={size}", **at
                    )
                return said(
                    "; it is paid back after {tasks:,.0f} such tasks where {arm} and {against} are trained to the "
                    "target at n={size}",
                    tasks=tasks,
                    **at,
                )
    return ""

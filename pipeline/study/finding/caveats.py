"""What the comparison does not show, in sentences."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.analysis.breakeven import tasks_to_break_even
from pipeline.config.schema import Base, Task
from pipeline.language import Sentence, Value, all_of, first_of, listed, said, set_name
from pipeline.records import BEST_FROM_SCRATCH, ArmCost, CellResult, FailedCell, SweepRecord, Verdict
from pipeline.records.metrics import amount
from pipeline.study.finding.basis import Basis
from pipeline.study.finding.costs import arm_of, target_costs
from pipeline.study.finding.estimates import SMALL_SHARE
from pipeline.study.finding.progress import lacking, left_out
from pipeline.study.finding.table import Table
from pipeline.study.looks import BASELINE, looks_of
from pipeline.study.verdicts.obstacles import CONVERGED, FALLING

ENOUGH_SEEDS = 5
UNKNOWN = 0.05  # share of a set's tokens that its base's tokenizer does not know
KEPT_STARTS = 1 / 3  # share of cells that kept their start, above which it is said
SEEN = {
    "known_seen": "{base} is known to have seen the test text in pretraining{note}.",
    "known_unseen": "{base} is known not to have seen the test text in pretraining{note}.",
    "unknown": "{base} may have seen the test text in pretraining: it is not known{note}.",
}


def caveats(basis: Basis, table: Table, verdicts: Sequence[Verdict], costs: Sequence[ArmCost]) -> tuple[Sentence, ...]:
    """Every condition and limit that a reader of the findings must know."""
    bases = (basis.base, *basis.others)
    return (
        *_missing(table, verdicts, basis.failed),
        *_looks(table, verdicts),
        *_bases(bases, basis.task),
        *_unknown_tokens(table),
        *_left_over(table),
        *_design(table),
        *_recipes(basis.tuned),
        *_convergence(costs, table.metric),
        *_kept_starts(costs),
        *_own_text(basis.pretrained),
        *(sentence for base in bases for sentence in _pretraining(table, base, _arms_on(base, bases, table))),
    )


def validation_labels(table: Table) -> int:
    """V, the labels of the validation set that every arm used beside its training labels; 0 without cells."""
    cells = (cell for group in table.cells.values() for cell in group.values())
    return max((e.items for cell in cells for e in cell.evaluations if e.role == "validation"), default=0)


def _missing(table: Table, verdicts: Sequence[Verdict], failed: Sequence[FailedCell]) -> Iterator[Sentence]:
    gone = Counter((arm, size) for arm, size, _ in lacking(table, verdicts))
    if gone:
        total = gone.total()
        shown = [f"{arm} n={size}: {count}" for (arm, size), count in gone.items()]
        yield said(
            "{missing} of {all} cells have no result, {failed} of them failed ({cells}). Tables use the seeds that all "
            "cells of a comparison share. A claim is judged only when all its cells of a look are finished.",
            missing=total,
            all=len(table.all_cells()) + total,
            failed=len(failed),
            cells=first_of(shown, 6, "; "),
        )


def _looks(table: Table, verdicts: Sequence[Verdict]) -> Iterator[Sentence]:
    if len(looks_of(table.study)) == 1:
        return
    out = Counter((arm, size) for arm, size, _ in left_out(table, verdicts))
    if out:
        groups = ", ".join(f"{arm} n={size}" for arm, size in out)
        yield said(
            "{cells} cells were not trained, since no open claim reads them ({groups}). So rows of the tables rest on "
            "unlike numbers of seeds, and estimates that settled a claim early tend to be exaggerated.",
            cells=out.total(),
            groups=groups,
        )
    yield said(
        "Verdicts alone take account of the several looks: the intervals and p-values of the tables hold for one look "
        "at the seeds that they rest on."
    )


def _bases(bases: Sequence[Base], task: Task) -> Iterator[Sentence]:
    names = all_of(base.name or said("the base") for base in bases)
    if len(bases) == 1:
        yield said(
            "One pretrained checkpoint ({base}) was compared: this is no evidence about other checkpoints, or about "
            "its recipe.",
            base=names,
        )
    else:
        yield said(
            "{number} pretrained checkpoints ({bases}) were compared. They differ in architecture, tokenizer and "
            "pretraining at once: which of these makes a difference between them, this does not show.",
            number=len(bases),
            bases=names,
        )
    for base in bases:
        form = SEEN.get(base.test_text_seen, SEEN["unknown"])
        yield said(form, base=base.name or said("The base"), note=_in_brackets(base.test_text_note.rstrip(".")))
    yield said(
        "One task ({task}) with one split: other tasks and other splits may differ.", task=task.name or said("unnamed")
    )


def _in_brackets(text: str) -> Value:
    """A text of a preset, or of a user, after a blank; nothing where there is none."""
    return said(" ({text})", text=said(text)) if text else ""


def _unknown_tokens(table: Table) -> Iterator[Sentence]:
    """One sentence for each base: the tokenizer is the same in all of its arms."""
    shares: dict[str, dict[str, float]] = {}
    for cell in table.all_cells():
        shares.setdefault(cell.key.base, {}).update({e.dataset: e.unknown for e in cell.evaluations})
    for base, of_sets in shares.items():
        many = [
            said("{share:.0%} of the tokens of {set}", share=share, set=set_name(name))
            for name, share in of_sets.items()
            if share > UNKNOWN
        ]
        if many:
            yield said(
                "{shares} are unknown to the tokenizer of {base}: no arm on it can tell the words behind them apart. A "
                "base whose tokenizer was made for such text may do better.",
                shares=all_of(many),
                base=base or said("the base"),
            )


def _left_over(table: Table) -> Iterator[Sentence]:
    used = {cell.key.base or said("the base"): cell.checkpoint for cell in table.all_cells() if cell.checkpoint}
    for base, use in used.items():
        if use.undeclared:
            yield said(
                "The checkpoint of {base} holds more of the base than its config.json declares, fewer layers for "
                "example. It was left out, in every arm: {parts}. What was compared is that smaller network.",
                base=base,
                parts=first_of(use.undeclared, 4),
            )
        if use.other_parts:
            yield said(
                "The checkpoint of {base} holds other parts that its network does not have, and they were left out: "
                "{parts}.",
                base=base,
                parts=first_of(use.other_parts, 4),
            )


def _design(table: Table) -> Iterator[Sentence]:
    study = table.study
    labels = validation_labels(table)
    if labels:
        yield said(
            "Every arm also used {labels:,} validation {counted}s to choose its best point; {counted} counts and "
            "multipliers count training {counted}s alone.",
            labels=labels,
            counted=said(table.counted),
        )
    smaller = {cell.key.arm for cell in table.all_cells() if cell.start_line.shrink < 1}
    for arm in sorted(smaller):
        yield said(
            "{arm} is of a smaller architecture: its differences mix how a network starts with how large it is.",
            arm=arm,
        )
    if any(arm == BEST_FROM_SCRATCH for arm, _ in table.scored()):
        yield said(
            "{arm} is the best of {arms} on the validation set of each seed: differences from it mix how a model "
            "starts with which model it is, and finding it costs as much as training all of them.",
            arm=BEST_FROM_SCRATCH,
            arms=", ".join(table.from_scratch),
        )
    if "all" in study.sizes:
        yield said(
            'At size "all" seeds no longer vary the data: its intervals are conditional on this pool of examples.'
        )
    yield from _pool(table)
    if "frozen" in study.arms:
        yield said(
            "For frozen, seeds vary the subset and the head alone, so its spread is not that of a whole training."
        )
    yield from _unseen_failures(table)
    if len(study.seeds) < ENOUGH_SEEDS:
        yield said(
            "{seeds} seed(s): what varies from seed to seed is hardly known, so that intervals are wide. Use five or "
            "more.",
            seeds=len(study.seeds),
        )


def _pool(table: Table) -> Iterator[Sentence]:
    drawn = [table.drawn_from(size) for size in dict.fromkeys(size for _, size in table.groups()) if size != "all"]
    large = sorted({(items, pool) for items, pool in drawn if items > SMALL_SHARE * pool})
    if large:
        yield said(
            "Train subsets of all seeds come from one pool of {pool:,} {counted}s, of which each takes {shares}. There "
            "intervals and verdicts are on training with draws from this pool, and not with any other {counted}s of "
            "the kind.",
            pool=large[0][1],
            counted=said(table.counted),
            shares=listed(said("{share:.0%} at {items:,}", share=items / pool, items=items) for items, pool in large),
        )


def _unseen_failures(table: Table) -> Iterator[Sentence]:
    """What the seeds cannot rule out: trainings that fail so rarely that none did here."""
    seeds = len(table.study.seeds)
    if seeds > 1 and not table.failed:
        most = 1 - 0.05 ** (1 / seeds)
        yield said(
            "If none of {seeds} trainings fails, up to {most:.0%} of all such trainings may still fail (95% bound). "
            "Intervals know nothing of failures that did not occur.",
            seeds=seeds,
            most=most,
        )


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
        source=_in_brackets(base.pretraining_source or ""),
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

"""What the comparison does not show, in sentences."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.analysis.breakeven import tasks_to_break_even
from pipeline.config.schema import Base, Task
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
    "known_seen": "is known to have seen the test text in pretraining",
    "known_unseen": "is known not to have seen the test text in pretraining",
    "unknown": "may have seen the test text in pretraining: it is not known",
}


def caveats(basis: Basis, table: Table, verdicts: Sequence[Verdict], costs: Sequence[ArmCost]) -> tuple[str, ...]:
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


def _missing(table: Table, verdicts: Sequence[Verdict], failed: Sequence[FailedCell]) -> Iterator[str]:
    gone = Counter((arm, size) for arm, size, _ in lacking(table, verdicts))
    if gone:
        total = gone.total()
        shown = [f"{arm} n={size}: {count}" for (arm, size), count in gone.items()]
        more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
        yield (
            f"{total} of {len(table.all_cells()) + total} cells have no result, {len(failed)} of them failed "
            f"({'; '.join(shown[:6])}{more}). Tables use the seeds that all cells of a comparison share. A claim is "
            "judged only when all its cells of a look are finished."
        )


def _looks(table: Table, verdicts: Sequence[Verdict]) -> Iterator[str]:
    if len(looks_of(table.study)) == 1:
        return
    out = Counter((arm, size) for arm, size, _ in left_out(table, verdicts))
    if out:
        groups = ", ".join(f"{arm} n={size}" for arm, size in out)
        yield (
            f"{out.total()} cells were not trained, since no open claim reads them ({groups}). So rows "
            "of the tables rest on unlike numbers of seeds, and estimates that settled a claim early tend to be "
            "exaggerated."
        )
    yield (
        "Verdicts alone take account of the several looks: the intervals and p-values of the tables hold for one look "
        "at the seeds that they rest on."
    )


def _bases(bases: Sequence[Base], task: Task) -> Iterator[str]:
    names = " and ".join(base.name or "the base" for base in bases)
    if len(bases) == 1:
        yield (
            f"One pretrained checkpoint ({names}) was compared: this is no evidence about other checkpoints, or about "
            "its recipe."
        )
    else:
        yield (
            f"{len(bases)} pretrained checkpoints ({names}) were compared. They differ in architecture, tokenizer and "
            "pretraining at once: which of these makes a difference between them, this does not show."
        )
    for base in bases:
        note = f" ({base.test_text_note.rstrip('.')})" if base.test_text_note else ""
        yield f"{base.name or 'The base'} {SEEN.get(base.test_text_seen, SEEN['unknown'])}{note}."
    yield f"One task ({task.name or 'unnamed'}) with one split: other tasks and other splits may differ."


def _unknown_tokens(table: Table) -> Iterator[str]:
    """One sentence for each base: the tokenizer is the same in all of its arms."""
    shares: dict[str, dict[str, float]] = {}
    for cell in table.all_cells():
        shares.setdefault(cell.key.base, {}).update({e.dataset: e.unknown for e in cell.evaluations})
    for base, of_sets in shares.items():
        many = [f"{share:.0%} of the tokens of {name}" for name, share in of_sets.items() if share > UNKNOWN]
        if many:
            yield (
                f"{' and '.join(many)} are unknown to the tokenizer of {base or 'the base'}: no arm on it can tell the "
                "words behind them apart. A base whose tokenizer was made for such text may do better."
            )


def _left_over(table: Table) -> Iterator[str]:
    used = {cell.key.base or "the base": cell.checkpoint for cell in table.all_cells() if cell.checkpoint}
    for base, use in used.items():
        if use.undeclared:
            yield (
                f"The checkpoint of {base} holds more of the base than its config.json declares, fewer layers for "
                f"example. It was left out, in every arm: {_named(use.undeclared)}. What was compared is that smaller "
                "network."
            )
        if use.other_parts:
            yield (
                f"The checkpoint of {base} holds other parts that its network does not have, and they were left out: "
                f"{_named(use.other_parts)}."
            )


def _named(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - 4} more" if len(parts) > 4 else ""
    return f"{', '.join(parts[:4])}{more}"


def _design(table: Table) -> Iterator[str]:
    study = table.study
    labels = validation_labels(table)
    if labels:
        yield (
            f"Every arm also used {labels:,} validation {table.counted}s to choose its best point; "
            f"{table.counted} counts and multipliers count training {table.counted}s alone."
        )
    smaller = {cell.key.arm for cell in table.all_cells() if cell.start_line.shrink < 1}
    for arm in sorted(smaller):
        yield f"{arm} is of a smaller architecture: its differences mix how a network starts with how large it is."
    if any(arm == BEST_FROM_SCRATCH for arm, _ in table.scored()):
        yield (
            f"{BEST_FROM_SCRATCH} is the best of {', '.join(table.from_scratch)} on the validation set of each seed: "
            "differences from it mix how a model starts with which model it is, and finding it costs as much as "
            "training all of them."
        )
    if "all" in study.sizes:
        yield 'At size "all" seeds no longer vary the data: its intervals are conditional on this pool of examples.'
    yield from _pool(table)
    if "frozen" in study.arms:
        yield "For frozen, seeds vary the subset and the head alone, so its spread is not that of a whole training."
    yield from _unseen_failures(table)
    if len(study.seeds) < ENOUGH_SEEDS:
        yield (
            f"{len(study.seeds)} seed(s): what varies from seed to seed is hardly known, so that intervals are wide. "
            "Use five or more."
        )


def _pool(table: Table) -> Iterator[str]:
    drawn = [table.drawn_from(size) for size in dict.fromkeys(size for _, size in table.groups()) if size != "all"]
    large = sorted({(items, pool) for items, pool in drawn if items > SMALL_SHARE * pool})
    if large:
        shares = ", ".join(f"{items / pool:.0%} at {items:,}" for items, pool in large)
        yield (
            f"Train subsets of all seeds come from one pool of {large[0][1]:,} {table.counted}s, of which each takes "
            f"{shares}. There intervals and verdicts are on training with draws from this pool, and not with any other "
            f"{table.counted}s of the kind."
        )


def _unseen_failures(table: Table) -> Iterator[str]:
    """What the seeds cannot rule out: trainings that fail so rarely that none did here."""
    seeds = len(table.study.seeds)
    if seeds > 1 and not table.failed:
        most = 1 - 0.05 ** (1 / seeds)
        yield (
            f"If none of {seeds} trainings fails, up to {most:.0%} of all such trainings may still fail (95% bound). "
            "Intervals know nothing of failures that did not occur."
        )


def _recipes(tuned: Sequence[SweepRecord]) -> Iterator[str]:
    if not tuned:
        yield "Recipes are fixed for each arm, not tuned on this task; another recipe may change the differences."
        return
    first = tuned[0]
    yield (
        f"Recipes were tuned on validation with {first.asked} trials for each arm ({first.sampler}); more trials or "
        "another space may change the differences."
    )
    for record in tuned:
        if not record.best:
            yield f"No trial of {record.arm} at n={record.size} has a result: it kept its own recipe."


def _convergence(costs: Sequence[ArmCost], metric: str) -> Iterator[str]:
    for cost in costs:
        if cost.converged_gain is not None and cost.converged_gain >= CONVERGED:
            may = "narrow the difference" if cost.arm == BASELINE else "change the differences"
            gained = amount(cost.converged_gain, metric)
            yield (
                f"{cost.arm} n={cost.size} had not converged: it still gained {gained} over the last quarter of its "
                f"steps. Longer training may {may}."
            )
    for arm in dict.fromkeys(cost.arm for cost in costs):
        open_ = [c for c in costs if c.arm == arm and c.converged_gain is None and c.late_loss_fall is not None]
        short = {c: c.late_loss_fall for c in open_ if c.late_loss_fall is not None and c.late_loss_fall >= FALLING}
        if short:
            falls = sorted({f"{100 * fall:.0f}" for fall in short.values()}, key=float)
            yield (
                f"{arm} n={', '.join(str(cost.size) for cost in short)} may have been trained for too short: its loss "
                f"on validation still fell by {' to '.join(dict.fromkeys((falls[0], falls[-1])))}% over the last "
                "quarter of its steps. Twice as many for every arm, which may change the differences: "
                f"train.min_steps={round(2 * max(cost.steps for cost in short))}."
            )


def _kept_starts(costs: Sequence[ArmCost]) -> Iterator[str]:
    """Where training added nothing to the head that an arm begins with."""
    for arm in dict.fromkeys(cost.arm for cost in costs):
        idle = [c for c in costs if c.arm == arm and c.kept_start is not None and c.kept_start > KEPT_STARTS]
        if idle:
            shares = ", ".join(f"{c.kept_start:.0%} at n={c.size}" for c in idle)
            yield (
                f"Training added nothing to the start of {arm} in many cells: the best point on validation was that "
                f"before the first step in {shares}. There its score is that of the head it begins with."
            )


def _own_text(pretrained: Sequence[CellResult]) -> Iterator[str]:
    for result in pretrained:
        arm = arm_of(result)
        yield (
            f"{arm} first read {result.train_items:,} training texts without their labels, {result.cost.examples:,} "
            f"examples in all, which other arms do not; its loss on validation came to {_lowest_loss(result):.3g} "
            f"nats. These {result.cost.flops:.2g} FLOPs are part of the computation of each of its cells, but of no "
            "comparison of costs, as a base's pretraining is not; its time and memory are in neither. One such "
            "training serves all sizes and seeds: how others would have turned out is not in the intervals."
        )


def _lowest_loss(result: CellResult) -> float:
    return min(point.validation_loss for point in result.trajectory)


def _arms_on(base: Base, bases: Sequence[Base], table: Table) -> list[str]:
    """The study's arms on this one of its bases."""
    on = {cell.key.arm for cell in table.all_cells() if len(bases) == 1 or cell.key.base == base.name}
    return [arm for arm in table.study.arms if arm in on]


def _pretraining(table: Table, base: Base, arms: Sequence[str]) -> Iterator[str]:
    name = base.name or "the base"
    if base.pretraining_flops is None:
        yield f"The cost of pretraining {name} is unknown and is charged to no arm."
        return
    source = f" ({base.pretraining_source})" if base.pretraining_source else ""
    yield (
        f"The cost of pretraining {name}, about {base.pretraining_flops:.2g} FLOPs{source}, is charged to no arm"
        f"{_paid_back(table, base.pretraining_flops, arms)}."
    )


def _paid_back(table: Table, pretraining: float, arms: Sequence[str]) -> str:
    """After how many such tasks, for the first of the arms and the largest size where every seed gets there."""
    for arm in arms:
        for size in reversed(table.curve_sizes(arm)):
            spent = target_costs(table, arm, BASELINE, size, "flops") if arm != BASELINE else None
            if spent:
                tasks = tasks_to_break_even(pretraining, *spent)
                when = "is never paid back" if math.isinf(tasks) else f"is paid back after {tasks:,.0f} such tasks"
                return f"; it {when} where {arm} and {BASELINE} are trained to the target at n={size}"
    return ""

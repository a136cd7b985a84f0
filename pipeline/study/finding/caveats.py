"""What the comparison does not show, in sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.config.schema import Base, Task
from pipeline.language import Sentence, all_of, first_of, in_brackets, listed, said, set_name
from pipeline.records import BEST_FROM_SCRATCH, ArmCost, FailedCell, Verdict
from pipeline.study.finding.basis import Basis
from pipeline.study.finding.estimates import SMALL_SHARE
from pipeline.study.finding.progress import lacking, left_out
from pipeline.study.finding.table import Table
from pipeline.study.finding.training_caveats import training_caveats
from pipeline.study.looks import looks_of

ENOUGH_SEEDS = 5
UNKNOWN = 0.05  # share of a set's tokens that its base's tokenizer does not know
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
        *training_caveats(basis, table, costs),
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
        yield said(form, base=base.name or said("The base"), note=in_brackets(base.test_text_note.rstrip(".")))
    yield said(
        "One task ({task}) with one split: other tasks and other splits may differ.", task=task.name or said("unnamed")
    )


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

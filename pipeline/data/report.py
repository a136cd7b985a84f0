"""The account of a task's data, in numbers and in sentences for the report."""

import numpy as np

from pipeline.data.cleaning import without
from pipeline.data.examples import Examples
from pipeline.data.sets import DataReport, Overlap, Repeats
from pipeline.language import Sentence, listed, said, set_name

_EXACT, _FOLDED = "word for word", "except for case or punctuation"
_NEAR = "nearly: at least 0.8 of their three-word sequences in common"
_REMOVED = "removed from {set}"

_WORTH_SAYING = 0.001  # of a set's tokens unknown


def data_report(
    cleaned: Examples, truncated: dict[str, int], unknown: dict[str, float], *, max_length: int
) -> DataReport:
    """What was read, dropped, found twice, removed, cut short and unknown to the tokenizer.

    Args:
        truncated: texts of each set.
        unknown: share of the tokens of each set, from 0 to 1.
        max_length: tokens.
    """
    counts, compared = cleaned.counts, cleaned.compared
    rows = {name: len(s) for name, s in cleaned.sets.items()}
    trained = "train" in cleaned.sets
    return DataReport(
        rows_read=counts.rows_read,
        dropped_empty=counts.empty,
        dropped_unlabelled=counts.unlabelled,
        dropped_ungrouped=counts.ungrouped,
        dropped_undated=counts.undated,
        repeats=counts.repeats,
        rows=rows,
        overlaps=compared.overlaps,
        removed=compared.removed,
        known_halves=compared.known_halves,
        truncated=truncated,
        unknown=unknown,
        class_counts={name: _class_counts(numbers, cleaned.labels) for name, numbers in cleaned.occurrences.items()},
        look=cleaned.look,
        sentences=(
            *(_sentences(cleaned) if trained else _of_evaluated(cleaned)),
            *_hashed(cleaned),
            *_known_halves(cleaned),
            *_cut_short(truncated, rows, max_length),
            *_unknown(unknown),
        ),
    )


def _class_counts(labels: np.ndarray, names: tuple[str, ...]) -> dict[str, int]:
    return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))


def _sentences(cleaned: Examples) -> list[Sentence]:
    counts, labelled = cleaned.counts, len(cleaned.labels) > 1
    grouped = counts.ungrouped if cleaned.sets["train"].groups is not None else None
    undated = counts.undated if cleaned.sets["train"].years is not None else None
    dropped = without(counts.lacking, counts.empty, counts.unlabelled if labelled else None, grouped, undated)
    read = said("{rows:,} rows were read; {dropped} were dropped.", rows=counts.rows_read, dropped=dropped)
    return [read, *cleaned.look, *_repeats(counts.repeats, labelled=labelled), *counts.sentences, *_overlaps(cleaned)]


def _repeats(repeats: Repeats, *, labelled: bool) -> list[Sentence]:
    lines = []
    if repeats.exact or repeats.folded:
        conflicting = said("; {texts:,} texts occur with different labels", texts=repeats.conflicting)
        lines.append(
            said(
                "{rows:,} rows repeat another's text ({ways}){conflicting}.",
                rows=repeats.exact + repeats.folded,
                ways=_ways({_EXACT: repeats.exact, _FOLDED: repeats.folded}),
                conflicting=conflicting if labelled else "",
            )
        )
    if repeats.relabelled:
        lines.append(
            said(
                "{rows:,} rows differ from another in case or punctuation and in their label: they count as different "
                "texts, not as repeats.",
                rows=repeats.relabelled,
            )
        )
    return lines


def _ways(counts: dict[str, int]) -> Sentence:
    return listed(said("{count:,} {way}", count=count, way=said(way)) for way, count in counts.items() if count)


def _overlaps(cleaned: Examples) -> list[Sentence]:
    lines = []
    fate = _REMOVED if cleaned.counts.deduplicated else "kept, as task.deduplicate=false asks"
    for sets, overlap in cleaned.compared.overlaps.items():
        lines += _overlap(sets, overlap, fate, _REMOVED)
    if any(overlap.repeated for overlap in cleaned.compared.overlaps.values()):
        return lines
    return [said("No text of train or validation stands in another set, word for word or nearly."), *lines]


def _of_evaluated(cleaned: Examples) -> list[Sentence]:
    """A set that is only evaluated never changes what is trained on: what stands in both is counted."""
    kept = "kept, since this set is only evaluated: scores on it count texts that were seen"
    overlaps = [line for sets, one in cleaned.compared.overlaps.items() for line in _overlap(sets, one, kept, kept)]
    return [*cleaned.look, *cleaned.counts.sentences, *overlaps]


def _overlap(sets: str, overlap: Overlap, fate: str, of_groups: str) -> list[Sentence]:
    """Sentences on what stands in two sets.

    Args:
        sets: their names, "train/test".
        overlap: how much it is.
        fate: what becomes of rows that repeat a text; {set} stands for the first set.
        of_groups: likewise, of rows of a group that stands in both.
    """
    pool, held = map(set_name, sets.split("/"))
    lines, both = [], {"pool": pool, "held": held}
    if overlap.repeated:
        ways = _ways({_EXACT: overlap.exact, _FOLDED: overlap.folded, _NEAR: overlap.near})
        form = "Rows of {pool} also found in {held}: {rows:,} ({ways}); {fate}."
        lines.append(said(form, **both, rows=overlap.repeated, ways=ways, fate=said(fate, set=pool)))
    if overlap.grouped:
        form = "Rows of {pool} whose group also stands in {held}, whatever their text: {rows:,}; {fate}."
        lines.append(said(form, **both, rows=overlap.grouped, fate=said(of_groups, set=pool)))
    if overlap.relabelled:
        lines.append(
            said(
                "Rows of {pool} that differ from one of {held} in case or punctuation and in their label: {rows:,}; "
                "they count as different texts, not as repeats.",
                **both,
                rows=overlap.relabelled,
            )
        )
    return lines


def _hashed(cleaned: Examples) -> list[Sentence]:
    form = "Near-duplicates of {set} ({rows:,} rows) were searched by hashing, which may miss a few."
    return [said(form, set=set_name(name), rows=rows) for name, rows in cleaned.compared.hashed.items()]


def _known_halves(cleaned: Examples) -> list[Sentence]:
    sizes = {name: len(rows) for name, rows in cleaned.sets.items()}
    form = (
        "Rows of {set} with at least one text that also stands in a training row: {known:,} of {rows:,} ({share:.1%})."
    )
    return [
        said(form, set=set_name(name), known=known, rows=sizes[name], share=known / sizes[name])
        for name, known in cleaned.compared.known_halves.items()
    ]


def _cut_short(truncated: dict[str, int], rows: dict[str, int], max_length: int) -> list[Sentence]:
    form = "{count:,} of {rows:,} texts of {set} are longer than {most} tokens and were truncated."
    return [
        said(form, count=count, rows=rows[name], set=set_name(name), most=max_length)
        for name, count in truncated.items()
        if count
    ]


def _unknown(unknown: dict[str, float]) -> list[Sentence]:
    shares = [
        said("{share:.1%} of {set}", share=share, set=set_name(name))
        for name, share in unknown.items()
        if share >= _WORTH_SAYING
    ]
    return [said("Tokens that the base's tokenizer does not know: {shares}.", shares=listed(shares))] if shares else []

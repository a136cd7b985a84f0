"""The account of a task's data, in numbers and in sentences for the report."""

import numpy as np

from pipeline.data.examples import Counts, Examples
from pipeline.data.sets import DataReport


def data_report(found: Examples, truncated: dict[str, int], *, max_length: int) -> DataReport:
    """What was read, dropped, found twice, removed and cut short. `truncated` is per set, `max_length` in tokens."""
    counts = found.counts
    rows = {name: len(s) for name, s in found.sets.items()}
    return DataReport(
        rows_read=counts.rows_read,
        dropped_empty=counts.empty,
        dropped_unlabelled=counts.unlabelled,
        repeated=counts.repeated,
        conflicting=counts.conflicting,
        rows=rows,
        exact_duplicates=counts.exact,
        near_duplicates=counts.near,
        removed=counts.removed,
        truncated=truncated,
        class_counts={name: _class_counts(numbers, found.labels) for name, numbers in found.occurrences.items()},
        sentences=(*_sentences(counts, labelled=len(found.labels) > 1), *_cut_short(truncated, rows, max_length)),
    )


def _class_counts(labels: np.ndarray, names: tuple[str, ...]) -> dict[str, int]:
    return dict(zip(names, np.bincount(labels, minlength=len(names)).tolist(), strict=True))


def _sentences(counts: Counts, *, labelled: bool) -> list[str]:
    unlabelled = f" and {counts.unlabelled:,} without label" if labelled else ""
    dropped = f"{counts.empty:,} without {counts.lacking}{unlabelled} were dropped"
    lines = [f"{counts.rows_read:,} rows were read; {dropped}."]
    if counts.repeated:
        conflicting = f"; {counts.conflicting:,} texts occur with different labels" if labelled else ""
        lines.append(f"{counts.repeated:,} rows repeat another's text{conflicting}.")
    return [*lines, *counts.sentences, *_overlaps(counts)]


def _overlaps(counts: Counts) -> list[str]:
    lines = []
    for pair, exact in counts.exact.items():
        near = counts.near[pair]
        if exact or near:
            pool, held = pair.split("/")
            fate = f"removed from {pool}" if counts.removed[pool] else "kept, as task.deduplicate=false asks"
            lines.append(
                f"Rows of {pool} also found in {held}: {exact + near:,} ({exact:,} word for word, {near:,} nearly: "
                f"at least 0.8 of their three-word sequences in common); {fate}."
            )
    return lines or ["No text of train or validation stands in another set, word for word or nearly."]


def _cut_short(truncated: dict[str, int], rows: dict[str, int], max_length: int) -> list[str]:
    return [
        f"{count:,} of {rows[name]:,} texts of {name} are longer than {max_length} tokens and were truncated."
        for name, count in truncated.items()
        if count
    ]

"""The section on errors: which test items one arm answers better than another, class by class, and doubtful labels."""

import numpy as np

from pipeline.records import BEST_FROM_SCRATCH, Findings
from pipeline.report.layout import Column, Entry, Section, Table, table
from pipeline.report.wording import MINUS, count, metric_name, plain, plural, size_name
from pipeline.study.finding.error_analysis import ArmAnswers, Comparison, ErrorAnalysis

ERRORS_CSV, ERRORS_PAGE = "errors.csv", "errors.html"
MOST_CLASSES = 30
CHECK_LABELS = "Their labels are the first to check: an answer that all agree on may be the right one."


def errors(findings: Findings, found: ErrorAnalysis) -> Section:
    """Comparisons of arms item by item, F1 of each class, and the items that no cell gets right."""
    arms = [plain(a.arm, 40) for a in found.arms]
    return Section(
        anchor="errors",
        title="Errors",
        lead=f"Item by item on {plain(found.dataset, 40)}, trained on {size_name(found.size)} {findings.counted}s. "
        f"{ERRORS_CSV} has a line for each item, and {ERRORS_PAGE} shows some of their texts, unless "
        "privacy.texts=none. These are counts of these very items, without intervals.",
        tables=(
            *((_comparisons(findings, found),) if compared(findings, found) else ()),
            *((_classes(found, arms),) if found.labels else ()),
        ),
        bullets=(*_suspects(found), *_truncated(found)),
    )


def compared(findings: Findings, found: ErrorAnalysis) -> list[tuple[ArmAnswers, ArmAnswers]]:
    """The pairs of arms that the study compares, as far as both have answers."""
    pairs = dict.fromkeys((c.arm, c.against) for c in findings.contrasts if BEST_FROM_SCRATCH not in (c.arm, c.against))
    both = [(found.of(arm), found.of(against)) for arm, against in pairs]
    return [(arm, against) for arm, against in both if arm and against]


def _comparisons(findings: Findings, found: ErrorAnalysis) -> Table:
    columns: list[Column[Comparison]] = [
        Column("arms", lambda c: f"{plain(c.arm, 30)} {MINUS} {plain(c.against, 30)}", words=True),
        Column("better", lambda c: count(c.better)),
        Column("always", lambda c: count(c.always_better)),
        Column("worse", lambda c: count(c.worse)),
        Column("always", lambda c: count(c.always_worse)),
        Column("equal", lambda c: count(c.equal)),
    ]
    caption = (
        f"Test items by {metric_name(findings.metric)}, mean over seeds: on how many the first arm is better than the "
        "second, worse, or equal. Always: the lowest score under any seed of the one is above the highest of the other."
    )
    return table([found.compare(*pair) for pair in compared(findings, found)], columns, caption=caption)


def _classes(found: ErrorAnalysis, arms: list[str]) -> Table:
    """F1 of each class, recall and precision beside it; of many classes those that are told worst."""
    measured = np.stack([found.by_class(arm) for arm in found.arms])  # [A, C, 3]
    items = np.bincount(found.gold[found.gold >= 0], minlength=len(found.labels))
    order, which = np.arange(len(items)), ""
    if len(items) > MOST_CLASSES:
        order = np.argsort(measured[:, :, 2].max(axis=0), kind="stable")[:MOST_CLASSES]
        which = f" Of {len(items)} classes, the {MOST_CLASSES} with the lowest F1 under the arm that tells them best."
    rows = tuple(
        (Entry(plain(found.labels[c], 40)), Entry(count(items[c])), *(_class_entry(one) for one in measured[:, c]))
        for c in order
    )
    return Table(
        caption=f"F1 of each class, with recall and precision beside it, all seeds together.{which}",
        header=("class", "items", *arms),
        rows=rows,
        inline=True,
        tall=len(rows) > 20,
    )


def _class_entry(measured: np.ndarray) -> Entry:
    recall, precision, f1 = (f"{100 * x:.1f}%" for x in measured)
    return Entry(f1, f"{recall}, {precision}")


def _suspects(found: ErrorAnalysis) -> tuple[str, ...]:
    if not found.labels:
        return ()
    suspects, wrong = len(found.suspects), found.wrong
    return (
        f"{count(suspects)} of {plural(len(wrong), 'test item')} get a wrong answer from at least nine in ten "
        f"trainings, {count(int((wrong == 1).sum()))} of them from all. {CHECK_LABELS if suspects else ''}".strip(),
    )


def _truncated(found: ErrorAnalysis) -> tuple[str, ...]:
    cut = [f"{plain(a.arm, 40)} {100 * a.truncated:.1f}%" for a in found.arms if a.truncated]
    return (f"Texts cut to the length that is read: {', '.join(cut)}.",) if cut else ()

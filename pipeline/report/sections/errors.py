"""The section on errors: which test items one arm answers better than another, class by class, and doubtful labels."""

import numpy as np

from pipeline.language import marked, nouns, numeral, tr, translated
from pipeline.records import BEST_FROM_SCRATCH, Findings
from pipeline.report.layout import Column, Entry, Section, Table, table
from pipeline.report.wording import MINUS, count, metric_name, plain, plural, size_name
from pipeline.study.finding.error_analysis import ArmAnswers, Comparison, ErrorAnalysis

ERRORS_CSV, ERRORS_PAGE = "errors.csv", "errors.html"
MOST_CLASSES = 30
CHECK_LABELS = marked("Their labels are the first to check: an answer that all agree on may be the right one.")


def errors(findings: Findings, analysis: ErrorAnalysis) -> Section:
    """Comparisons of arms item by item, F1 of each class, and the items that no cell gets right."""
    arms = [plain(a.arm, 40) for a in analysis.arms]
    return Section(
        anchor="errors",
        title=tr("Errors"),
        lead=tr(
            "Item by item on {dataset}, trained on {size} "
            "{labels}. {file} has a line for each item, and {page} shows some of their texts, "
            "unless privacy.texts=none. These are counts of these very items, without intervals.",
            dataset=plain(translated(analysis.dataset), 40),
            size=size_name(analysis.size),
            labels=nouns(findings.counted),
            file=ERRORS_CSV,
            page=ERRORS_PAGE,
        ),
        tables=(
            *((_comparisons(findings, analysis),) if compared(findings, analysis) else ()),
            *((_classes(analysis, arms),) if analysis.labels else ()),
        ),
        bullets=(*_suspects(analysis), *_truncated(analysis)),
    )


def compared(findings: Findings, analysis: ErrorAnalysis) -> list[tuple[ArmAnswers, ArmAnswers]]:
    """The pairs of arms that the study compares, as far as both have answers."""
    pairs = dict.fromkeys((c.arm, c.against) for c in findings.contrasts if BEST_FROM_SCRATCH not in (c.arm, c.against))
    both = [(analysis.of(arm), analysis.of(against)) for arm, against in pairs]
    return [(arm, against) for arm, against in both if arm and against]


def _comparisons(findings: Findings, analysis: ErrorAnalysis) -> Table:
    columns: list[Column[Comparison]] = [
        Column(tr("arms"), lambda c: f"{plain(c.arm, 30)} {MINUS} {plain(c.against, 30)}", words=True),
        Column(tr("better"), lambda c: count(c.better)),
        Column(tr("always"), lambda c: count(c.always_better)),
        Column(tr("worse"), lambda c: count(c.worse)),
        Column(tr("always"), lambda c: count(c.always_worse)),
        Column(tr("equal"), lambda c: count(c.equal)),
    ]
    caption = tr(
        "Test items by {metric}, mean over seeds: on how many the first arm is better than the second, worse, or "
        "equal. Always: the lowest score under any seed of the one is above the highest of the other.",
        metric=metric_name(findings.metric),
    )
    return table([analysis.compare(*pair) for pair in compared(findings, analysis)], columns, caption=caption)


def _classes(analysis: ErrorAnalysis, arms: list[str]) -> Table:
    """F1 of each class, recall and precision beside it; of many classes those that are told worst."""
    measured = np.stack([analysis.by_class(arm) for arm in analysis.arms])  # [A, C, 3]
    items = np.bincount(analysis.gold[analysis.gold >= 0], minlength=len(analysis.labels))
    order, which = np.arange(len(items)), ""
    if len(items) > MOST_CLASSES:
        order = np.argsort(measured[:, :, 2].max(axis=0), kind="stable")[:MOST_CLASSES]
        which = tr(
            " Of {all} classes, the {shown} with the lowest F1 under the arm that predicts them best.",
            all=len(items),
            shown=MOST_CLASSES,
        )
    rows = tuple(
        (Entry(plain(analysis.labels[c], 40)), Entry(count(items[c])), *(_class_entry(one) for one in measured[:, c]))
        for c in order
    )
    return Table(
        caption=tr("F1 of each class, with recall and precision beside it, all seeds together.{which}", which=which),
        header=(tr("class"), nouns("item"), *arms),
        rows=rows,
        inline=True,
        tall=len(rows) > 20,
    )


def _class_entry(measured: np.ndarray) -> Entry:
    recall, precision, f1 = (f"{numeral(100 * x, '.1f')}%" for x in measured)
    return Entry(f1, f"{recall}, {precision}")


def _suspects(analysis: ErrorAnalysis) -> tuple[str, ...]:
    if not analysis.labels:
        return ()
    suspects, wrong = len(analysis.suspects), analysis.wrong
    return (
        tr(
            "{number} of {items} get a wrong answer from at least nine in ten "
            "trainings, {always} of them from all. {check}",
            number=count(suspects),
            items=plural(len(wrong), "test item"),
            always=count(int((wrong == 1).sum())),
            check=translated(CHECK_LABELS) if suspects else "",
        ).strip(),
    )


def _truncated(analysis: ErrorAnalysis) -> tuple[str, ...]:
    cut = [f"{plain(a.arm, 40)} {numeral(100 * a.truncated, '.1f')}%" for a in analysis.arms if a.truncated]
    return (tr("Texts cut to the length that is read: {shares}.", shares=", ".join(cut)),) if cut else ()

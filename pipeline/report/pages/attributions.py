"""A dozen texts of the test set with what each arm's answer rests on, as a page beside the report."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline import files
from pipeline.audits.opacity import chunks_of
from pipeline.config.privacy import Shown
from pipeline.language import nouns, numeral, tr
from pipeline.records import Findings
from pipeline.report.layout import Entry, Marked, Section, Table
from pipeline.report.page import Head, intro, render
from pipeline.report.palette import Palette
from pipeline.report.sections.audits import ATTRIBUTIONS_PAGE
from pipeline.report.wording import plain, size_name
from pipeline.study.finding.attributed import AttributedArm, AttributedText
from pipeline.tasks import Example

FEW = 12  # texts that are shown
_LONGEST = 60  # characters of a chunk; of longer ones the beginning is shown


def write_attributions(
    findings: Findings,
    arms: Sequence[AttributedArm],
    labels: Sequence[str],
    palette: Palette,
    folder: Path,
    examples: Sequence[Example],
    shown: Shown,
) -> None:
    """Write attributions.html, or remove it where there is nothing to show or texts must not be shown.

    Args:
        findings: the study's.
        arms: what the opacity audit found.
        labels: the classes.
        palette: the arms' colours.
        folder: the report's.
        examples: all test items; none where the data are not at hand.
        shown: how much of their text may be shown.
    """
    if not arms or not examples or shown == "none":
        files.remove(folder / ATTRIBUTIONS_PAGE)
        return
    head = Head(
        kind=tr("Headstart study"),
        name=findings.study,
        question=tr("Which words the answers rest on"),
        intro=intro(findings, len(findings.cells)),
        verdicts=(),
        answer=tr(
            "{number} of the texts that the opacity audit examined. Orange words speak for the answer that is given, "
            "blue ones against it, the stronger the more; the strongest is underlined. Faithfulness is 100% if no "
            "other order of removing these words changes the answer more, and 0% if none changes it less. This page "
            "holds texts of your data and is not copied anywhere (privacy.texts).",
            number=FEW,
        ),
        palette=palette,
    )
    files.write_text(folder / ATTRIBUTIONS_PAGE, render(head, list(_sections(arms, labels, examples))))


def _sections(arms: Sequence[AttributedArm], labels: Sequence[str], examples: Sequence[Example]) -> Iterator[Section]:
    rows = [text.row for text in arms[0].texts]
    for row in (rows[int(i)] for i in np.unique(np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(int))):
        example = examples[row]
        shown = [(arm, text) for arm in arms for text in arm.texts if text.row == row]
        label = tr(", labelled {label}", label=plain(example.label, 40)) if example.label else ""
        yield Section(
            anchor=f"text-{row}",
            title=tr("Text {row}{label}", row=row, label=label),
            tables=(
                Table(
                    caption="",
                    header=(tr("arm"), tr("answer"), tr("faithfulness"), tr("text")),
                    rows=tuple(_row(arm, text, labels, example.text) for arm, text in shown),
                    names=4,
                ),
            ),
        )


def _row(arm: AttributedArm, attributed: AttributedText, labels: Sequence[str], text: str) -> tuple[Entry, ...]:
    most = max(map(abs, attributed.chunks)) or 1.0
    marks = tuple(
        Marked(plain(text[start:end], _LONGEST), value / most)
        for (start, end), value in zip(chunks_of(text), attributed.chunks, strict=True)
    )
    named = Entry(plain(arm.arm, 40), f"n={size_name(arm.size)}, {nouns('seed', 1)} {arm.seed}", arm=arm.arm)
    answer = Entry(plain(labels[attributed.answer], 40))
    return named, answer, Entry(numeral(attributed.faithfulness, ".0%")), Entry("", marks=marks)

"""The test items of an error analysis as files beside the report: all as CSV, some with their texts as a page."""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import files
from pipeline.config.privacy import Shown
from pipeline.language import nouns, numeral, tr, translated
from pipeline.records import Findings
from pipeline.report.layout import Entry, Section, Table
from pipeline.report.page import Head, intro, render
from pipeline.report.palette import Palette
from pipeline.report.sections.errors import CHECK_LABELS, ERRORS_CSV, ERRORS_PAGE, compared
from pipeline.report.wording import TIMES, count, plain, plural, size_name, spreadsheet_field
from pipeline.study.finding.error_analysis import ArmAnswers, ErrorAnalysis
from pipeline.tasks import Example

FEW, MOST = 10, 200  # items of a list: with privacy.texts=few, and with all


def write_error_files(
    findings: Findings,
    analysis: ErrorAnalysis,
    palette: Palette,
    folder: Path,
    examples: Sequence[Example] = (),
    shown: Shown = "none",
) -> None:
    """Write errors.csv, a line for each test item, and errors.html, the items to look at with their texts.

    Args:
        examples: all test items; none where the data are not at hand. The page is left out then.
        shown: how much of their text may be shown: nothing and no page, some items on the page, or more items there and
            every text in errors.csv.
    """
    files.write_text(folder / ERRORS_CSV, _csv(analysis, examples if shown == "all" else ()))
    if examples and shown != "none":
        lists = _Lists(findings, analysis, examples, MOST if shown == "all" else FEW)
        files.write_text(folder / ERRORS_PAGE, render(_head(lists, palette), list(lists.sections())))
    else:
        files.remove(folder / ERRORS_PAGE)  # an earlier one may show more than is allowed now


def _csv(analysis: ErrorAnalysis, examples: Sequence[Example]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    usual = {arm.arm: analysis.usual(arm) for arm in analysis.arms} if analysis.labels else {}
    columns = [*(f"{arm.arm}_score" for arm in analysis.arms), *(f"{arm}_answer" for arm in usual)]
    named = ["label", "wrong"] if analysis.labels else []
    writer.writerow(["item", *named, *map(spreadsheet_field, columns), *(["text"] if examples else [])])
    wrong, means = analysis.wrong, [arm.mean for arm in analysis.arms]
    given = (example.shown for example in examples) if examples else itertools.repeat("")
    for item, text in zip(range(len(analysis.gold)), given, strict=False):
        row: list[str | int] = [item]
        row += [_label(analysis, analysis.gold[item]), f"{wrong[item]:.4g}"] if analysis.labels else []
        row += [f"{mean[item]:.6g}" for mean in means]
        row += [_label(analysis, answers[item]) for answers in usual.values()]
        writer.writerow([*row, *([spreadsheet_field(text)] if examples else [])])
    return buffer.getvalue()


def _label(analysis: ErrorAnalysis, number: int) -> str:
    return spreadsheet_field(analysis.labels[number]) if number >= 0 else ""


def _head(lists: "_Lists", palette: Palette) -> Head:
    return Head(
        kind=tr("Headstart study"),
        name=lists.findings.study,
        question=tr("Which texts the arms get wrong"),
        intro=intro(lists.findings, len(lists.findings.cells)),
        verdicts=(),
        answer=tr(
            "Texts of {dataset}, up to {most} of each kind. A number beside an "
            "answer counts the seeds that gave it. This page holds texts of your data and is not copied anywhere "
            "(privacy.texts).",
            dataset=plain(translated(lists.analysis.dataset), 40),
            most=lists.most,
        ),
        palette=palette,
    )


@dataclass(frozen=True)
class _Lists:
    """The items to look at: those that no arm gets right, and those that one arm answers better than another."""

    findings: Findings
    analysis: ErrorAnalysis
    examples: Sequence[Example]
    most: int

    def sections(self) -> Iterator[Section]:
        if self.analysis.labels:
            yield self._suspects()
        for number, (arm, against) in enumerate(compared(self.findings, self.analysis), start=1):
            yield self._gained(f"better-{number}", arm, against)
            yield self._gained(f"worse-{number}", against, arm)

    def _suspects(self) -> Section:
        items = self.analysis.suspects.tolist()
        lead = tr(
            "{items} that at least nine in ten trainings get wrong. {check}",
            items=plural(len(items), "item"),
            check=translated(CHECK_LABELS),
        )
        return Section(
            anchor="suspects",
            title=tr("Doubtful labels"),
            lead=lead,
            tables=self._table(items, (self.analysis.together,)),
        )

    def _gained(self, anchor: str, arm: ArmAnswers, against: ArmAnswers) -> Section:
        """The items on which `arm` is better than `against` by the most."""
        gain = self.analysis.gain(arm, against)
        better = int((gain > 0).sum())
        items = np.argsort(-gain, kind="stable")[:better].tolist()
        return Section(
            anchor=anchor,
            title=tr("{arm} better than {against}", arm=plain(arm.arm, 30), against=plain(against.arm, 30)),
            lead=tr(
                "{items}, trained on {size} {labels}; the largest differences come first.",
                items=plural(better, "item"),
                size=size_name(self.analysis.size),
                labels=nouns(self.findings.counted),
            ),
            tables=self._table(items, (arm, against)),
        )

    def _table(self, items: Sequence[int], arms: Sequence[ArmAnswers]) -> tuple[Table, ...]:
        right = (nouns("label", 1),) if self.analysis.labels else ()
        header = (nouns("item", 1), tr("text"), *right, *(plain(arm.arm, 40) for arm in arms))
        rows = tuple(self._row(item, arms) for item in items[: self.most])
        return (Table(caption="", header=header, rows=rows, names=len(header)),) if rows else ()

    def _row(self, item: int, arms: Sequence[ArmAnswers]) -> tuple[Entry, ...]:
        gold = [Entry(self._name(self.analysis.gold[item]))] if self.analysis.labels else []
        answers = (self._answer(arm, item) for arm in arms)
        return (Entry(count(item)), Entry(plain(self.examples[item].shown, 400)), *gold, *answers)

    def _answer(self, arm: ArmAnswers, item: int) -> Entry:
        """What an arm says of an item: each class with how many seeds say so, or the mean score."""
        if not self.analysis.labels:
            return Entry(numeral(arm.mean[item], ".3g"))
        told, seeds = np.unique(arm.predicted[:, item], return_counts=True)
        by_votes = sorted(zip(seeds.tolist(), told.tolist(), strict=True), reverse=True)
        return Entry(", ".join(f"{self._name(label)} {TIMES}{votes}" for votes, label in by_votes))

    def _name(self, number: int) -> str:
        return plain(self.analysis.labels[number], 40) if number >= 0 else tr("none")

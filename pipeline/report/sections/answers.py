"""The section on answers: whether their probabilities can be believed, and which classes are taken for which."""

from collections.abc import Sequence

import numpy as np

from pipeline.language import nouns, numeral, tr
from pipeline.records import CellResult, Findings
from pipeline.report.layout import Entry, Section, Table
from pipeline.report.sections.audits import audit_table
from pipeline.report.wording import plain, size_name

MOST_CLASSES = 8  # of a whole matrix; of more classes the pairs that are confused most
_PAIRS = 10
Groups = dict[tuple[str, int | str], list[CellResult]]


def answers(findings: Findings, cells: Sequence[CellResult]) -> Section | None:
    """On the task's own test set, means over seeds; None where no cell has classes, or was measured so."""
    groups: Groups = {}
    for cell in cells:
        if _confusion(cell):
            groups.setdefault((cell.key.arm, cell.key.size), []).append(cell)
    calibration = _calibration(findings, cells)
    if not groups and not calibration:
        return None
    labels = next(cell.labels for cell in cells)
    return Section(
        anchor="answers",
        title=tr("Answers"),
        lead=tr("Whether the probability of an answer can be believed, and what is taken for what."),
        tables=(*((calibration,) if calibration else ()), *_confusions(findings, groups, labels)),
    )


def _confusion(cell: CellResult) -> tuple[tuple[int, ...], ...]:
    return next((e.confusion for e in cell.evaluations if e.role == "in_domain"), ())


def _calibration(findings: Findings, cells: Sequence[CellResult]) -> Table | None:
    return audit_table(
        findings,
        cells,
        "calibration",
        {"calibration_error": tr("calibration error"), "brier": tr("Brier score")},
        lambda name, value: numeral(100 * value, ".1f") if name == "calibration_error" else numeral(value, ".3f"),
        tr(
            "Calibration error: how far the probability of an answer is from the share of answers that are right, in "
            "points, on average over 15 bins. Brier score: the squared distance from the truth, from 0 (certain and "
            "right) to 2. Means over seeds, lowest to highest beside; the less the better."
        ),
        inline=True,
    )


def _confusions(findings: Findings, groups: Groups, labels: Sequence[str]) -> list[Table]:
    """One for each arm, at the largest size it has."""
    tables = []
    for arm in findings.arms:
        sizes = [size for size in findings.sizes if (arm, size) in groups]
        matrices = [matrix for cell in groups[arm, sizes[-1]] if (matrix := _confusion(cell))] if sizes else []
        if matrices:
            total = np.sum(np.array(matrices, dtype=np.int64), axis=0)
            where = tr(
                "{arm} at {size} {labels}",
                arm=plain(arm, 40),
                size=size_name(sizes[-1]),
                labels=nouns(findings.counted),
            )
            whole = len(labels) <= MOST_CLASSES
            tables.append(_matrix(total, labels, where) if whole else _pairs(total, labels, where))
    return tables


def _matrix(total: np.ndarray, labels: Sequence[str], where: str) -> Table:
    shares = 100 * total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    rows = tuple(
        (Entry(plain(name, 40)), *(Entry(f"{numeral(share, '.1f')}%", strong=i == j) for j, share in enumerate(row)))
        for i, (name, row) in enumerate(zip(labels, shares, strict=True))
    )
    return Table(
        caption=tr(
            "{where}: for each class (rows), the share predicted as each class (columns), all seeds together.",
            where=where,
        ),
        header=("", *(plain(name, 40) for name in labels)),
        rows=rows,
    )


def _pairs(total: np.ndarray, labels: Sequence[str], where: str) -> Table:
    shares = 100 * total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, -1.0)
    most = np.argsort(-shares, axis=None, kind="stable")[:_PAIRS]
    rows = tuple(
        (Entry(plain(labels[i], 40)), Entry(plain(labels[j], 40)), Entry(f"{numeral(shares[i, j], '.1f')}%"))
        for i, j in (divmod(int(place), len(labels)) for place in most)
        if shares[i, j] > 0
    )
    return Table(
        caption=tr(
            "{where}: the pairs of classes that are confused most, as a share of the first, all seeds together.",
            where=where,
        ),
        header=(tr("class"), tr("predicted as"), tr("share")),
        rows=rows,
        names=2,
    )

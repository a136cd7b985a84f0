"""Attributions that the opacity audit stored, for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.audits.opacity import CHUNKS, COLUMNS
from pipeline.config.schema import Study
from pipeline.records import CellResult
from pipeline.study.finding.cell_scores import CellScores

OPACITY = "opacity"


@dataclass(frozen=True, kw_only=True)
class AttributedText:
    """How one cell reads one text.

    Args:
        row: the text's row in the test set.
        answer: the number of the class that it is given.
        faithfulness: of the attributions, from 0 to 1.
        chunks: the attribution of each chunk of the text.
    """

    row: int
    answer: int
    faithfulness: float
    chunks: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class AttributedArm:
    """The texts of an arm's first seed at its largest size, in the order of their rows."""

    arm: str
    size: int | str
    seed: int
    texts: tuple[AttributedText, ...]


def attributed(study: Study, cells: Sequence[CellResult], store: CellScores) -> tuple[AttributedArm, ...]:
    """One for each arm with a cell that was examined."""
    by_arm = []
    for arm in study.arms:
        own = [c for c in cells if c.key.arm == arm and any(each.audit == OPACITY for each in c.audits)]
        if own:
            most = max(cell.train_items for cell in own)
            by_arm.append(_arm(min((c for c in own if c.train_items == most), key=lambda c: c.key.seed), store))
    return tuple(by_arm)


def _arm(cell: CellResult, store: CellScores) -> AttributedArm:
    audit = next(each for each in cell.audits if each.audit == OPACITY)
    items = store.scores_on(cell.cell_id, audit.evaluation_id)
    texts = tuple(_text(dict(zip(COLUMNS, item.tolist(), strict=True))) for item in items)
    return AttributedArm(arm=cell.key.arm, size=cell.key.size, seed=cell.key.seed, texts=texts)


def _text(item: dict[str, float]) -> AttributedText:
    count = int(item["chunks"])
    return AttributedText(
        row=int(item["row"]),
        answer=int(item["answer"]),
        faithfulness=item["faithfulness"],
        chunks=tuple(item[f"chunk_{number}"] for number in range(1, CHUNKS + 1))[:count],
    )

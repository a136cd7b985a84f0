"""How far a study has come with its looks, and which of its cells no open claim reads any more."""

from collections.abc import Collection, Sequence

from pipeline.records import Looks, Verdict
from pipeline.study.finding.table import Table
from pipeline.study.looks import Place, ahead, looks_of, needed


def progress_of(table: Table, verdicts: Sequence[Verdict], budget: str = "") -> Looks:
    """The looks of the study, the last one that a claim was judged at, and the cells that the next one lacks."""
    looks = looks_of(table.study)
    return Looks(
        seeds=tuple(len(look.seeds) for look in looks),
        levels=tuple(look.level for look in looks),
        reached=max((v.look for v in verdicts), default=0),
        lacking=tuple(f"{arm} n={size} seed={seed}" for arm, size, seed in lacking(table, verdicts)),
        budget=budget,
    )


def lacking(table: Table, verdicts: Sequence[Verdict]) -> list[Place]:
    """The cells without a result that the next look of an open claim needs, seed by seed."""
    return _without_result(table, needed(table.study, table.from_scratch, ahead(table.study, verdicts)))


def left_out(table: Table, verdicts: Sequence[Verdict]) -> list[Place]:
    """The cells without a result that no look will need, since the claims that read them are settled."""
    study = table.study
    later = needed(study, table.from_scratch, ahead(study, verdicts, last=True))
    everything = {(arm, size, seed) for arm in study.arms for size in study.sizes for seed in study.seeds}
    return _without_result(table, everything - later)


def _without_result(table: Table, places: Collection[Place]) -> list[Place]:
    study = table.study
    return [
        (arm, size, seed)
        for seed in study.seeds
        for size in study.sizes
        for arm in study.arms
        if (arm, size, seed) in places and seed not in table.cells.get((arm, size), {})
    ]

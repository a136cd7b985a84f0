"""Words on the table of the fourteen claims, for the terminal and the report."""

from pipeline.language import marked, tr, translated
from pipeline.records import ClaimRow, ClaimTable, RowVerdict
from pipeline.report.wording import TIMES, plural
from pipeline.study.fourteen_claims import FOURTEEN

_VERDICTS: dict[RowVerdict, str] = {
    "supported": marked("supported"),
    "refuted": marked("refuted"),
    "inconclusive": marked("inconclusive"),
    "not_judged": marked("not judged"),
}
_TITLES = {claim.name: claim.title for claim in FOURTEEN}


_ONE_JUDGED, _JUDGED = marked("{rows} of {all} is judged"), marked("{rows} of {all} are judged")


def title_text(row: ClaimRow) -> str:
    """The claim in two or three words."""
    return translated(_TITLES[row.claim])


def verdict_text(row: ClaimRow) -> str:
    """ "supported", "not judged"."""
    return translated(_VERDICTS[row.verdict])


def meaning_text(row: ClaimRow) -> str:
    """What the verdict means for the base; empty where there is none."""
    if row.verdict not in ("supported", "refuted"):
        return ""
    if row.verdict == "refuted":
        return tr("smaller here than what would matter")
    return tr("the advantage is real here") if row.side == "advantage" else tr("the drawback is real here")


def statement_text(row: ClaimRow) -> str:
    """The side that the claim is on, and what it says."""
    return f"{translated(row.side)}: {translated(row.statement)}"


def chance_text(table: ClaimTable) -> str:
    """How many of the verdicts may be wrong by chance."""
    if not table.judged:
        return tr("None of {rows} rows is judged yet.", rows=len(table.rows))
    form = _ONE_JUDGED if table.judged == 1 else _JUDGED
    judged = tr(form, rows=plural(table.judged, "row"), all=len(table.rows))
    if table.together:
        return tr(
            "{judged}. The intervals of the study's claims hold together: the chance that any of their verdicts is "
            "wrong is {chance:.0%} at most. Rows on time and memory are questions of their own.",
            judged=judged,
            chance=table.wrong_by_chance,
        )
    return tr(
        "{judged}. Each row is a question of its own at {confidence:.0%}; contrasts of one row share its error. "
        "So up to {number:.2g} of {verdicts} may be wrong by chance on average "
        "({error:.2g} {times} {all}); study.family=all makes them hold together.",
        judged=judged,
        confidence=table.confidence,
        number=table.wrong_by_chance,
        verdicts=plural(table.judged, "verdict"),
        error=1 - table.confidence,
        times=TIMES,
        all=table.judged,
    )

"""Words on the table of the fourteen claims, for the terminal and the report."""

from pipeline.records import ClaimRow, ClaimTable, RowVerdict
from pipeline.report.wording import TIMES, plural
from pipeline.study.fourteen import FOURTEEN

_VERDICTS: dict[RowVerdict, str] = {
    "supported": "supported",
    "refuted": "refuted",
    "inconclusive": "inconclusive",
    "not_judged": "not judged",
}
_TITLES = {claim.name: claim.title for claim in FOURTEEN}


def title_text(row: ClaimRow) -> str:
    """The claim in two or three words."""
    return _TITLES[row.claim]


def verdict_text(row: ClaimRow) -> str:
    """ "supported", "not judged"."""
    return _VERDICTS[row.verdict]


def meaning_text(row: ClaimRow) -> str:
    """What the verdict means for the base; empty where there is none."""
    if row.verdict not in ("supported", "refuted"):
        return ""
    return f"the {row.side} is real here" if row.verdict == "supported" else "smaller here than what would matter"


def chance_text(table: ClaimTable) -> str:
    """How many of the verdicts may be wrong by chance."""
    if not table.judged:
        return f"None of {len(table.rows)} rows is judged yet."
    judged = f"{plural(table.judged, 'row')} of {len(table.rows)} {'is' if table.judged == 1 else 'are'} judged"
    if table.together:
        return (
            f"{judged}. The intervals of the study's claims hold together: the chance that any of their verdicts is "
            f"wrong is {table.wrong_by_chance:.0%} at most. Rows on time and memory are questions of their own."
        )
    return (
        f"{judged}. Each row is a question of its own at {table.confidence:.0%}; contrasts of one row share its error. "
        f"So up to {table.wrong_by_chance:.2g} of {plural(table.judged, 'verdict')} may be wrong by chance on average "
        f"({1 - table.confidence:.2g} {TIMES} {table.judged}); study.family=all makes them hold together."
    )

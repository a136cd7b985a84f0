"""The section on the fourteen claims, which opens the report of a study that judges them."""

from pipeline.records import ClaimRow, ClaimTable
from pipeline.report.claim_words import chance_text, meaning_text, title_text, verdict_text
from pipeline.report.layout import Column, Entry, Section, table
from pipeline.report.wording import MISSING, plain


def claims(fourteen: ClaimTable) -> Section:
    """One table of fourteen rows, and how many of its verdicts may be wrong by chance."""
    columns: list[Column[ClaimRow]] = [
        Column("claim", lambda row: Entry(title_text(row), f"{row.side}: {row.statement}", strong=True), words=True),
        Column("verdict", lambda row: Entry(verdict_text(row), meaning_text(row), strong=True), words=True),
        Column("number", lambda row: plain(row.number) or MISSING, words=True),
        Column("what was measured", lambda row: plain(row.measured), words=True),
        Column("what would change it", lambda row: plain(row.would_change), words=True),
    ]
    caption = "Intervals in brackets. The same rows stand in claims.json."
    return Section(
        anchor="claims",
        title="The fourteen claims",
        lead=f"Seven advantages and seven drawbacks of pretrained models, judged for {plain(fourteen.base, 60)} on "
        f"{plain(fourteen.task, 60)}. Of a drawback, “supported” means that it is real here. {chance_text(fourteen)}",
        tables=(table(fourteen.rows, columns, caption=caption, wrap=True),),
    )

"""The section on the fourteen claims, which opens the report of a study that judges them."""

from pipeline.language import tr
from pipeline.records import ClaimRow, ClaimTable
from pipeline.report.claim_words import chance_text, meaning_text, statement_text, title_text, verdict_text
from pipeline.report.layout import Column, Entry, Section, table
from pipeline.report.wording import MISSING, plain


def claims(fourteen: ClaimTable) -> Section:
    """One table of fourteen rows, and how many of its verdicts may be wrong by chance."""
    columns: list[Column[ClaimRow]] = [
        Column(tr("claim"), lambda row: Entry(title_text(row), statement_text(row), strong=True), words=True),
        Column(tr("verdict"), lambda row: Entry(verdict_text(row), meaning_text(row), strong=True), words=True),
        Column(tr("number"), lambda row: plain(row.number) or MISSING, words=True),
        Column(tr("what was measured"), lambda row: plain(row.measured), words=True),
        Column(tr("what would change it"), lambda row: plain(row.would_change), words=True),
    ]
    caption = tr("Intervals in brackets. The same rows stand in claims.json.")
    return Section(
        anchor="claims",
        title=tr("The fourteen claims"),
        lead=tr(
            "Seven advantages and seven drawbacks of pretrained models, judged for {base} on "
            "{task}. Of a drawback, “supported” means that it is real here. {chance}",
            base=plain(fourteen.base, 60),
            task=plain(fourteen.task, 60),
            chance=chance_text(fourteen),
        ),
        tables=(table(fourteen.rows, columns, caption=caption, wrap=True),),
    )

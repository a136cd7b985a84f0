"""Findings and claims as tables on the terminal."""

from rich.table import Table
from rich.text import Text

from pipeline.execution.console import Terminal
from pipeline.language import nouns, numeral, tr, translated, translated_sentence
from pipeline.records import ArmScore, ClaimTable, Findings
from pipeline.report.claim_words import chance_text, meaning_text, statement_text, title_text, verdict_text
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.report.verdicts import looks_text, question_text
from pipeline.report.wording import scale_of
from pipeline.study.plan import Plan
from pipeline.study.stated import Change

_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "bold yellow"}


def show_change(change: Change | None) -> None:
    """What the command changes of what the study stated before."""
    if change is None:
        return
    seen = "after results had been seen, so that verdicts which rest on it are marked" if change.after_looking else ""
    heading = f"Changed since the study was stated{f', {seen}' if seen else ''}:"
    print("\n  ".join([heading, *change.what]))


def show_own_files(plan: Plan) -> None:
    """Which files of the working folder took the place of presets, and which did not."""
    for sentence in plan.own_files:
        print(sentence)


def show_findings(findings: Findings) -> None:
    """Scores by arm and size, how far the looks have come, then a sentence for each claim."""
    console = Terminal()
    for dataset in dict.fromkeys(s.dataset for s in findings.scores):
        rows = [s for s in findings.scores if s.dataset == dataset]
        console.print(_scores(findings, dataset, rows))
    if looks := looks_text(findings):
        console.print(looks)
    for verdict in findings.verdicts:
        console.print(translated(verdict.statement) or verdict.claim, style="bold")
        console.print(f"  {verdict_sentence(findings, verdict)}", style=_STYLES[verdict.verdict].split()[-1])
        if asked := question_text(findings, verdict):
            console.print(f"  {asked}")
    for caveat in findings.caveats[:2]:
        console.print(tr("Note: {caveat}", caveat=translated_sentence(caveat)))


def show_claims(claims: ClaimTable) -> None:
    """The fourteen claims, a row each, and how many of their verdicts may be wrong by chance."""
    console = Terminal()
    title = tr("The fourteen claims about pretrained models, for {base} on {task}", base=claims.base, task=claims.task)
    table = Table(title=title, title_justify="left", show_lines=True)
    for column in (tr("claim"), tr("verdict"), tr("number and what was measured"), tr("what would change it")):
        table.add_column(column, min_width=12, ratio=None if column == tr("verdict") else 1, overflow="fold")
    for row in claims.rows:
        style = _STYLES.get(row.verdict, "dim")
        table.add_row(
            _lines(console, title_text(row), statement_text(row), style="bold"),
            _lines(console, verdict_text(row), meaning_text(row), style=style),
            _lines(console, row.number, row.measured, style="bold"),
            row.would_change,
        )
    console.print(table)
    console.print(chance_text(claims))


def _lines(console: Terminal, first: str, second: str, *, style: str) -> Text:
    """Two lines of which the first has the style; one where the other is empty."""
    lines = [console.render_str(first, style=style), console.render_str(second)]
    return Text("\n").join(line for line in lines if line)


def _scores(findings: Findings, dataset: str, rows: list[ArmScore]) -> Table:
    level = numeral(rows[0].estimate.level, ".0%") if rows else ""
    title = tr(
        "{metric} on {dataset} ({role}), mean over seeds and its {level} interval",
        metric=translated(findings.metric),
        dataset=translated(dataset),
        role=translated(rows[0].role.replace("_", "-")),
        level=level,
    )
    table = Table(title=title, title_justify="left")
    table.add_column(nouns(findings.counted), justify="right")
    for arm in findings.scored_arms:
        table.add_column(arm, justify="right")
    estimates, scale = {(s.arm, s.size): s.estimate for s in rows}, scale_of(findings.metric)
    for size in findings.sizes:
        cells = [estimates.get((arm, size)) for arm in findings.scored_arms]
        shown = [f"{scale.score(e.value)}  {scale.span(e)}" if e else tr("no result") for e in cells]
        table.add_row(translated(str(size)), *shown)
    return table

"""Plans and findings as tables on the terminal."""

from rich.table import Table
from rich.text import Text

from pipeline.execution.console import Terminal
from pipeline.execution.local import warm_up
from pipeline.language import nouns, numeral, tr, translated, translated_sentence
from pipeline.records import ArmScore, ClaimTable, Findings
from pipeline.report.claim_words import chance_text, meaning_text, statement_text, title_text, verdict_text
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.report.verdicts import looks_text, question_text
from pipeline.report.wording import PERCENT, scale_of, scale_of_claim
from pipeline.study.looks import looks_of
from pipeline.study.plan import Plan, on_each_base
from pipeline.study.power import POWER, Power, powers
from pipeline.study.pretraining import pretrainings
from pipeline.study.progress import duration
from pipeline.study.retention import retention
from pipeline.study.run import prepare
from pipeline.study.stated import Change
from pipeline.study.workload import estimated_seconds

_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "bold yellow"}


def show_plan(plan: Plan, whole: Plan | None = None) -> None:
    """The cells of a plan, which of them are finished, the memory and an estimate of the time for the rest.

    Args:
        plan: with the cells that can still be needed.
        whole: with those too that are not, where the claims that read them are settled.
    """
    console = Terminal()
    parts = [*pretrainings(plan), *on_each_base(plan)]
    to_train = sum(len(part.missing()) for part in parts)
    if to_train:
        warm_up(plan.hardware.threads)
    table = Table(title=f"{plan.config.study.name}: {plan.config.study.question}", title_justify="left")
    for column in ("cell", "arm", "size", "seed", "state"):
        table.add_column(column, justify="right" if column in ("size", "seed") else "left")
    for part in parts:
        for name, cell in part.cells.items():
            state = "finished" if part.store.has(name) else "to train"
            table.add_row(name, cell.arm.name, str(cell.train.size), str(cell.train.seed), state)
    for name, cell in (whole or plan).cells.items():
        if name not in plan.cells:
            table.add_row(name, cell.arm.name, str(cell.train.size), str(cell.train.seed), "not needed")
    console.print(table)
    for reason in plan.hardware.reasons:
        console.print(reason)
    ready = [prepare(part) for part in parts if part.missing()]
    for sentence in ready[-1].look if ready else ():
        console.print(f"Data: {sentence}")
    memory = [planned for one in ready for planned in one.memory]
    for planned in memory:
        console.print(planned.sentence)
    if memory and (weights := retention(plan, memory).sentence):
        console.print(weights)
    seconds, basis = zip(*map(estimated_seconds, parts), strict=True)
    total = sum(len(part.cells) for part in parts)
    looks = looks_of(plan.config.study)
    most = "At most " if to_train and len(looks) > 1 else ""
    time = f"about {duration(sum(seconds))} ({basis[-1]})"
    console.print(f"{most}{to_train} of {total} cells to train: {time}")
    if len(looks) > 1:
        *before, last = (str(len(look.seeds)) for look in looks)
        seeds = f"{', '.join(before)} and {last}"
        console.print(f"Looks at {seeds} seeds: cells that only settled claims need are left out.")
    _show_power(console, whole or plan)


def _show_power(console: Terminal, plan: Plan) -> None:
    """The smallest effect that each look can show of each claim, where finished cells tell."""
    study = plan.config.study
    if not study.claims:
        return
    by_claim = powers(plan)
    if not by_claim:
        console.print(
            "What effects it can show is not known yet: that takes two seeds of these arms and sizes, of this study or "
            f"of a pilot on others: study.name={study.name}_pilot 'study.seeds=[900,901,902]'.",
        )
        return
    pilot = min(power.pilot for power in by_claim)
    title = f"Smallest true effect that is shown with a chance of {POWER:.0%} (variances of {pilot} seeds)"
    table = Table(title=title, title_justify="left")
    table.add_column("claim")
    looks = [len(look.seeds) for look in looks_of(study)]
    for seeds in looks:
        table.add_column(f"{seeds} seeds", justify="right")
    for name in dict.fromkeys(power.claim for power in by_claim):
        effects = {power.seeds: _effect(plan, power) for power in by_claim if power.claim == name}
        table.add_row(name, *(effects.get(seeds, "") for seeds in looks))
    console.print(table)


def _effect(plan: Plan, power: Power) -> str:
    scale = scale_of_claim(plan.config.task.metric, plan.config.study.claims[power.claim].audit)
    return "none at all" if scale is PERCENT and power.effect >= 1 else scale.amount(power.effect)


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

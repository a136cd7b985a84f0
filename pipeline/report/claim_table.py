"""The table of the fourteen claims: one row each, with verdict, number, what was measured and what would change it."""

from collections.abc import Iterator, Sequence

from pipeline.analysis.verdict import INCONCLUSIVE, REFUTED, SUPPORTED
from pipeline.language import marked, nouns, numeral, tr, translated, translated_sentence
from pipeline.records import CellResult, ClaimRow, ClaimTable, Estimate, Findings, Judgement, RowVerdict, Verdict
from pipeline.records.metrics import MULTIPLIERS
from pipeline.report.verdict_sentences import asked_text, finding_text, next_step
from pipeline.report.wording import (
    behind,
    byte_size,
    duration,
    plural,
    ratio_text,
    scale_of,
    scale_of_effect,
    size_name,
)
from pipeline.study.finding.basis import Basis, table_of
from pipeline.study.finding.cell_scores import CellScores
from pipeline.study.finding.estimates import Replicates
from pipeline.study.finding.ordinary_machine import (
    GIGABYTES,
    MILLISECONDS,
    MINUTES,
    Demand,
    too_demanding,
    useful_within_limits,
)
from pipeline.study.fourteen_claims import FOURTEEN, PretrainedClaim, is_one_of_fourteen

_OF_COSTS = ("democratisation", "infrastructure")


def claim_table(basis: Basis, cells: Sequence[CellResult], store: CellScores, findings: Findings) -> ClaimTable | None:
    """The fourteen rows that finished cells give; None for a study that judges none of the fourteen."""
    if not is_one_of_fourteen(basis.study):
        return None
    table = table_of(basis, cells, store)
    demands = {
        "democratisation": useful_within_limits(table, Replicates(table)),
        "infrastructure": too_demanding(table),
    }
    rows = tuple(_row(basis, findings, claim, demands.get(claim.name)) for claim in FOURTEEN)
    judged, error = sum(row.verdict != "not_judged" for row in rows), 1.0 - basis.study.confidence
    together = basis.study.family == "all"
    return ClaimTable(
        study=findings.study,
        base=findings.base,
        task=findings.task,
        confidence=basis.study.confidence,
        together=together,
        judged=judged,
        wrong_by_chance=round(error if together else error * judged, 6),
        rows=rows,
    )


def _row(basis: Basis, findings: Findings, claim: PretrainedClaim, demand: Demand | None) -> ClaimRow:
    asked = [v for v in findings.verdicts if basis.study.claims[v.claim].family == claim.name]
    if demand is not None:
        return _costed(basis, findings, claim, demand)
    if not asked:
        if claim.name in _OF_COSTS and not (findings.looks and findings.looks.reached):
            return _filled(claim, "not_judged", measured=tr("no look is reached yet"), would_change=_to_a_look(basis))
        lack = claim.unjudged(basis)
        judge = (
            tr("This would judge it: {command}", command=lack.command)
            if lack.command
            else tr("No command judges it yet.")
        )
        return _filled(claim, "not_judged", measured=translated_sentence(lack.why), would_change=judge)
    return _contrasted(basis, findings, claim, asked)


def _to_a_look(basis: Basis) -> str:
    """What an open row needs before its first look."""
    if basis.study.budget is None:
        return tr("Run the study again: it trains only the cells that are missing.")
    return tr(
        "A larger study.budget than {budget}: the same command again names the least for a first look.",
        budget=basis.study.budget,
    )


def _contrasted(basis: Basis, findings: Findings, claim: PretrainedClaim, asked: Sequence[Verdict]) -> ClaimRow:
    """A row of one contrast or several, which must all hold: what refutes it, or leaves it open, decides."""
    judgements = [v.verdict for v in asked]
    verdict: Judgement = REFUTED if REFUTED in judgements else INCONCLUSIVE if INCONCLUSIVE in judgements else SUPPORTED
    decisive = next(v for v in asked if v.verdict == verdict)
    measured = "; ".join(_measured(findings, v) for v in asked)
    step = translated(claim.turns) if verdict != INCONCLUSIVE else next_step(findings, decisive)
    if any(o.kind == "missing_cells" for o in decisive.obstacles):
        step = _to_a_look(basis)
    return _filled(
        claim,
        "not_judged" if decisive.estimate is None else verdict,
        estimate=decisive.estimate,
        number=_number(findings, decisive),
        measured=measured,
        would_change=step,
        claims=tuple(v.claim for v in asked),
        extra=" ".join([*_bytes(findings, claim, asked), *_after_looking(asked)]),
    )


def _filled(
    claim: PretrainedClaim,
    verdict: RowVerdict,
    *,
    measured: str,
    would_change: str,
    estimate: Estimate | None = None,
    number: str = "",
    claims: tuple[str, ...] = (),
    extra: str = "",
) -> ClaimRow:
    return ClaimRow(
        claim=claim.name,
        side=claim.side,
        statement=claim.statement,
        verdict=verdict,
        estimate=estimate,
        number=number,
        measured=" ".join(part for part in (_sentence(measured), extra) if part),
        would_change=f"{would_change[:1].upper()}{would_change[1:]}",
        claims=claims,
        link=f"report.html#{claim.section}" if estimate else "",
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _measured(findings: Findings, v: Verdict) -> str:
    text = finding_text(findings, v)
    return f"{text} ({behind([v.estimate])}; {asked_text(findings, v)})" if v.estimate else text


def _number(findings: Findings, v: Verdict) -> str:
    e = v.estimate
    if e is None:
        return ""
    scale = scale_of_effect(findings.metric, v)
    return f"{scale.change(e.value)}{_less(v)} ({scale.span(e, signed=True)})"


def _less(v: Verdict) -> str:
    """With how much less of what a multiplier speaks of: " with half the labels"."""
    if v.metric not in MULTIPLIERS:
        return ""
    labels, half, ratio = v.metric == "label_multiplier", v.delta == 2, ratio_text(v.delta)
    if half:
        return tr(" with half the labels") if labels else tr(" with half the computation")
    form = marked(" with 1/{ratio} of the labels") if labels else marked(" with 1/{ratio} of the computation")
    return tr(form, ratio=ratio)


def _after_looking(asked: Sequence[Verdict]) -> Iterator[str]:
    yield from _changes([text for v in asked for text in v.after_looking])


def _changes(texts: Sequence[str]) -> Iterator[str]:
    if changed := dict.fromkeys(texts):
        yield tr("After looking: {changes}.", changes="; ".join(map(translated_sentence, changed)))


def _bytes(findings: Findings, claim: PretrainedClaim, asked: Sequence[Verdict]) -> Iterator[str]:
    """What each arm of the contrasts keeps of a task, which is exact."""
    if claim.name != "storage":
        return
    stored = {c.arm: c.stored_bytes for v in asked for c in findings.costs if c.size == v.size}
    arms = dict.fromkeys(arm for v in asked for arm in (v.arm, v.against) if arm in stored)
    kept = ", ".join(tr("{size} for {arm}", size=byte_size(stored[arm]), arm=arm) for arm in arms)
    if kept:
        yield tr("Kept for a task: {kept}.", kept=kept)


def _costed(basis: Basis, findings: Findings, claim: PretrainedClaim, demand: Demand) -> ClaimRow:
    seconds, memory, score = demand.seconds, demand.memory, demand.score
    where = f"{size_name(demand.size)} {nouns(findings.counted)}, {plural(seconds.seeds, 'seed')}"
    level = tr("{level:.4g}% intervals", level=100 * seconds.level)
    takes = tr(
        "one training takes {time} of {minutes} minutes ({time_share}) and "
        "{memory} of {gigabytes} GB ({memory_share}) on this machine at {where}",
        time=duration(seconds.value * 60 * MINUTES),
        minutes=MINUTES,
        time_share=_percent(seconds),
        memory=byte_size(memory.value * 1e9 * GIGABYTES),
        gigabytes=GIGABYTES,
        memory_share=_percent(memory),
        where=where,
    )
    largest, number = _largest(demand)
    if score is not None:
        scale = scale_of(findings.metric)
        target = scale.score(basis.study.target or 0.0)
        number = tr(
            "{score} ({span}), target {target}", score=scale.score(score.value), span=scale.span(score), target=target
        )
        takes = tr(
            "the pretrained arm scores {score} where {target} is useful; {takes}",
            score=scale.score(score.value),
            target=target,
            takes=takes,
        )
    elif claim.name == "infrastructure":
        takes = f"{takes}; {_answering(demand.answer)}"
    more = tr("More seeds (study.seeds, or a larger study.budget).")
    if claim.name == "infrastructure" and demand.answer is None:
        more = tr("How long an answer takes: study.audits=[latency], in every cell.")
    return _filled(
        claim,
        demand.verdict,
        estimate=score or largest,
        number=number,
        measured=f"{takes}; {level}",
        would_change=more if demand.verdict == INCONCLUSIVE else translated(claim.turns),
        extra=" ".join(_changes(basis.standing.costs_after_looking.get(claim.name, ()))),
    )


def _largest(demand: Demand) -> tuple[Estimate, str]:
    """The share of an ordinary machine that is the largest, and its number: "16% of the time (15.1% to 17.0%)"."""
    forms = [
        (demand.seconds, marked("{share:.0%} of the time ({span})")),
        (demand.memory, marked("{share:.0%} of the memory ({span})")),
        *([(demand.answer, marked("{share:.0%} of the time for an answer ({span})"))] if demand.answer else []),
    ]
    largest, form = max(forms, key=lambda pair: pair[0].value)
    return largest, tr(form, share=largest.value, span=_percent(largest))


def _answering(answer: Estimate | None) -> str:
    if answer is None:
        return tr("how long an answer takes was not measured (study.audits=[latency])")
    return tr(
        "95% of test texts are answered within {time} ms of {limit} ms ({share}), on one thread",
        time=numeral(answer.value * MILLISECONDS, ".3g"),
        limit=MILLISECONDS,
        share=_percent(answer),
    )


def _percent(share: Estimate) -> str:
    """The interval of a share: "3.1% to 3.6%"."""
    return tr("{low:.1%} to {high:.1%}", low=share.low, high=share.high)

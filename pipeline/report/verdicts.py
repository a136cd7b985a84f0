"""A verdict as the report shows it: a badge, one sentence and its interval against the smallest effect that matters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.language import marked, numeral, tr, translated, translated_sentence
from pipeline.records import ClaimTest, Findings, Looks, RivalChoice, Verdict
from pipeline.records.metrics import MULTIPLIERS
from pipeline.report.verdict_sentences import REFUTATIONS, asked_text, finding_text, interval_text, next_step
from pipeline.report.wording import Scale, plain, scale_of_effect, size_name


@dataclass(frozen=True, kw_only=True)
class Strip:
    """An interval on a line, positions in per cent of its width; what is claimed lies from `delta` to `edge`.

    `zone` says in words what begins at `delta_text`. `open_low` and `open_high` say that the interval goes on beyond
    what is drawn.
    """

    low: float
    value: float
    high: float
    nothing: float
    delta: float
    edge: float
    open_low: bool
    open_high: bool
    nothing_text: str
    delta_text: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class VerdictView:
    """`kind` is supported, refuted or inconclusive, `judgement` its word and `how` a refutation's kind.

    `details` stand behind the sentence. `question` says what is compared with what, where that is the start alone or
    the best from scratch; `notes` at which look the verdict was reached, and what was changed after looking.
    """

    kind: str
    judgement: str
    how: str
    claim: str
    sentence: str
    next_step: str
    details: str
    strip: Strip | None
    question: str = ""
    notes: tuple[str, ...] = ()


def verdict_views(findings: Findings) -> tuple[VerdictView, ...]:
    """The verdicts in the order of the study's claims."""
    return tuple(_view(findings, v) for v in findings.verdicts)


def question_text(findings: Findings, v: Verdict) -> str:
    """Which question the verdict answers, with the shares of the choice; empty where it is neither of the two."""
    if v.comparison == "same_network":
        return tr("Question: what is the start worth? Same network, other start.")
    if v.comparison == "other":
        return ""
    sizes = {term.size for term in v.terms if term.arm == v.against} or {v.size}
    read = [c for c in findings.choices if c.size in sizes]
    shares = "; ".join(_shares(c, f"n={size_name(c.size)}: " if len(read) > 1 else "") for c in read)
    asked = tr("Question: does it beat the best that was trained from scratch here?")
    chosen = tr("Chosen on validation within each seed{shares}.", shares=shares and f": {shares}")
    return f"{asked} {chosen}"


def looks_text(findings: Findings) -> str:
    """The planned looks, which of them this is, and what the next one lacks; empty for a study of one look that has
    all its cells.
    """
    looks = findings.looks
    if looks is None or (len(looks.seeds) == 1 and not looks.lacking and not looks.budget):
        return ""
    several = len(looks.seeds) > 1
    parts = [_planned(looks)]
    if looks.reached:
        parts.append(_levels(findings, looks))
    if looks.lacking:
        first = ", ".join(plain(name, 60) for name in looks.lacking[:3])
        more = tr(" and {number:,} more", number=len(looks.lacking) - 3) if len(looks.lacking) > 3 else ""
        which = tr("next look") if looks.reached else tr("first look") if several else tr("look")
        parts.append(tr("Scores are interim: the {look} lacks {cells}{more}.", look=which, cells=first, more=more))
    return " ".join(parts)


def _levels(findings: Findings, looks: Looks) -> str:
    """At which level verdicts were reached, if that is one for all."""
    levels = {v.level for v in findings.verdicts if v.look == looks.reached and v.level}
    if len(levels) > 1:
        return tr("Each verdict names the level of its own interval.")
    level = tr("{level:.4g}% interval", level=100 * min(levels, default=looks.levels[looks.reached - 1]))
    if all(v.look == looks.reached for v in findings.verdicts):
        return tr("Each verdict rests on a {interval}.", interval=level)
    return tr("Verdicts of this look rest on a {interval}; earlier ones name their own.", interval=level)


def _planned(looks: Looks) -> str:
    if looks.budget:
        before = tr(" Looks before it: at {seeds} seeds.", seeds=_listed(looks.seeds[:-1])) if looks.seeds[1:] else ""
        return tr(
            "The study ended when its budget of {budget} was spent, with a look at all {seeds:,} complete seeds and "
            "the error that was left.{before}",
            budget=plain(looks.budget),
            seeds=looks.seeds[-1],
            before=before,
        )
    seeds = _listed(looks.seeds)
    form = marked("Looks planned at {seeds} seeds") if looks.seeds[1:] else marked("One look planned at {seeds} seeds")
    planned = tr(form, seeds=seeds)
    this = tr("this is the {ordinal}", ordinal=_ordinal(looks.reached)) if looks.reached else tr("none is reached yet")
    return f"{planned}; {this}."


def _listed(numbers: Sequence[int]) -> str:
    *most, last = (numeral(n, ",") for n in numbers)
    return tr("{most} and {last}", most=", ".join(most), last=last) if most else last


_ORDINALS = (
    marked("first"),
    marked("second"),
    marked("third"),
    marked("fourth"),
    marked("fifth"),
    marked("sixth"),
    marked("seventh"),
    marked("eighth"),
    marked("ninth"),
)


def _ordinal(number: int) -> str:
    return translated(_ORDINALS[number - 1]) if number <= len(_ORDINALS) else tr("number {number}", number=number)


_JUDGED = marked("Judged at the {ordinal} look, of {seeds:,} seeds{level}.")
_REACHED = marked("Reached at the {ordinal} look, of {seeds:,} seeds{level}.")


def _notes(findings: Findings, v: Verdict) -> tuple[str, ...]:
    """At which of several looks the verdict was reached, and what was changed after results had been seen."""
    looks = findings.looks
    notes = []
    if looks and len(looks.seeds) > 1 and v.look:
        level = tr(", on a {level:.4g}% interval", level=100 * v.level) if v.level else ""
        form = _JUDGED if v.verdict == "inconclusive" else _REACHED
        notes.append(tr(form, ordinal=_ordinal(v.look), seeds=looks.seeds[v.look - 1], level=level))
    if v.after_looking:
        notes.append(
            tr("After looking: {changes}.", changes=plain("; ".join(map(translated_sentence, v.after_looking))))
        )
    return tuple(notes)


def _shares(choice: RivalChoice, where: str) -> str:
    ordered = sorted(choice.shares.items(), key=lambda pair: (-pair[1], pair[0]))
    return where + ", ".join(
        tr("{arm} {count} of {seeds}", arm=plain(arm, 40), count=count, seeds=len(choice.seeds))
        for arm, count in ordered
    )


def _view(findings: Findings, v: Verdict) -> VerdictView:
    how = translated(REFUTATIONS[v.refutation]) if v.refutation else ""
    measured = plain(finding_text(findings, v))
    return VerdictView(
        kind=v.verdict,
        judgement=translated(v.verdict),
        how=", ".join(part for part in (how, tr("after looking") if v.after_looking else "") if part),
        claim=plain(translated(v.statement) or v.claim),
        sentence=f"{measured[:1].upper()}{measured[1:]}{'.' if v.estimate else ''}",
        next_step=plain(next_step(findings, v)),
        details=_details(findings, v),
        strip=_strip(v, scale_of_effect(findings.metric, v)) if v.estimate else None,
        question=question_text(findings, v),
        notes=_notes(findings, v),
    )


def _details(findings: Findings, v: Verdict) -> str:
    """The numbers behind what was found."""
    if v.estimate is None:
        return ""
    return " · ".join(
        (interval_text(findings, v), asked_text(findings, v), plain(translated_sentence(v.estimate.method), 120))
    )


def _strip(v: Verdict, scale: Scale) -> Strip | None:
    e = v.estimate
    if e is None or math.isnan(e.low) or math.isnan(e.high):
        return None
    threshold = -v.threshold if v.direction == "lower" else v.threshold
    edges = [threshold, *([-threshold] if v.test == "equivalent" else [])]
    nothing = 0.0
    ends = [e.low, e.value, e.high]
    finite = [x for x in (*ends, nothing, *edges) if math.isfinite(x)]
    room = 0.12 * (max(finite) - min(finite)) or 1.0
    low, high = min(finite) - room, max(finite) + room

    def at(x: float) -> float:
        return round(100 * (min(max(x, low), high) - low) / (high - low), 2)

    return Strip(
        low=at(ends[0]),
        value=at(ends[1]),
        high=at(ends[2]),
        nothing=at(nothing),
        delta=at(edges[0]),
        edge=at(edges[1]) if len(edges) > 1 else 100.0 if v.direction != "lower" else 0.0,
        open_low=math.isinf(ends[0]),
        open_high=math.isinf(ends[2]),
        nothing_text=scale.nothing,
        delta_text=scale.edge(threshold, both_ways=v.test == "equivalent"),
        zone=translated(_ZONES[v.test]) if v.metric not in MULTIPLIERS or v.test != "superior" else tr("claimed from"),
    )


_ZONES: dict[ClaimTest, str] = {
    "superior": marked("matters from"),
    "not_inferior": marked("allowed from"),
    "equivalent": marked("allowed within"),
}

"""The section on tuning: what trials bought each arm, and how many one needs to reach another."""

import re

from pipeline.language import marked, nouns, tr, translated
from pipeline.records import Findings, TuningCurve, TuningNeed
from pipeline.report.figures.tuning import tuning_curves
from pipeline.report.layout import Column, Entry, Section, Table, arm_entry, size_entry, table
from pipeline.report.wording import MISSING, plain, plural, scale_of


def tuning(findings: Findings) -> Section | None:
    """The best validation score against trials; None where nothing was tuned."""
    if not findings.tuning:
        return None
    alike = all(c.exchangeable for c in findings.tuning)
    return Section(
        anchor="tuning",
        title=tr("Tuning"),
        lead=tr("Recipes come from a sweep for each arm, judged on validation, with as many trials for each."),
        panels=tuning_curves(findings),
        caption=translated(_EXPECTED if alike else _SO_FAR),
        tables=(_table(findings), *_needs(findings)),
    )


_EXPECTED = marked("The expected best of so many trials, unbiased; trials were drawn at random and none was pruned.")
_SO_FAR = marked(
    "The best so far, along the one path there is: another seed of the sampler would have taken another. "
    "A pruned trial counts with its best value seen."
)


def _short(overrides: str) -> str:
    """Settings to be read, not to be pasted: without their group, numbers to three digits."""
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda match: f"{float(match[0]):.3g}", overrides.replace("train.", ""))


def _table(findings: Findings) -> Table:
    scale = scale_of(findings.metric)
    columns: list[Column[TuningCurve]] = [
        Column(tr("arm"), lambda c: arm_entry(c.arm), words=True),
        Column(nouns(findings.counted), lambda c: size_entry(findings, c.size), words=True),
        Column(tr("best settings"), lambda c: plain(_short(c.overrides), 120), words=True),
        Column(tr("own recipe"), lambda c: MISSING if c.own is None else scale.score(c.own)),
        Column(tr("tuned"), lambda c: Entry(scale.score(c.best[-1]), strong=True)),
        Column(nouns("trial"), _trials),
    ]
    return table(findings.tuning, columns, caption=tr("Validation, of the best trial."))


def _trials(curve: TuningCurve) -> str:
    ends = [tr("{number} pruned", number=curve.pruned)] if curve.pruned else []
    ends += [tr("{number} failed", number=curve.failed)] if curve.failed else []
    return f"{len(curve.best)}" + (f" ({', '.join(ends)})" if ends else "")


def _needs(findings: Findings) -> tuple[Table, ...]:
    scale = scale_of(findings.metric)
    columns: list[Column[TuningNeed]] = [
        Column(tr("arm"), lambda n: arm_entry(n.arm), words=True),
        Column(tr("to reach the tuned"), lambda n: arm_entry(n.against), words=True),
        Column(nouns(findings.counted), lambda n: size_entry(findings, n.size)),
        Column(tr("validation"), lambda n: scale.score(n.score)),
        Column(tr("takes"), lambda n: tr("not reached") if n.trials is None else plural(n.trials, "trial")),
    ]
    return (table(findings.tuning_needs, columns),) if findings.tuning_needs else ()

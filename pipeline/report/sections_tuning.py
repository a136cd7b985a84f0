"""The section on tuning: what trials bought each arm, and how many one needs to reach another."""

import re

from pipeline.records import Findings, TuningCurve
from pipeline.report.figures.tuning import tuning_curves
from pipeline.report.layout import Entry, Section, Table, arm_entry, size_entry
from pipeline.report.wording import MISSING, plain, plural, scale_of


def tuning(findings: Findings) -> Section | None:
    """The best validation score against trials; None where nothing was tuned."""
    if not findings.tuning:
        return None
    alike = all(c.exchangeable for c in findings.tuning)
    return Section(
        anchor="tuning",
        title="Tuning",
        lead="Recipes come from a sweep for each arm, judged on validation, with as many trials for each.",
        panels=tuning_curves(findings),
        caption=_EXPECTED if alike else _SO_FAR,
        tables=(_table(findings), *_needs(findings)),
    )


_EXPECTED = "The expected best of so many trials, unbiased; trials were drawn at random and none was pruned."
_SO_FAR = (
    "The best so far, along the one path there is: another seed of the sampler would have taken another. "
    "A pruned trial counts with its best value seen."
)


def _short(overrides: str) -> str:
    """Settings to be read, not to be pasted: without their group, numbers to three digits."""
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda found: f"{float(found[0]):.3g}", overrides.replace("train.", ""))


def _table(findings: Findings) -> Table:
    scale = scale_of(findings.metric)
    rows = [
        (
            arm_entry(c.arm),
            size_entry(findings, c.size),
            Entry(plain(_short(c.overrides), 120)),
            Entry(MISSING if c.own is None else scale.score(c.own)),
            Entry(scale.score(c.best[-1]), strong=True),
            Entry(_trials(c)),
        )
        for c in findings.tuning
    ]
    header = ("arm", f"{findings.counted}s", "best settings", "own recipe", "tuned", "trials")
    return Table(caption="Validation, of the best trial.", header=header, rows=tuple(rows), names=3)


def _trials(curve: TuningCurve) -> str:
    ends = [f"{n} {word}" for n, word in ((curve.pruned, "pruned"), (curve.failed, "failed")) if n]
    return f"{len(curve.best)}" + (f" ({', '.join(ends)})" if ends else "")


def _needs(findings: Findings) -> tuple[Table, ...]:
    scale = scale_of(findings.metric)
    rows = tuple(
        (
            arm_entry(n.arm),
            arm_entry(n.against),
            size_entry(findings, n.size),
            Entry(scale.score(n.score)),
            Entry("not reached" if n.trials is None else plural(n.trials, "trial")),
        )
        for n in findings.tuning_needs
    )
    header = ("arm", "to reach the tuned", f"{findings.counted}s", "validation", "takes")
    return (Table(caption="", header=header, rows=rows, names=2),) if rows else ()

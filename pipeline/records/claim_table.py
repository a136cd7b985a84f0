"""claims.json: the fourteen claims about pretrained models, one row each, as they were judged on one task and base."""

from dataclasses import dataclass
from typing import Literal

from pipeline.records.verdict import Estimate

ClaimName = Literal[
    "less_compute", "less_data", "generalisation", "development", "initial_accuracy", "transfer", "democratisation",
    "infrastructure", "bias", "opacity", "fine_tuning", "storage", "obsolescence", "misuse",
]  # fmt: skip
Side = Literal["advantage", "drawback"]
RowVerdict = Literal["supported", "refuted", "inconclusive", "not_judged"]


@dataclass(frozen=True, kw_only=True)
class ClaimRow:
    """One of the fourteen claims, and what the study found on it.

    Args:
        statement: what is claimed, as its supporters (of an advantage) or critics (of a drawback) say it.
        verdict: of a drawback, "supported" means that the drawback is real here.
        estimate: of several contrasts the one that decided; None if nothing was measured.
        number: the same in words, with its interval.
        measured: what was compared, on what; for a row that is not judged, why it is not.
        would_change: what would settle an open row or could turn a settled one; the command that would judge a row
            that is not judged.
        claims: the study's claims that the row rests on; none where it is read off measured costs.
        link: where the details stand, relative to the study's folder.
    """

    claim: ClaimName
    side: Side
    statement: str
    verdict: RowVerdict
    estimate: Estimate | None = None
    number: str = ""
    measured: str = ""
    would_change: str = ""
    claims: tuple[str, ...] = ()
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class ClaimTable:
    """All fourteen. `wrong_by_chance` is how many verdicts to expect wrong at most, if all intervals hold their level.

    `together` says that the intervals of all rows hold together (study.family=all), so that it is the chance that any
    verdict is wrong.
    """

    study: str
    base: str
    task: str
    confidence: float
    together: bool
    judged: int
    wrong_by_chance: float
    rows: tuple[ClaimRow, ...]

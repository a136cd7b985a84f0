"""What training and answering take of an ordinary machine: times and memory of finished cells, as shares of its limits.

Read off measured costs, so it holds for the machine that trained the cells and stands outside of the findings. Looks
share the error as those of any claim do.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.crossed_interval import CrossedMean, mean_over
from pipeline.analysis.multiple_comparisons import simultaneous_level
from pipeline.config.schema import Claim
from pipeline.records import CellResult, Estimate, Judgement, ScoreTerm
from pipeline.study.finding.costs import LOG_T
from pipeline.study.finding.estimates import Effect, Replicates, effect
from pipeline.study.finding.failing import Failing, failing
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import claim_size, plain_looks

ARM = "pretrained"
MINUTES, GIGABYTES = 10, 4  # of an ordinary machine, for one training; it has no GPU
MILLISECONDS = 100  # for an answer: up to a tenth of a second it seems to come at once (Miller 1968, Nielsen 1993)


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What one training and one answer take of an ordinary machine, and whether it is too much.

    Args:
        seconds: geometric mean over seeds, as a share of MINUTES.
        memory: of the peak memory, as a share of GIGABYTES.
        answer: of the time within which 95% of test texts are answered, as a share of MILLISECONDS; None where that is
            not asked, or not every cell was examined for it (audits/latency.py).
        score: on the test set, if a useful one is asked for too.
    """

    verdict: Judgement
    size: Size
    seconds: Estimate
    memory: Estimate
    answer: Estimate | None = None
    score: Estimate | None = None


def too_demanding(table: Table) -> Demand | None:
    """Whether training the pretrained arm, or its answers, take more than an ordinary machine has; None where that is
    not known.
    """
    return _first_settled(table, None)


def useful_within_limits(table: Table, replicates: Replicates) -> Demand | None:
    """Whether the pretrained arm reaches the study's target on an ordinary machine; None without a target."""
    return None if table.study.target is None else _first_settled(table, replicates)


def _first_settled(table: Table, replicates: Replicates | None) -> Demand | None:
    """The answer of the first look that settles the question, else of the last one that is reached."""
    study, demand = table.study, None
    size = claim_size(study, Claim())
    for count, share in zip(*plain_looks(study), strict=True):
        seeds = sorted(study.seeds[:count])
        if not set(seeds) <= set(table.seeds((ARM, size))):
            break
        cells = table.of(ARM, size, seeds)
        if not all(cell.measured.libraries_bytes for cell in cells):  # on a GPU, or not known
            return None
        answers = None if replicates else _answer_seconds(cells)
        level = simultaneous_level(study.confidence, 3 if replicates or answers else 2, share)
        demand = _at(table, replicates, size, cells, answers, level)
        if demand.verdict != "inconclusive":
            break
    return demand


def _at(
    table: Table,
    replicates: Replicates | None,
    size: Size,
    cells: Sequence[CellResult],
    answers: Sequence[float] | None,
    level: float,
) -> Demand:
    shares = [
        _share([cell.measured.seconds for cell in cells], 60.0 * MINUTES),
        _share([cell.measured.peak_memory_bytes for cell in cells], 1e9 * GIGABYTES),
        *([_share(answers, MILLISECONDS / 1e3)] if answers else []),
    ]
    ends = [(s.value - s.guarded_half_width(level), s.value + s.guarded_half_width(level)) for s in shares]
    exceeds, within = any(low > 0 for low, _ in ends), all(high < 0 for _, high in ends)  # logarithms of shares
    found = failing(table, ARM, size, [cell.key.seed for cell in cells])
    score = _scored(table, replicates, size, cells, level) if replicates else None
    seconds, memory, *answer = (_as_ratio(share, level) for share in shares)
    return Demand(
        verdict=_demands(exceeds, within and bool(answers))
        if score is None
        else _serves(table, score, found, level, exceeds, within),
        size=size,
        seconds=seconds,
        memory=memory,
        answer=answer[0] if answer else None,
        score=score.estimate if score else None,
    )


def _scored(
    table: Table, replicates: Replicates, size: Size, cells: Sequence[CellResult], level: float
) -> Effect | None:
    if table.in_domain is None:
        return None
    term = ScoreTerm(weight=1.0, arm=ARM, size=size, dataset=table.in_domain.name)
    return effect(table, replicates, [term], [cell.key.seed for cell in cells], level)


def _answer_seconds(cells: Sequence[CellResult]) -> list[float] | None:
    """The time within which each cell answers 95% of test texts; None where one of them was not examined for it."""
    found = [a.numbers["p95_milliseconds"] / 1e3 for cell in cells for a in cell.audits if a.audit == "latency"]
    return found if len(found) == len(cells) else None


def _demands(exceeds: bool, within: bool) -> Judgement:
    """Whether any limit is exceeded; that none is takes all of them to be measured, the time of answers too."""
    if exceeds:
        return "supported"
    return "refuted" if within else "inconclusive"


def _serves(table: Table, score: Effect, found: Failing, level: float, exceeds: bool, within: bool) -> Judgement:
    """Whether the target is reached too, with the room that a verdict leaves for skewed seeds and for failures."""
    above, half = table.sign * (score.mean.value - (table.study.target or 0.0)), score.mean.guarded_half_width(level)
    better, worse = found.changes
    if exceeds or above + half + better < 0:
        return "refuted"
    return "supported" if within and above - half + worse >= 0 else "inconclusive"


def _share(values: Sequence[float], limit: float) -> CrossedMean:
    """The mean over seeds of the logarithm of the share of the limit."""
    return mean_over(np.log(np.asarray(values, dtype=np.float64) / limit))


def _as_ratio(mean: CrossedMean, level: float) -> Estimate:
    """The geometric mean of the shares."""
    low, high = mean.interval(level)
    return Estimate(
        value=math.exp(mean.value),
        low=math.exp(low),
        high=math.exp(high) if math.isfinite(high) else math.inf,
        level=level,
        seeds=mean.seeds,
        items=0,
        method=LOG_T,
    )

"""What stands between an interval and a verdict: what an arm could do better for the asking, or worse by bad luck.

An arm that has not converged would gain by longer training, one below the best answer that reads no text could give
that answer, and `scratch` below the bag of words is not the best there is without pretraining. An arm of which no
training failed may have trainings that do; gaps and audits are about those that learn. If the interval, moved by what
the arm could gain or lose, no longer gives the same verdict, the claim is not judged.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.two_kinds_of_seeds import failing_shares
from pipeline.audits import AUDITS
from pipeline.methods import METHODS
from pipeline.records import CellResult, Obstacle, ObstacleKind, ScoreTerm, Verdict
from pipeline.study.finding.costs import late_loss_fall
from pipeline.study.finding.early import Floats, Part, read_off
from pipeline.study.finding.failing import failing
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import BAG_OF_WORDS, BASELINE, Group, words_read
from pipeline.study.verdicts.judging import undone
from pipeline.study.verdicts.question import Question

CONVERGED = 0.005  # late gain in validation score, below which an arm counts as converged
FALLING = 0.05  # share of the validation loss that an arm loses late, from which on it does not
MORE = 2.0  # times the late gain, that twice as many steps may bring
EITHER_WAY = ("generalisation_gap", "effective_robustness", "audit")  # a better score may raise or lower these


@dataclass(frozen=True, kw_only=True)
class Reserve:
    """By how much an arm could score better at a size, infinite if that is not known, and the obstacle that it is.

    A negative gain says by how much it could score worse.
    """

    group: Group
    gain: float
    obstacle: Obstacle


def undoing(question: Question, measured: Verdict) -> tuple[Obstacle, ...]:
    """The obstacles that undo the verdict which the estimate of `measured` gives: what arms could easily do better."""
    return tuple(r.obstacle for r in _reserves(question, measured) if _undoes(question, measured, r))


def room_for_failures(question: Question, terms: Sequence[ScoreTerm], seeds: int) -> float:
    """How much larger an effect in the claim's direction must be, with so many seeds, so that failures which none of
    them showed would not undo a verdict on it. Gaps and audits are about trainings that learn, and need none.
    """
    if question.claim.metric in EITHER_WAY:
        return 0.0
    table, claim = question.table, question.claim
    most = failing_shares(0, seeds, 1.0 - table.study.confidence)[1]
    sign = -table.sign if claim.direction == "lower" else table.sign
    weights = [(sign * t.weight, (t.arm, t.size)) for t in terms]
    if claim.metric in ("gain_over_start", "early_area"):
        weights = [(1.0, (claim.arm, question.size))]
    return most * sum(max(0.0, weight) * failing(table, *group).loss for weight, group in weights)


def _reserves(question: Question, measured: Verdict) -> Iterator[Reserve]:
    claim, size = question.claim, question.size
    if claim.audit and AUDITS[claim.audit].measure.timed:  # a better score would take the same time
        return
    if claim.metric == "gain_over_start":
        yield from _longer(question, (claim.arm, size))
        yield from _failures(question, (claim.arm, size))
    elif claim.metric == "early_area":  # of a training that fails no point is above the one that is kept, its first
        for arm in (claim.arm, claim.against):
            yield from _failures(question, (arm, size))
    elif claim.metric in EITHER_WAY:
        read = [(term.arm, term.size) for term in measured.terms] or [(claim.arm, size), (claim.against, size)]
        for group in dict.fromkeys(read):
            yield from _unknown(_longer(question, group))
            yield from _kept_start(question, group)
    else:
        for (arm, at), dataset in dict.fromkeys(((t.arm, t.size), t.dataset) for t in measured.terms):
            if claim.metric != "compute_multiplier":  # which compares runs of stated lengths, converged or not
                yield from _longer(question, (arm, at))
            yield from _failures(question, (arm, at))
            yield from _constant(question, (arm, at), dataset)
            if (BAG_OF_WORDS, at) in words_read(question.table.study, claim) and arm == BASELINE:
                yield from _words(question, at, dataset)


def _undoes(question: Question, measured: Verdict, reserve: Reserve) -> bool:
    """Whether the verdict is another one once the interval reaches as far as the other score would move it."""
    if reserve.gain == 0.0:
        return False
    if measured.metric in EITHER_WAY:
        return True
    estimate = measured.estimate
    assert estimate is not None
    change = question.table.sign * _weight(measured, reserve.group) * reserve.gain
    return undone(measured, estimate.low + min(0.0, change), estimate.high + max(0.0, change))


def _unknown(reserves: Iterator[Reserve]) -> Iterator[Reserve]:
    """The same, where a better score would change the number by no one knows how much: if it is above CONVERGED."""
    for reserve in reserves:
        yield dataclasses.replace(reserve, gain=math.inf if reserve.gain >= MORE * CONVERGED else 0.0)


def _weight(measured: Verdict, group: Group) -> float:
    """How an estimate changes with the score of a group."""
    if not measured.terms:
        return 1.0 if group[0] == measured.arm else -1.0
    weight = sum(t.weight for t in measured.terms if (t.arm, t.size) == group)
    if measured.metric == "label_multiplier":  # of two sizes either one alone decides on an end of the interval
        return math.copysign(1.0, weight)
    return weight


def _longer(question: Question, group: Group) -> Iterator[Reserve]:
    """What twice as many steps would bring the arm: twice its gain from the third quarter of its steps to the last.

    A score that rises with the logarithm of the steps gains 2.0 times that from twice as many, one that nears its end
    as 1 / sqrt(steps) 1.5 times, as 1 / steps 1.1 times. Where evaluations are too few for a late gain, a falling loss
    says that there is some.
    """
    table, (arm, size) = question.table, group
    cells = table.of(arm, size)
    if all(_solved(cell) for cell in cells):
        return
    if all(_quarters(cell) for cell in cells):
        part = Part(sign=table.sign, arm=arm, weigh=_late)
        late = read_off(table, question.replicates, [part], size, table.study.confidence)
        assert late is not None
        estimate = late.estimate
        numbers = {"late_gain": estimate.value, "low": estimate.low, "high": estimate.high, "level": estimate.level}
        gain = max(0.0, MORE * estimate.value)
        yield Reserve(group=group, gain=gain, obstacle=obstacle_at("not_converged", group, numbers))
        return
    fall = float(np.mean([late_loss_fall(cell.trajectory) for cell in cells]))
    if fall >= FALLING:
        obstacle = obstacle_at("not_converged", group, {"late_loss_fall": fall})
        yield Reserve(group=group, gain=math.inf, obstacle=obstacle)


def _failures(question: Question, group: Group) -> Iterator[Reserve]:
    """What the arm would lose or gain if as many of its trainings failed as may, or as few.

    If all of them kept their step 0, nobody knows what one that works would gain.
    """
    found = failing(question.table, *group)
    if 0 < found.seeds == found.failed:
        numbers = {"seeds": found.seeds, "share": 1.0 - found.shares[0]}
        yield Reserve(group=group, gain=math.inf, obstacle=obstacle_at("no_training_improved", group, numbers))
        return
    for share, change in zip(found.shares, found.changes, strict=True):
        numbers = {"seeds": found.seeds, "failed": found.failed, "share": share, "loss": found.loss}
        yield Reserve(group=group, gain=change, obstacle=obstacle_at("unseen_failures", group, numbers))


def _kept_start(question: Question, group: Group) -> Iterator[Reserve]:
    """Whether trainings kept their step 0, of which a gap or an audit is not that of a training that learns."""
    found = failing(question.table, *group)
    numbers: dict[str, float] = {"seeds": found.seeds, "failed": found.failed}
    if found.failed:
        yield Reserve(group=group, gain=math.inf, obstacle=obstacle_at("some_kept_start", group, numbers))


def _constant(question: Question, group: Group, dataset: str) -> Iterator[Reserve]:
    table = question.table
    chance = table.chance(*group, dataset)
    if chance is not None:
        score = _mean_score(table, group, dataset)
        obstacle = obstacle_at("below_constant", group, {"score": score, "constant": chance}, dataset)
        yield Reserve(group=group, gain=max(0.0, table.sign * (chance - score)), obstacle=obstacle)


def _words(question: Question, size: Size, dataset: str) -> Iterator[Reserve]:
    table, group = question.table, (BASELINE, size)
    score, words = (_mean_score(table, (arm, size), dataset) for arm in (BASELINE, BAG_OF_WORDS))
    obstacle = obstacle_at("below_words", group, {"score": score, "words": words}, dataset)
    yield Reserve(group=group, gain=max(0.0, table.sign * (words - score)), obstacle=obstacle)


def _mean_score(table: Table, group: Group, dataset: str) -> float:
    return float(table.score(table.rows(*group, dataset, table.seeds(group)), dataset).mean())


def obstacle_at(kind: ObstacleKind, group: Group, numbers: dict[str, float], dataset: str = "") -> Obstacle:
    arm, size = group
    return Obstacle(kind=kind, arm=arm, size=size, dataset=dataset, numbers=numbers)


def _solved(cell: CellResult) -> bool:
    return METHODS[cell.start_line.method].solved


def _quarters(cell: CellResult) -> bool:
    """Whether its trajectory has two points at least in the third quarter of its steps and in the last."""
    third, last = _places(cell)
    return _solved(cell) or min(len(third), len(last)) >= 2


def _places(cell: CellResult) -> tuple[Sequence[int], Sequence[int]]:
    total = cell.trajectory[-1].step
    third = [i for i, p in enumerate(cell.trajectory) if total / 2 < p.step <= 3 * total / 4]
    return third, [i for i, p in enumerate(cell.trajectory) if p.step > 3 * total / 4]


def _late(cell: CellResult) -> Floats:
    """The weights of the mean of the last quarter less that of the third; none where a cell is solved."""
    weights = np.zeros(len(cell.trajectory))
    if not _solved(cell):
        third, last = _places(cell)
        weights[list(third)] = -1.0 / len(third)
        weights[list(last)] = 1.0 / len(last)
    return weights

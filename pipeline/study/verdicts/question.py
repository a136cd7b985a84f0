"""What is asked of the cells of one look, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.schema import Claim
from pipeline.records import Help, Obstacle, ScoreTerm
from pipeline.study.finding.estimates import Effect, Replicates, effect, noted, pool_note
from pipeline.study.finding.table import Size, Table
from pipeline.study.looks import Look


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the cells say on one claim.

    Args:
        effect: what was measured; None if an obstacle left nothing to measure.
        terms: the scores that the effect is a weighted sum of.
        labels_against: how many labels `against` was read at, if other than the claim's size.
        budget_ratio: how many times the training FLOPs of `arm` the runs of `against` took, if the claim asks.
        obstacles: what keeps it from being judged.
        helps: what would settle it if no number of seeds does.
    """

    effect: Effect | None = None
    terms: tuple[ScoreTerm, ...] = ()
    labels_against: float | None = None
    budget_ratio: float | None = None
    obstacles: tuple[Obstacle, ...] = ()
    helps: Help = "test_items"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A claim at its resolved size and at one look, with what is needed to answer it; `later` are the looks after it.

    `table` has no other cells than those of the look's seeds.
    """

    table: Table
    replicates: Replicates
    claim: Claim
    size: Size
    look: Look
    later: tuple[Look, ...]

    @property
    def level(self) -> float:
        """The level of the interval that the answer rests on."""
        return self.look.level


def contrast(question: Question, terms: Sequence[ScoreTerm]) -> Outcome | None:
    """A weighted sum of scores over the seeds that all of its cells share; None where they share none."""
    seeds = question.table.seeds(*((term.arm, term.size) for term in terms))
    if not seeds:
        return None
    measured = effect(question.table, question.replicates, terms, seeds, question.level)
    notes = pool_note(question.table, [term.size for term in terms], len(seeds))
    return Outcome(effect=noted(measured, notes), terms=tuple(terms))

"""What a sweep leaves behind: its trials, and which was best."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One trial: `state` is "complete", "pruned" or "failed" (then with a reason).

    `values` follow the sweep's objectives, means over its seeds; none where it is not complete. `seen` are the values
    that the pruner saw, at `steps` in training examples (or, with several seeds, the seed's place).
    """

    number: int
    state: str
    reason: str
    params: dict[str, Any]
    values: tuple[float, ...]
    steps: tuple[int, ...]
    seen: tuple[float, ...]
    cells: tuple[str, ...]
    feasible: bool


@dataclass(frozen=True, kw_only=True)
class SweepRecord:
    """A sweep over one arm's settings. `best` are the numbers of the best trials: one, or those of the Pareto front."""

    name: str
    task: str
    arm: str
    size: int | str
    seeds: tuple[int, ...]
    metric: str
    objectives: tuple[str, ...]
    directions: tuple[str, ...]
    sampler: str
    from_recipe: bool  # whether the first trial was the arm's own recipe
    pruner: str
    asked: int
    trials: tuple[TrialRecord, ...]
    best: tuple[int, ...]
    importances: dict[str, float]  # shares of the first objective's variation, by PED-ANOVA; empty where too few
    overrides: str  # the first of `best`, as one line to paste behind `train`

    def trial(self, number: int) -> TrialRecord:
        """The trial of this number."""
        return next(t for t in self.trials if t.number == number)

    def ranked(self) -> list[TrialRecord]:
        """All trials, the best of the first objective first; those over a constraint and those without a value last."""
        sign = -1 if self.directions[0] == "maximize" else 1
        return sorted(
            self.trials, key=lambda t: (not t.values, not t.feasible, sign * (t.values or (0.0,))[0], t.number)
        )

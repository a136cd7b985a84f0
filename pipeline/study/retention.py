"""Whose weights a study keeps: every seed's, as far as `study.disk` goes, and of each arm and size the best seed's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.config.cell import Cell
from pipeline.config.disk import bytes_of
from pipeline.errors import ConfigError
from pipeline.study.looks import Group
from pipeline.study.plan import Plan
from pipeline.training.memory.budget import Planned

MB = 1e6


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What is kept of a plan's trainings.

    Args:
        seeds: those of which every cell keeps its weights.
        sentence: the plan in words; empty if there is nothing to say.
    """

    seeds: frozenset[int]
    sentence: str = ""


def retention(plan: Plan, planned: Iterable[Planned]) -> Retention:
    """What `study.disk` has room for, before the first cell is trained.

    Args:
        plan: the study's.
        planned: what its arms take at each size.

    Raises:
        ConfigError: there is no room for one seed of each arm and size.
    """
    study, keep = plan.config.study, plan.config.train.keep
    if keep != "seeds":
        return Retention(seeds=frozenset(study.seeds if keep == "all" else ()))
    of_group = _bytes(plan, planned)
    each, room = sum(of_group.values()), bytes_of(study.disk)
    if each > room:
        largest = max(of_group, key=lambda group: of_group[group])
        raise ConfigError(
            [f"study.disk={study.disk} must hold the weights of one seed of each arm and size, which take "
             f"{_shown(each)} ({largest[0]} n={largest[1]} alone {_shown(of_group[largest])}). Use "
             f"study.disk={-(-each // 1_000_000)}MB or more, or train.keep=none, with which nothing can be added to "
             "finished cells."]
        )  # fmt: skip
    whole = room // each if each else len(study.seeds)
    if whole >= len(study.seeds):
        total = f"{_shown(len(study.seeds) * each)} of study.disk={study.disk}"
        return Retention(
            seeds=frozenset(study.seeds),
            sentence=f"Weights of every seed are kept: about {_shown(each)} a seed, {total}.",
        )
    kept = study.seeds[: whole - 1]  # the best of each arm and size may be of any seed
    return Retention(
        seeds=frozenset(kept),
        sentence=(
            f"Weights of {len(kept)} of {len(study.seeds)} seeds are kept, about {_shown(each)} a seed, and of each "
            f"arm and size those of the best seed: at most {_shown((len(kept) + 1) * each)} of study.disk="
            f"{study.disk}. A set or an audit that is added later reaches these cells alone: no verdict rests on it."
        ),
    )


def keep_weights(plan: Plan, kept: Retention, like: Cell, own: Iterable[str]) -> None:
    """Delete what is not to be kept of the weights of the arm and size of `like`, whose cell has just been finished.

    What was measured beside a training was measured before this. What studies with train.keep=all have trained stays.

    Args:
        plan: the study's.
        kept: see `retention`.
        like: the cell.
        own: the cells that this run trains: weights that were kept before are not this study's to delete.
    """
    keep, mine = plan.config.train.keep, set(own)
    if keep not in ("seeds", "best"):
        return
    group = [n for n, c in plan.cells.items() if (c.arm.name, c.train.size) == (like.arm.name, like.train.size)]
    stored = [name for name in group if plan.store.weights(name)]
    for name in sorted(stored, key=lambda n: _validation(plan, n), reverse=True)[1:]:
        asked = plan.store.cell(name).train.keep
        extra = plan.cells[name].train.seed not in kept.seeds and name in mine
        if asked != "all" and (extra if keep == "seeds" else asked == "best"):
            plan.store.drop_weights(name)


def _bytes(plan: Plan, planned: Iterable[Planned]) -> Mapping[Group, int]:
    """By arm and size, what the weights of one cell take: as a finished cell says, or as it is planned."""
    stored: dict[Group, int] = {(each.arm, each.size): each.stored for each in planned}
    for name, cell in plan.cells.items():
        if plan.store.has(name) and (cell.arm.name, cell.train.size) not in stored:
            stored[cell.arm.name, cell.train.size] = plan.store.result(name).cost.stored_bytes
    return stored


def _validation(plan: Plan, name: str) -> tuple[float, float]:
    result = plan.store.result(name)
    metrics = next(e.metrics for e in result.evaluations if e.role == "validation")
    sign = 1.0 if result.higher_is_better else -1.0
    return sign * metrics[result.metric], -metrics["loss"]


def _shown(count: float) -> str:
    return f"{count / MB:,.0f} MB" if count >= MB else f"{count / 1e3:,.0f} kB"

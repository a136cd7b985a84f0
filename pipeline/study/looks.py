"""Planned looks: when each claim is judged, at which level, on which cells, and which cells are still worth training.

The error of a study is divided among the m claims of a family, and that of each claim among its looks. So all the
intervals that any verdict of a family rests on hold together, whenever a claim is settled and whatever is stopped for
it: repeated confidence intervals with a union bound (Jennison & Turnbull 1984). Claims that name no family are one.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.analysis.multiple_comparisons import simultaneous_level
from pipeline.analysis.skewed_seeds import HIGHEST
from pipeline.analysis.verdict import INCONCLUSIVE
from pipeline.config.schema import Claim, Study
from pipeline.errors import ConfigError
from pipeline.records import BEST_FROM_SCRATCH, Verdict

BASELINE, BAG_OF_WORDS = "scratch", "bag_of_words"
BUDGET_SPENDS = (0.2, 0.3, 0.5)  # of the error, at the looks of a study with a budget that plans none
Group = tuple[str, int | str]  # an arm at a size
Place = tuple[str, int | str, int]  # an arm, a size and a seed


@dataclass(frozen=True, kw_only=True)
class Look:
    """The `number`-th look at a study: the seeds it rests on, and the level of each claim's interval."""

    number: int
    seeds: tuple[int, ...]
    level: float


def plain_looks(study: Study) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The numbers of seeds at which the study looks, and the share of the error that each look uses."""
    return study.looks or (len(study.seeds),), study.spend or (1 - study.reserve,)


def looks_within_budget(study: Study) -> Study:
    """The study with looks for whatever its budget allows, where it has a budget and plans none: at its seeds, at twice
    and at four times as many. The seeds that are added follow the highest of its own.
    """
    if study.budget is None or study.looks or study.spend or len(study.seeds) < 2:
        return study
    first, highest = len(study.seeds), max(study.seeds)
    return dataclasses.replace(
        study,
        seeds=(*study.seeds, *range(highest + 1, highest + 1 + 3 * first)),
        looks=(first, 2 * first, 4 * first),
        spend=tuple(share * (1 - study.reserve) for share in BUDGET_SPENDS),
    )


def require_levels(study: Study) -> None:
    """Refuse looks at levels for which no room for skewed seeds is known.

    Raises:
        ConfigError: a claim would rest on such an interval.
    """
    highest = max((look.level for name in study.claims for look in looks_of(study, name)), default=0.0)
    if highest > HIGHEST + 1e-12:
        most = max(len(family_of(study, name)) for name in study.claims)
        raise ConfigError(
            [
                f"Verdicts must rest on intervals at {100 * HIGHEST:g}% or below, where the room for skewed seeds is "
                f"known, but {100 * highest:.6g}% would be used: study.spend gives a look "
                f"{min(plain_looks(study)[1]):g} of the error, which the claims of a family share (up to {most} here). "
                "Spend more at that look, or give claims families of their own (study.claims.NAME.family)."
            ]
        )


def extends(now: Study, before: Study) -> bool:
    """Whether `now` is `before` with more looks at more seeds, whose error comes from the reserve."""
    (counts, spend), (then, spent) = plain_looks(now), plain_looks(before)
    return (
        len(counts) > len(then)
        and counts[: len(then)] == then
        and spend[: len(spent)] == spent
        and now.seeds[: then[-1]] == before.seeds[: then[-1]]
        and sum(spend) + now.reserve <= sum(spent) + before.reserve + 1e-6
    )


def family_of(study: Study, name: str) -> tuple[str, ...]:
    """The claims whose intervals hold together with that of the claim called `name`, itself included."""
    if study.family == "all":
        return tuple(study.claims)
    return tuple(other for other, claim in study.claims.items() if claim.family == study.claims[name].family)


def looks_of(study: Study, claim: str | None = None) -> tuple[Look, ...]:
    """The looks that the study plans; one at all its seeds where it names none.

    Args:
        claim: the one that the levels are for; None for one of the largest family.
    """
    counts, spend = plain_looks(study)
    families = [len(family_of(study, name)) for name in ((claim,) if claim else study.claims)]
    return tuple(
        Look(
            number=number,
            seeds=study.seeds[:count],
            level=simultaneous_level(study.confidence, max(families, default=0), share),
        )
        for number, (count, share) in enumerate(zip(counts, spend, strict=True), start=1)
    )


def claim_size(study: Study, claim: Claim) -> int | str:
    """The size a claim means: "smallest" and "largest" by the labels trained on, "all" counting as the largest."""
    if claim.size not in ("smallest", "largest"):
        return claim.size
    ordered = sorted(study.sizes, key=lambda size: math.inf if isinstance(size, str) else size)
    return ordered[0] if claim.size == "smallest" else ordered[-1]


def groups_read(study: Study, claim: Claim, from_scratch: Sequence[str]) -> tuple[Group, ...]:
    """The arms and sizes whose cells the verdict on a claim depends on.

    Args:
        from_scratch: the arms that `best_from_scratch` is chosen from.
    """
    size = claim_size(study, claim)
    rivals = tuple(from_scratch) if claim.against == BEST_FROM_SCRATCH else (claim.against,)
    sizes = sizes_against(study, claim)
    # The area spans the examples that every arm saw.
    arms = (claim.arm, *(() if sizes else rivals), *(study.arms if claim.metric == "early_area" else ()))
    read = [*((arm, size) for arm in arms), *((arm, s) for arm in rivals for s in sizes)]
    return tuple(dict.fromkeys([*read, *words_read(study, claim)]))


def words_read(study: Study, claim: Claim) -> tuple[Group, ...]:
    """The cells of the bag of words, which needs no pretraining either, that a claim against `scratch` must bear."""
    asked = claim.metric in ("score", "label_multiplier") and claim.against == BASELINE
    if not asked or BAG_OF_WORDS not in study.arms or claim.arm == BAG_OF_WORDS:
        return ()
    return tuple((BAG_OF_WORDS, size) for size in sizes_against(study, claim) or (claim_size(study, claim),))


def labels_granted(claim: Claim, labels: int) -> float:
    """How many labels a claim of a label multiplier grants `against`, where `arm` has `labels`.

    "lower, 2" and "lower, 0.5" both say a half.
    """
    factor = claim.delta if claim.direction == "higher" else min(claim.delta, 1.0 / claim.delta)
    return round(factor * labels, 6)  # 1.1 times 100 is 110


def sizes_against(study: Study, claim: Claim) -> tuple[int | str, ...]:
    """The sizes at which a claim reads `against`, if those are others than its own; none for most claims.

    For a label multiplier they are the two around that many labels, or the one that has them; for effective robustness
    all, since scores decide where it is read.
    """
    size = claim_size(study, claim)
    if claim.metric not in ("label_multiplier", "effective_robustness"):
        return ()
    if claim.metric == "effective_robustness" or isinstance(size, str):
        return study.sizes
    labels = labels_granted(claim, size)
    numbers = sorted(s for s in study.sizes if isinstance(s, int))
    below, above = [s for s in numbers if s <= labels], [s for s in numbers if s >= labels]
    whole: list[int | str] = ["all"] if "all" in study.sizes else []
    return tuple(dict.fromkeys([*below[-1:], *(above[:1] or whole)]))


def ahead(study: Study, verdicts: Iterable[Verdict], *, last: bool = False) -> dict[str, int]:
    """By claim, the number of the look up to which it needs cells.

    For a settled claim that is the look that settled it, for an open one the next look, or with `last` the last one.
    """
    most = len(looks_of(study))
    upto = dict.fromkeys(study.claims, most if last else 1)
    for v in verdicts:
        if v.verdict != INCONCLUSIVE:
            upto[v.claim] = v.look
        elif not last:
            upto[v.claim] = min(v.look + 1, most)
    return upto


def needed(study: Study, from_scratch: Sequence[str], upto: Mapping[str, int]) -> set[Place]:
    """The cells that are needed: all those of the first look, then those that claims read, as far as `upto` says.

    All of the study's, where it states no claim or says `until: all`; with `until: read` those alone that claims read.
    """
    looks = looks_of(study)
    if study.until == "all" or not study.claims:
        everywhere = study.seeds
    else:
        everywhere = looks[0].seeds if study.until == "settled" else ()
    places = {(arm, size, seed) for arm in study.arms for size in study.sizes for seed in everywhere}
    for name, claim in study.claims.items():
        groups = groups_read(study, claim, from_scratch)
        places |= {(*group, seed) for group in groups for seed in looks[upto[name] - 1].seeds}
    return places

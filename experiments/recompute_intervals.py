"""Recomputes every interval of a study from its cells, with numpy and SciPy's quantiles alone. Nothing of `pipeline`.

    python experiments/recompute_intervals.py outputs/studies/quickstart

The folder holds `findings.json`; the cells are beside it in `cells.tar.xz`, or in `../../cells`. From each are read
the per-item scores (`scores.npy`), the validation trajectory and the costs (`result.json`). Formulas are those of
docs/statistics.md; bootstrap replicates are drawn again from the seeds in `findings.json`. Prints by kind how many
intervals there are and the largest difference, relative where a number is above 1. Exits with 1 if one is above 1e-9.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stored_curves import after, area, at_point, cost, horizon, multiplier, read_off, tested, transferred, weights_at
from stored_study import Interval, Spread, Study

TOLERANCE = 1e-9
SHARES = ("accuracy", "macro_f1", "micro_f1", "top1", "chrf", "absolute_error", "example_f1")  # from 0 to 1
MULTIPLIERS = ("label_multiplier", "compute_multiplier")


@dataclass(frozen=True)
class Compared:
    """One interval: the numbers that are stored, and those found again."""

    kind: str
    name: str
    stored: tuple[float, ...]
    found: tuple[float, ...]

    @property
    def difference(self) -> float:
        """The largest difference of two numbers."""
        return max(_apart(a, b) for a, b in zip(self.stored, self.found, strict=True))


def _apart(one: float, other: float) -> float:
    return 0.0 if one == other else abs(one - other) / max(1.0, min(abs(one), abs(other)))


def compared(study: Study) -> Iterator[Compared]:
    """Every interval of the findings."""
    findings, seeds = study.findings, study.findings["seeds"]
    for s in findings["scores"]:
        term = (1.0, (s["arm"], s["size"]), s["dataset"])
        spread = study.spread([term], study.seeds([term[1]], seeds))
        yield _row("score", s, _clipped(study, spread.interval(s["estimate"]["level"])))
    yield from _contrasts(study, seeds)
    for m in findings["multipliers"]:
        yield _row("label multiplier", m, multiplier(study, m, m["estimate"]["level"], seeds))
        ends = (float(m["tested_low"]), float(m["tested_high"]))
        yield Compared("tested multiplier", m["arm"], ends, tested(study, m, m["estimate"]["level"], seeds))
    for law in findings["transferred"]:
        for name, interval in zip(("k", "alpha"), transferred(study, law), strict=True):
            if law[name]:
                yield _row("data transferred", {**law, "estimate": law[name]}, interval)
    for c in findings["costs_to_target"]:
        yield _row("cost to target", c, cost(study, c, c["unit"], c["target"], c["estimate"]["level"], seeds))
    for e in findings["early"]:
        yield from _early(study, e)
    for g in findings["gaps"]:
        spread = gap(study, [(1.0, g["arm"])], g["size"], g["dataset"], seeds)
        yield _row("gap", g, (*spread.interval(g["estimate"]["level"]), spread.p()), p=True)
    yield from _seconds(study)
    for v in findings["verdicts"]:
        if v["estimate"]:
            yield from _verdict(study, v)


def _row(kind: str, record: dict[str, Any], recomputed: tuple[float, ...], *, p: bool = False) -> Compared:
    estimate = record["estimate"]
    stored = [float(estimate[name]) for name in ("value", "low", "high", *(["p"] if p else []))]
    words = [
        str(record[n]) for n in ("claim", "arm", "against", "size", "dataset", "unit") if record.get(n) is not None
    ]
    return Compared(kind, " ".join(words), tuple(stored), recomputed)


def _clipped(study: Study, interval: Interval) -> Interval:
    value, low, high = interval
    return (value, max(0.0, low), min(1.0, high)) if study.metric in SHARES else interval


def difference(study: Study, arm: str, against: str, size: Any, name: str, seeds: Sequence[int]) -> Spread:
    """`arm` minus `against`, paired by seed and item."""
    groups = (arm, size), (against, size)
    return study.spread([(1.0, groups[0], name), (-1.0, groups[1], name)], study.seeds(groups, seeds))


def _contrasts(study: Study, seeds: Sequence[int]) -> Iterator[Compared]:
    contrasts = study.findings["contrasts"]
    spreads = [difference(study, c["arm"], c["against"], c["size"], c["dataset"], seeds) for c in contrasts]
    p = np.array([spread.p() for spread in spreads])
    order = np.argsort(p, kind="stable")
    holm = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))[np.argsort(order)]
    for c, spread, own, adjusted in zip(contrasts, spreads, p, holm, strict=True):
        yield _row("difference", c, (*spread.interval(c["estimate"]["level"]), float(own)), p=True)
        yield Compared("Holm's p", f"{c['arm']} {c['size']}", (c["estimate"]["p_holm"],), (float(adjusted),))


def gap(study: Study, arms: Sequence[tuple[float, str]], size: Any, name: str, seeds: Sequence[int]) -> Spread:
    """In-domain minus another set, or train minus test; of one arm, or the signed sum over several."""
    shared = study.seeds([(arm, size) for _, arm in arms], seeds)
    outside = -study.sign if name == "train" else study.sign
    terms = [(sign * outside, (arm, size), study.test) for sign, arm in arms]
    if name != "train":
        return study.spread([*terms, *((-s, group, name) for s, group, _ in terms)], shared)
    tested = study.spread(terms, shared)
    trained = [-s * np.array([_train(study, c) for c in study.of(group, shared)]) for s, group, _ in terms]
    return Spread(tested.values + np.sum(trained, axis=0), tested.items)


def _train(study: Study, cell: dict[str, Any]) -> float:
    return float(next(e["metrics"][study.metric] for e in cell["evaluations"] if e["role"] == "train"))


def _early(study: Study, e: dict[str, Any]) -> Iterator[Compared]:
    seeds = study.findings["seeds"]
    end = horizon(study, e["size"], seeds)
    for name, weigh in {"untrained": at_point(0), "early": after(e["early_examples"]), "area": area(end)}.items():
        spread = read_off(study, [(1.0, e["arm"], weigh)], e["size"], seeds)
        yield _row("early accuracy", {**e, "estimate": e[name]}, _clipped(study, spread.interval(e[name]["level"])))


def _seconds(study: Study) -> Iterator[Compared]:
    for c in study.findings["measured"]["to_target"]:
        recomputed = cost(study, c, "seconds", c["target"], c["estimate"]["level"], study.findings["seeds"])
        yield _row("seconds to target", c, recomputed)


def _verdict(study: Study, v: dict[str, Any]) -> Iterator[Compared]:
    """The interval of a verdict on the seeds of its look, and whether it does settle the claim."""
    looks = study.findings["looks"]
    seeds, level = study.findings["seeds"][: looks["seeds"][v["look"] - 1]], v["level"]  # that of its family
    name = study.test if v["dataset"] == "test" else v["dataset"]
    recomputed = _claimed(study, v, name, level, seeds)
    interval, p = (
        (recomputed.interval(level), (recomputed.p(),)) if isinstance(recomputed, Spread) else (recomputed, ())
    )
    yield _row("verdict", v, (*interval, *p), p=bool(p))
    if v["metric"] == "label_multiplier":
        stored = {t["size"]: -study.sign * t["weight"] for t in v["terms"] if t["arm"] == v["against"]}
        found_weights = weights_at(study, v["against"], v["labels"] * v["delta"])
        yield Compared(
            "weights", v["claim"], *zip(*((stored.get(s, 0.0), w) for s, w in found_weights.items()), strict=True)
        )
    if v["verdict"] != "inconclusive":
        yield Compared("settled", v["claim"], (1.0,), (float(v["verdict"] == _judged(v, interval)),))


def _claimed(study: Study, v: dict[str, Any], name: str, level: float, seeds: Sequence[int]) -> Spread | Interval:
    arm, against, size, metric = v["arm"], v["against"], v["size"], v["metric"]
    if v["terms"]:
        return _contrast(study, v, level, seeds)
    if metric == "generalisation_gap":
        return gap(study, [(1.0, arm), (-1.0, against)], size, name, seeds)
    end = horizon(study, size, seeds)
    ours, theirs = {
        "early_area": (area(end), area(end)),
        "initial_score": (at_point(0), at_point(0)),
        "gain_over_start": (at_point(-1), at_point(0)),
    }[metric]
    return read_off(study, [(1.0, arm, ours), (-1.0, against, theirs)], size, seeds)


def _contrast(study: Study, v: dict[str, Any], level: float, seeds: Sequence[int]) -> Spread | Interval:
    """A weighted sum of scores; if a curve is read between two sizes, the interval holds the differences from both."""
    terms = [(t["weight"], (t["arm"], t["size"]), t["dataset"]) for t in v["terms"]]
    shared = study.seeds([group for _, group, _ in terms], seeds)
    read = study.spread(terms, shared)
    if v["metric"] != "label_multiplier" or len(terms) == 2:
        return read
    own, *points = terms
    either = [study.spread([own, (-own[0], group, name)], shared) for _, group, name in points]
    ends = [spread.interval(level)[1:] for spread in (read, *either)]
    return read.interval(level)[0], min(low for low, _ in ends), max(high for _, high in ends)


def _judged(v: dict[str, Any], interval: Interval) -> str:
    _, low, high = interval
    edge = -v["margin"] if v["test"] == "not_inferior" else 0.0 if v["metric"] in MULTIPLIERS else v["delta"]
    low, high = (-high, -low) if v["direction"] == "lower" else (low, high)
    if v["test"] == "equivalent":
        within, outside = max(-low, high) <= v["margin"], max(low, -high) > v["margin"]
        return "supported" if within else "refuted" if outside else "inconclusive"
    return "supported" if low >= edge else "refuted" if high < edge else "inconclusive"


def main(given: Sequence[str]) -> int:
    """Print the table; the exit code."""
    if len(given) != 1:
        raise ValueError(f"The form is recompute_intervals.py STUDY_FOLDER, but {len(given)} folders were given.")
    every = list(compared(Study(Path(given[0]))))
    print("| interval | how many | largest difference |\n| --- | --- | --- |")
    for kind in dict.fromkeys(each.kind for each in every):
        own = [each.difference for each in every if each.kind == kind]
        print(f"| {kind} | {len(own)} | {max(own):.1e} |")
    wrong = [each for each in every if not each.difference <= TOLERANCE]
    for each in wrong:
        print(f"{each.kind} {each.name}: stored {each.stored}, found {each.found}")
    print(f"{len(every)} intervals, {len(wrong)} differ by more than {TOLERANCE:g}")
    return int(bool(wrong))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)

"""Claims on scores at more labels, more computation, or the same in-domain score, and of no worse or equal ones."""

import dataclasses

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import CellKey, CellResult, Findings, Verdict
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.study.finding.findings import Basis, find
from tests.study.synthetic_cells import SyntheticCell, loader, starting_well, synthetic_cells

ARMS = ("pretrained", "frozen", "scratch")
SIZES = (25, 100, 400, 1600)
ROBUST = Claim(metric="effective_robustness", size=25, dataset="imdb", delta=0.05)
CHEAP = Claim(metric="compute_multiplier", size=400, delta=2.0)


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    """Every out-of-domain score is 0.1 below the score on the test, so no arm is more robust than another."""
    rng = np.random.default_rng(3)
    return starting_well(synthetic_cells(ARMS, SIZES, range(8), 1500, rng, out_of_domain=("imdb",), out_items=1000))


def run(cells: list[SyntheticCell], *claims: Claim, pretrained: tuple[CellResult, ...] = ()) -> Findings:
    named = {f"claim{i}": claim for i, claim in enumerate(claims)}
    study = Study(name="s", arms=ARMS, sizes=SIZES, seeds=tuple(range(8)), target=0.7, claims=named)
    results = [result for result, _ in cells]
    basis = Basis(study=study, base=Base(name="minilm"), task=Task(name="sentiment"), pretrained=tuple(pretrained))
    return find(basis, results, loader(cells))


def judge(cells: list[SyntheticCell], *claims: Claim) -> list[Verdict]:
    return list(run(cells, *claims).verdicts)


def spending(cells: list[SyntheticCell], arm: str, times: float, **changes: object) -> list[SyntheticCell]:
    """The same cells, those of `arm` with so many times the FLOPs."""

    def changed(result: CellResult) -> CellResult:
        cost = dataclasses.replace(result.cost, flops=times * result.cost.flops)
        return dataclasses.replace(result, cost=cost, **changes) if result.key.arm == arm else result

    return [(changed(result), scores) for result, scores in cells]


def test_no_worse_and_equal_are_judged_by_the_whole_interval(cells):
    same = {"arm": "frozen", "against": "frozen", "size": 400}  # differs by 0 in every cell
    worse = {"arm": "scratch", "against": "pretrained", "size": 100}  # by a tenth or so
    margins = {"margin": 0.01}
    found = judge(
        cells,
        Claim(test="not_inferior", **same, **margins),
        Claim(test="equivalent", **same, **margins),
        Claim(test="not_inferior", **worse, **margins),
        Claim(test="equivalent", **worse, **margins),
        Claim(test="not_inferior", **worse, margin=0.5),
        Claim(test="not_inferior", direction="lower", **worse, **margins),
        Claim(test="equivalent", arm="pretrained", against="scratch", size=100, **margins),
    )
    assert [(v.verdict, v.refutation) for v in found] == [
        ("supported", None),
        ("supported", None),
        ("refuted", "inferior"),
        ("refuted", "different"),
        ("supported", None),
        ("supported", None),
        ("refuted", "different"),
    ]


@pytest.mark.parametrize("test", ["not_inferior", "equivalent"])
def test_an_edge_within_the_interval_leaves_the_claim_open(cells, test):
    estimate = judge(cells, Claim(size=100))[0].estimate
    claim = Claim(size=100, test=test, margin=abs(estimate.value) + (0.003 if test == "equivalent" else 0.0))
    claim = dataclasses.replace(claim, arm="scratch", against="pretrained")
    found = run(cells, claim)
    (v,) = found.verdicts
    assert v.verdict == "inconclusive"
    assert v.helps in ("seeds", "test_items")
    assert "does not matter" in verdict_sentence(found, v)


def test_runs_at_budgets_that_far_apart_are_compared_by_their_scores(cells):
    found = run(spending(cells, "scratch", 2.5), CHEAP, Claim(size=400))
    cheap, score = found.verdicts
    assert (cheap.verdict, cheap.budget_ratio) == ("supported", pytest.approx(2.5))
    assert cheap.estimate == score.estimate
    assert cheap.threshold == 0.0
    assert "better than scratch, whose runs took 2.5 times the training computation" in verdict_sentence(found, cheap)


@pytest.mark.parametrize(("times", "judged"), [(1.9, False), (1.985, True), (2.0, True)])
def test_budgets_that_are_too_close_are_an_obstacle_with_the_ratio_reached(cells, times, judged):
    found = run(spending(cells, "scratch", times), CHEAP)
    (v,) = found.verdicts
    assert (v.verdict == "supported") == judged
    if not judged:
        assert [(o.kind, o.numbers) for o in v.obstacles] == [
            ("budgets_too_close", {"ratio": pytest.approx(times), "delta": 2.0})
        ]
        assert "took 1.9 times the training computation of pretrained" in verdict_sentence(found, v)
        assert "longer recipe" in verdict_sentence(found, v)


def test_a_run_that_stopped_early_is_no_whole_run(cells):
    (v,) = judge(spending(cells, "scratch", 2.5, stopped_by="patience"), CHEAP)
    assert v.verdict == "inconclusive"
    assert [(o.kind, o.arm, len(o.cells)) for o in v.obstacles] == [("stopped_early", "scratch", 8)]


def test_pretraining_is_charged_to_no_arm(cells):
    """Neither in budgets nor in costs to the target: what `frozen` read before doubles what each of its cells took."""
    claim = dataclasses.replace(CHEAP, arm="frozen")
    plain = spending(cells, "scratch", 2.5)
    before = next(r for r, _ in cells if r.key.arm == "frozen").cost.flops
    pretraining = dataclasses.replace(
        cells[0][0],
        key=CellKey(base="minilm", task="sentiment", arm="frozen-pretraining", size="all", seed=0),
        cost=dataclasses.replace(cells[0][0].cost, flops=before),
    )

    def charged(result: CellResult) -> CellResult:
        if result.key.arm != "frozen":
            return result
        points = tuple(dataclasses.replace(p, flops=p.flops + before) for p in result.trajectory)
        cost = dataclasses.replace(result.cost, flops=result.cost.flops + before)
        return dataclasses.replace(result, trajectory=points, cost=cost)

    alike = run(plain, claim)
    found = run([(charged(r), s) for r, s in plain], claim, pretrained=(pretraining,))
    assert [f.verdicts[0].budget_ratio for f in (found, alike)] == [pytest.approx(2.5)] * 2
    assert found.verdicts[0].estimate == alike.verdicts[0].estimate
    assert found.costs_to_target == alike.costs_to_target != ()


def test_robustness_compares_where_in_domain_scores_are_equal(cells):
    equal = dataclasses.replace(ROBUST, test="equivalent", margin=0.06, delta=0.02)
    found = run(cells, ROBUST, equal)
    more, same = found.verdicts
    assert (more.verdict, more.refutation) == ("refuted", "too_small")
    assert same.verdict == "supported"
    assert same.labels_against == pytest.approx(200, rel=0.4), "8 times 25"
    read = {(t.arm, t.size, t.dataset): t.weight for t in same.terms}
    assert {size for arm, size, _ in read if arm == "scratch"} == {100, 400}
    assert read["pretrained", 25, "imdb"] == 1.0
    assert sum(w for (_, _, dataset), w in read.items() if dataset == "test") == pytest.approx(0.0)
    assert "with the same in-domain score, which takes it about" in verdict_sentence(found, same)


def test_a_planted_robustness_is_recovered(cells):
    rng = np.random.default_rng(4)

    def better(cell: SyntheticCell) -> SyntheticCell:
        result, scores = cell
        if result.key.arm != "pretrained":
            return cell
        luck = (scores["dataset"] == 1) & (rng.random(len(scores)) < 0.25)  # a quarter of its misses is repaired
        return result, np.where(luck & (scores["score"] == 0), _right(scores), scores)

    (found,) = judge([better(c) for c in cells], ROBUST)
    repaired = 0.25 * (1 - (0.9 - 0.4 * (1 + 8 * 25 / 150) ** -0.6 - 0.1))
    assert found.verdict == "supported"
    assert found.estimate.low < repaired < found.estimate.high


def _right(scores: np.ndarray) -> np.ndarray:
    told = scores.copy()
    told["score"], told["predicted"] = 1, told["label"]
    return told


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        (dataclasses.replace(ROBUST, size=1600), "score_not_reached"),
        (dataclasses.replace(ROBUST, arm="scratch", against="pretrained"), "score_passed"),
    ],
)
def test_where_no_size_is_as_good_in_domain_there_is_no_verdict(cells, claim, kind):
    found = run(cells, claim)
    (v,) = found.verdicts
    assert (v.verdict, v.estimate) == ("inconclusive", None)
    assert [o.kind for o in v.obstacles] == [kind]
    assert "to study.sizes, or claim it at a" in verdict_sentence(found, v)


def test_for_a_metric_that_should_be_low_the_same_claims_say_the_same(cells):
    def turned(cell: SyntheticCell) -> SyntheticCell:
        result, scores = cell
        scores = scores.copy()
        scores["score"] = 1 - scores["score"]
        return dataclasses.replace(result, metric="absolute_error", higher_is_better=False), scores

    claims = (Claim(metric="label_multiplier", size=100, delta=2.0), CHEAP, ROBUST)
    up, down = (
        judge(c, *claims)
        for c in (spending(cells, "scratch", 2.5), [turned(c) for c in spending(cells, "scratch", 2.5)])
    )
    assert [v.verdict for v in up] == [v.verdict for v in down]
    for one, other in zip(up, down, strict=True):
        assert (one.estimate.value, one.estimate.low) == pytest.approx(
            (other.estimate.value, other.estimate.low), abs=1e-6
        )


def test_an_effect_is_the_sum_of_its_terms(cells):
    by_cell = {(r.key.arm, r.key.size): [] for r, _ in cells}
    for result, scores in cells:
        by_cell[result.key.arm, result.key.size].append(scores)
    names = {"test": 0, "imdb": 1}
    claims = (Claim(size=100), Claim(metric="label_multiplier", size=100, delta=3.0), ROBUST)
    for v in judge(cells, *claims):
        summed = sum(
            t.weight
            * np.mean([s["score"][s["dataset"] == names[t.dataset]].mean(dtype=float) for s in by_cell[t.arm, t.size]])
            for t in v.terms
        )
        assert v.estimate.value == pytest.approx(summed, abs=1e-12)

"""Claims on what an audit finds in two arms: the same interval, looks, tests and obstacles as claims on scores."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from sklearn.metrics import f1_score
from synthetic_cells import Items, SyntheticCell, examined, loader, synthetic_cells

from pipeline.analysis.crossed_interval import item_part, mean_over
from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.errors import StorageError
from pipeline.records import CellResult, Findings, TrajectoryPoint
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.study.finding.findings import Basis, find

ARMS = ("pretrained", "scratch", "scratch_small")
SEEDS, ITEMS, ELSEWHERE = 8, 200, 120
EASE = np.random.default_rng(8).normal(0.0, 0.05, ITEMS)
BRIER = {"metric": "audit", "audit": "calibration", "size": 400}


def made(*elsewhere: str) -> list[SyntheticCell]:
    return synthetic_cells(
        ARMS, (400,), range(SEEDS), ITEMS, np.random.default_rng(3), out_of_domain=elsewhere, out_items=ELSEWHERE
    )


def planted(apart: float) -> Callable[[CellResult], Items]:
    """The same items for all arms, more by `apart` for pretrained."""
    rng = np.random.default_rng(4)

    def of(cell: CellResult) -> Items:
        level = 0.3 + apart * (cell.key.arm == "pretrained")
        return (level + EASE + rng.normal(0.0, 0.01) + rng.normal(0.0, 0.05, ITEMS)).astype(np.float32)

    return of


def judge(
    cells: Sequence[SyntheticCell], items: dict[tuple[str, str], Items], claim: Claim, looks: tuple[int, ...] = ()
) -> Findings:
    study = Study(
        name="s",
        question="q?",
        arms=ARMS,
        sizes=(400,),
        seeds=tuple(range(SEEDS)),
        claims={"c": claim},
        looks=looks,
        spend=tuple(1 / len(looks) for _ in looks),
    )
    basis = Basis(
        study=study, base=Base(name="minilm"), task=Task(name="sentiment"), from_scratch=("scratch", "scratch_small")
    )
    return find(basis, [result for result, _ in cells], loader(cells, items))


@pytest.mark.parametrize(
    ("apart", "asked", "verdict", "refutation"),
    [
        (0.1, {"delta": 0.05}, "supported", None),
        (0.1, {"delta": 0.05, "direction": "lower"}, "refuted", "opposite"),
        (0.1, {"delta": 0.2}, "refuted", "too_small"),
        (-0.1, {"test": "not_inferior", "margin": 0.02}, "refuted", "inferior"),
        (0.0, {"test": "not_inferior", "margin": 0.03}, "supported", None),
        (0.0, {"test": "equivalent", "margin": 0.03}, "supported", None),
        (0.1, {"test": "equivalent", "margin": 0.03}, "refuted", "different"),
        (0.0, {"against": "best_from_scratch", "test": "equivalent", "margin": 0.03}, "supported", None),
    ],
)
def test_every_test_is_judged_on_the_items_of_the_audit(apart, asked, verdict, refutation) -> None:
    cells, items = examined(made(), "calibration", planted(apart))
    (found,) = judge(cells, items, Claim(**BRIER, **asked)).verdicts
    assert (found.verdict, found.refutation, found.audit) == (verdict, refutation, "calibration")
    assert found.estimate.value == pytest.approx(apart, abs=0.02)


def test_the_interval_is_the_crossed_one_of_the_differences_item_by_item() -> None:
    cells, items = examined(made(), "calibration", planted(0.1))
    findings = judge(cells, items, Claim(**BRIER))
    (found,) = findings.verdicts
    values = {
        arm: np.array([items[f"{arm}-400-{seed}", "calibration"][:, 1] for seed in range(SEEDS)], dtype=np.float64)
        for arm in ("pretrained", "scratch")
    }
    apart = values["pretrained"] - values["scratch"]
    expected = mean_over(apart.mean(axis=1), [item_part(apart)])
    assert (found.estimate.seeds, found.estimate.items) == (SEEDS, ITEMS)
    assert (found.estimate.low, found.estimate.high) == pytest.approx(expected.interval(0.95))
    assert verdict_sentence(findings, found).startswith(
        f"Supported: the Brier score of pretrained is {found.estimate.value:.3f} higher (worse) than that of scratch "
        "at 400 of the 6,400 labels at hand (95% interval "
    )
    assert "the smallest effect that matters is 0.02." in verdict_sentence(findings, found)


def test_items_of_the_test_set_come_in_its_groups() -> None:
    cells = made()
    for _, scores in cells:
        scores["group"] = np.where(scores["dataset"] == 0, scores["item"] // 4, scores["group"])
    cells, items = examined(cells, "calibration", planted(0.1))
    (found,) = judge(cells, items, Claim(**BRIER)).verdicts
    assert found.estimate.items == ITEMS // 4


def right_more_often(by: dict[str, float], items: int) -> Callable[[CellResult], Items]:
    """The predicted class of each item, of which an arm has this share right; gold alternates."""
    rng, gold = np.random.default_rng(5), np.arange(items) % 2
    return lambda cell: np.where(rng.random(items) < by[cell.key.arm], gold, 1 - gold).astype(np.float32)


def test_a_metric_that_was_added_is_judged_on_the_items_of_another_set() -> None:
    shares = {"pretrained": 0.9, "scratch": 0.7, "scratch_small": 0.7}
    cells, inside = examined(made("shop"), "macro_f1", right_more_often(dict.fromkeys(ARMS, 0.8), ITEMS))
    cells, outside = examined(cells, "macro_f1", right_more_often(shares, ELSEWHERE), "shop")
    claim = Claim(metric="audit", audit="macro_f1", dataset="shop", size=400)
    findings = judge(cells, {**inside, **outside}, claim)
    (found,) = findings.verdicts
    assert (found.verdict, found.audit, found.dataset) == ("supported", "macro_f1", "shop")
    assert (found.estimate.items, found.estimate.seeds) == (ELSEWHERE, SEEDS)
    f1 = [
        f1_score(np.arange(ELSEWHERE) % 2, outside[f"{arm}-400-{seed}", "macro_f1 on shop"][:, 1], average="macro")
        for arm in ("pretrained", "scratch")
        for seed in range(SEEDS)
    ]
    assert found.estimate.value == pytest.approx(np.mean(f1[:SEEDS]) - np.mean(f1[SEEDS:]))
    sentence = verdict_sentence(findings, found)
    assert "than that of scratch at 400 of the 6,400 labels at hand on shop (95% interval" in sentence
    (on_test,) = judge(cells, {**inside, **outside}, dataclasses.replace(claim, dataset="test")).verdicts
    assert (on_test.verdict, on_test.estimate.items) == ("inconclusive", ITEMS)


def test_a_set_that_the_audit_has_not_examined_gives_no_verdict_and_is_named() -> None:
    cells, items = examined(made("shop"), "macro_f1", right_more_often(dict.fromkeys(ARMS, 0.8), ITEMS))
    findings = judge(cells, items, Claim(metric="audit", audit="macro_f1", dataset="shop", size=400))
    (found,) = findings.verdicts
    assert (found.verdict, found.look, [o.kind for o in found.obstacles]) == ("inconclusive", 0, ["unexamined"])
    assert "Not every cell was examined by the audit macro_f1 on shop. Run evaluate" in verdict_sentence(
        findings, found
    )


def test_the_first_look_that_settles_a_claim_decides() -> None:
    cells, items = examined(made(), "calibration", planted(0.1))
    (found,) = judge(cells, items, Claim(**BRIER), looks=(4, SEEDS)).verdicts
    assert (found.verdict, found.look, found.estimate.seeds) == ("supported", 1, 4)
    assert found.level == pytest.approx(0.975)


def test_an_audit_that_reaches_only_some_seeds_gives_no_verdict_and_says_how_it_would() -> None:
    cells, items = examined(made(), "calibration", planted(0.1))
    without = dataclasses.replace(cells[0][0], audits=())
    findings = judge([(without, cells[0][1]), *cells[1:]], items, Claim(**BRIER))
    (found,) = findings.verdicts
    assert (found.verdict, found.estimate, found.look) == ("inconclusive", None, 0)
    assert [o.kind for o in found.obstacles] == ["unexamined"]
    sentence = verdict_sentence(findings, found)
    assert "Not every cell was examined by the audit calibration." in sentence
    assert "Run evaluate" in sentence
    assert "train.keep=all" in sentence


def test_an_arm_at_chance_has_nothing_to_examine() -> None:
    cells, items = examined(made(), "calibration", planted(0.1))
    for result, scores in cells:
        if result.key.arm == "scratch":
            scores["score"][scores["dataset"] == 0] = np.arange(ITEMS) % 2
    findings = judge(cells, items, Claim(**BRIER))
    (found,) = findings.verdicts
    assert found.verdict == "inconclusive"
    assert [(o.kind, o.arm) for o in found.obstacles] == [("at_chance", "scratch")]
    assert "scratch is not above chance on test, so its calibration has no meaning." in verdict_sentence(
        findings, found
    )


def test_cells_with_other_items_are_refused_with_the_remedy() -> None:
    cells, items = examined(made(), "calibration", planted(0.1))
    items["scratch-400-0", "calibration"] = items["scratch-400-0", "calibration"][:50]
    with pytest.raises(StorageError, match=r"with 50 and 200 items. Delete their folders"):
        judge(cells, items, Claim(**BRIER))


def test_a_claim_that_seeds_cannot_settle_asks_for_what_could() -> None:
    rng = np.random.default_rng(6)
    own = {arm: rng.normal(0.0, 1.0, ITEMS).astype(np.float32) for arm in ARMS}
    cells, items = examined(made(), "calibration", lambda cell: own[cell.key.arm])
    (found,) = judge(cells, items, Claim(**BRIER)).verdicts
    assert (found.verdict, found.helps) == ("inconclusive", "test_items")


LATENCY = {"metric": "audit", "audit": "latency", "size": 400}


def test_times_are_compared_as_ratios_even_of_an_arm_at_chance() -> None:
    cells, items = examined(made(), "latency", planted(2.0))
    for result, scores in cells:
        if result.key.arm == "scratch":
            scores["score"][scores["dataset"] == 0] = np.arange(ITEMS) % 2
    findings = judge(cells, items, Claim(**LATENCY, delta=1.0))
    (found,) = findings.verdicts
    assert (found.verdict, found.obstacles) == ("supported", ())
    sentence = verdict_sentence(findings, found)
    ratio = f"{2**found.estimate.value:.3g}"
    assert sentence.startswith(
        f"Supported: pretrained takes {ratio} times as long as scratch to answer one text at 400 of the 6,400 labels "
    )
    assert f"{2**found.estimate.low:.3g} to {2**found.estimate.high:.3g}" in sentence
    assert "the smallest effect that matters is a factor of 2." in sentence


def test_a_time_is_judged_of_arms_that_have_not_converged() -> None:
    """Longer training makes a network no slower; a Brier score it might change either way."""
    cells = [(dataclasses.replace(r, trajectory=falling(r)), scores) for r, scores in made()]
    judged = {}
    for audit in ("latency", "calibration"):
        there, items = examined(cells, audit, planted(2.0))
        (judged[audit],) = judge(there, items, Claim(metric="audit", audit=audit, size=400, delta=0.05)).verdicts
    assert judged["latency"].verdict == "supported"
    assert [o.kind for o in judged["calibration"].obstacles][:1] == ["not_converged"]


def falling(cell: CellResult) -> tuple[TrajectoryPoint, ...]:
    """Its trajectory with a validation loss that halves from point to point, and too few points for a late gain."""
    few = (*cell.trajectory[:1], *cell.trajectory[-2:])
    return tuple(dataclasses.replace(point, validation_loss=2.0**-number) for number, point in enumerate(few))

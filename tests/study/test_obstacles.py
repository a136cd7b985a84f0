"""What keeps a claim from being judged although its interval is clear, each with its numbers."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from synthetic_cells import SyntheticCell, loader, start_line, synthetic_cells

from pipeline.analysis.two_kinds_of_seeds import failing_shares
from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import CellResult, Evaluation, FailedCell, Findings, Obstacle, Verdict
from pipeline.study.finding.findings import Basis, find
from pipeline.study.looks import groups_read
from pipeline.study.verdicts.obstacles import MORE

ARMS = ("pretrained", "scratch")
SEEDS = 10


def cells(arms: Sequence[str] = ARMS, sizes: Sequence[int] = (100,), items: int = 600) -> list[SyntheticCell]:
    """Pretrained scores about 11 points more than scratch at 100 labels; both have converged."""
    return synthetic_cells(arms, sizes, range(SEEDS), items, np.random.default_rng(2))


def run(
    made: Sequence[SyntheticCell],
    claim: Claim | None = None,
    *,
    arms: Sequence[str] = ARMS,
    sizes: Sequence[int] = (100,),
    failed: Sequence[FailedCell] = (),
    confidence: float = 0.95,
) -> Findings:
    study = Study(
        name="s",
        question="q?",
        arms=tuple(arms),
        sizes=tuple(sizes),
        seeds=tuple(range(SEEDS)),
        target=0.6,
        confidence=confidence,
        claims={"claim": claim or Claim(size=100)},
    )
    results = [result for result, _ in made]
    basis = Basis(
        study=study,
        base=Base(name="minilm"),
        task=Task(name="sentiment"),
        failed=tuple(failed),
        from_scratch=("scratch",),
    )
    return find(basis, results, loader(made))


def verdict(made: Sequence[SyntheticCell], claim: Claim | None = None) -> Verdict:
    return run(made, claim).verdicts[0]


def changed(made: Sequence[SyntheticCell], arm: str, change: Callable[[CellResult], CellResult]) -> list[SyntheticCell]:
    return [(change(result) if result.key.arm == arm else result, scores) for result, scores in made]


def rising(gain: float) -> Callable[[CellResult], CellResult]:
    """A trajectory whose score rises by so much from the third quarter of its steps to the last."""

    def change(result: CellResult) -> CellResult:
        last = len(result.trajectory) - 1
        points = tuple(
            dataclasses.replace(point, validation_score=0.6 + 2.0 * gain * place / last * 2)
            for place, point in enumerate(result.trajectory)
        )
        return dataclasses.replace(result, trajectory=points)

    return change


def knowing(constant: float | None) -> Callable[[CellResult], CellResult]:
    def known(evaluation: Evaluation) -> Evaluation:
        return dataclasses.replace(evaluation, constant=constant if evaluation.role == "in_domain" else None)

    return lambda result: dataclasses.replace(result, evaluations=tuple(map(known, result.evaluations)))


def of_kind(found: Verdict, kind: str) -> Obstacle:
    assert found.verdict == "inconclusive"
    (obstacle,) = found.obstacles
    assert obstacle.kind == kind
    return obstacle


def test_without_an_obstacle_the_claim_is_supported():
    assert verdict(cells()).verdict == "supported"


def test_an_arm_that_would_catch_up_by_longer_training_withholds_support():
    obstacle = of_kind(verdict(changed(cells(), "scratch", rising(0.08))), "not_converged")
    assert (obstacle.arm, obstacle.size) == ("scratch", 100)
    assert obstacle.numbers["low"] < obstacle.numbers["late_gain"] < obstacle.numbers["high"]
    assert obstacle.numbers["late_gain"] == pytest.approx(0.08, abs=0.005)


def test_one_that_would_not_catch_up_does_not():
    assert verdict(changed(cells(), "scratch", rising(0.01))).verdict == "supported"


def test_nor_does_the_arm_that_is_ahead_already():
    assert verdict(changed(cells(), "pretrained", rising(0.08))).verdict == "supported"


def test_a_refutation_waits_for_the_arm_it_is_about():
    worse = Claim(size=100, arm="scratch", against="pretrained")
    assert (verdict(cells(), worse).verdict, verdict(cells(), worse).refutation) == ("refuted", "opposite")
    assert of_kind(verdict(changed(cells(), "scratch", rising(0.08)), worse), "not_converged").arm == "scratch"
    assert verdict(changed(cells(), "pretrained", rising(0.08)), worse).verdict == "refuted"


def test_a_claim_of_less_waits_for_the_arm_that_is_said_to_have_less():
    less = Claim(size=100, arm="scratch", against="pretrained", direction="lower")
    assert verdict(cells(), less).verdict == "supported"
    assert of_kind(verdict(changed(cells(), "scratch", rising(0.08)), less), "not_converged").arm == "scratch"
    assert verdict(changed(cells(), "pretrained", rising(0.08)), less).verdict == "supported"


@pytest.mark.parametrize(
    ("curve", "times"), [(np.log, 2.0), (lambda steps: -(steps**-0.5), 1.5), (lambda steps: -1 / steps, 1.1)]
)
def test_twice_as_many_steps_bring_no_more_than_twice_the_late_gain(curve, times):
    third, last = np.linspace(0.5, 0.75, 200), np.linspace(0.75, 1.0, 200)
    more = (curve(2.0) - curve(1.0)) / (curve(last).mean() - curve(third).mean())
    assert more == pytest.approx(times, abs=0.06)
    assert more <= MORE + 0.06


def test_where_evaluations_are_too_few_a_falling_loss_tells_that_an_arm_has_not_converged():
    def short(result: CellResult) -> CellResult:
        first, *_, last = result.trajectory
        points = (first, dataclasses.replace(last, validation_loss=first.validation_loss * 0.9))
        return dataclasses.replace(result, trajectory=points)

    obstacle = of_kind(verdict(changed(cells(), "scratch", short)), "not_converged")
    assert obstacle.numbers == {"late_loss_fall": pytest.approx(0.1)}
    assert verdict(changed(cells(), "pretrained", short)).verdict == "supported"


def test_a_multiplier_waits_for_the_curve_where_it_is_read_and_a_gap_for_both_arms():
    sizes = (25, 100, 400)
    made = synthetic_cells(ARMS, sizes, range(SEEDS), 600, np.random.default_rng(2), out_of_domain=("imdb",))
    made = changed(made, "pretrained", rising(0.0))  # as good at its start: failures would change nothing
    labels, gap = Claim(metric="label_multiplier", size=25, delta=2.0), Claim(
        metric="generalisation_gap", dataset="imdb", size=400, direction="lower", delta=0.3
    )  # fmt: skip
    assert run(made, labels, sizes=sizes).verdicts[0].verdict == "supported"
    for claim, gain, waits in ((labels, 0.08, {25, 100}), (gap, 0.02, {400})):
        before = run(made, claim, sizes=sizes).verdicts[0]
        assert before.verdict in ("supported", "refuted")
        after = run(changed(made, "scratch", rising(gain)), claim, sizes=sizes).verdicts[0]
        assert {(o.kind, o.arm) for o in after.obstacles} == {("not_converged", "scratch")}
        assert {o.size for o in after.obstacles} <= waits


def test_arms_below_the_best_answer_that_reads_no_text_are_not_compared():
    made = changed(changed(cells(), "pretrained", knowing(0.95)), "scratch", knowing(0.95))
    obstacle = of_kind(verdict(made), "below_constant")
    assert (obstacle.arm, obstacle.dataset) == ("scratch", "test")
    assert obstacle.numbers["constant"] == pytest.approx(0.95)
    assert obstacle.numbers["score"] < 0.75


def test_an_arm_below_it_is_if_the_other_is_far_above():
    made = changed(changed(cells(), "pretrained", knowing(0.65)), "scratch", knowing(0.65))
    assert verdict(made).estimate.value + 0.5 > 0.5
    assert verdict(made).verdict == "supported"


def test_where_no_constant_answer_is_known_nothing_is_withheld():
    made = changed(changed(cells(), "pretrained", knowing(None)), "scratch", knowing(None))
    assert verdict(made).verdict == "supported"
    assert run(made).scores[0].chance is None


def words(made: Sequence[SyntheticCell], better: float) -> list[SyntheticCell]:
    """The cells of scratch as those of a bag of words, which is right on more items by the share `better`."""
    found = []
    for result, scores in made:
        if result.key.arm == "scratch":
            key = dataclasses.replace(result.key, arm="bag_of_words")
            line = dataclasses.replace(start_line("scratch", key.size, key.seed), method="bag_of_words")
            right = scores.copy()
            right["score"][np.random.default_rng(key.seed).random(len(scores)) < better] = 1.0
            found.append((dataclasses.replace(result, cell_id=f"words-{key.seed}", key=key, start_line=line), right))
    return found


def test_where_a_bag_of_words_does_as_well_it_is_no_claim_for_pretraining():
    made, arms = cells(), (*ARMS, "bag_of_words")
    beaten = run([*made, *words(made, 0.05)], arms=arms).verdicts[0]
    assert beaten.verdict == "supported"
    obstacle = of_kind(run([*made, *words(made, 0.4)], arms=arms).verdicts[0], "below_words")
    assert obstacle.numbers["words"] > obstacle.numbers["score"] + 0.1
    assert ("bag_of_words", 100) in groups_read(
        Study(arms=arms, sizes=(100,)), Claim(size=100), ("scratch", "bag_of_words")
    )


def failing(made: Sequence[SyntheticCell], arm: str, seeds: Sequence[int]) -> list[SyntheticCell]:
    """The same with an arm that answers by chance under some seeds."""
    found = []
    for result, scores in made:
        if result.key.arm == arm and result.key.seed in seeds:
            scores = scores.copy()
            scores["score"] = np.random.default_rng(result.key.seed).random(len(scores)) < 0.2
        found.append((result, scores))
    return found


def test_seeds_that_fail_now_and_then_are_an_obstacle_and_not_noise():
    refuting = Claim(size=100, delta=0.5)
    assert verdict(cells(), refuting).verdict == "refuted"
    obstacle = of_kind(verdict(failing(cells(), "pretrained", (2, 7)), refuting), "two_kinds_of_seeds")
    assert obstacle.cells == ("pretrained n=100 seed=2", "pretrained n=100 seed=7")
    assert (obstacle.numbers["rare"], obstacle.numbers["seeds"]) == (2, 10)
    assert obstacle.numbers["distance"] > 0.3


def gaining(points: float) -> Callable[[CellResult], CellResult]:
    """A trajectory whose kept point is so much better than step 0."""

    def change(result: CellResult) -> CellResult:
        first, *between, last = result.trajectory
        start = dataclasses.replace(first, validation_score=0.5)
        later = [dataclasses.replace(point, validation_score=0.5 + points) for point in (*between, last)]
        return dataclasses.replace(result, trajectory=(start, *later), best_step=last.step)

    return change


def test_failures_that_no_seed_showed_withhold_support_where_they_would_undo_it():
    made = changed(cells(), "pretrained", gaining(0.45))
    obstacle = of_kind(verdict(made), "unseen_failures")
    assert (obstacle.arm, obstacle.size) == ("pretrained", 100)
    assert obstacle.numbers == {
        "seeds": SEEDS, "failed": 0, "share": pytest.approx(1 - 0.05 ** (1 / SEEDS)), "loss": pytest.approx(0.45),
    }  # fmt: skip


def test_an_arm_whose_start_is_nearly_as_good_has_little_to_lose_by_failing():
    assert verdict(changed(cells(), "pretrained", gaining(0.05))).verdict == "supported"


def test_failures_of_the_arm_that_is_behind_would_only_add_to_the_effect():
    assert verdict(changed(cells(), "scratch", gaining(0.45))).verdict == "supported"


def test_they_may_undo_a_refutation():
    less = Claim(size=100, delta=0.25)
    assert (verdict(cells(), less).verdict, verdict(cells(), less).refutation) == ("refuted", "too_small")
    assert of_kind(verdict(changed(cells(), "scratch", gaining(0.45)), less), "unseen_failures").arm == "scratch"


def test_failures_that_were_seen_leave_more_room_and_not_less():
    def failed(result: CellResult) -> CellResult:
        return dataclasses.replace(result, best_step=0) if result.key.seed < 3 else result

    obstacle = of_kind(
        verdict(changed(changed(cells(), "pretrained", gaining(0.45)), "pretrained", failed)), "unseen_failures"
    )
    assert (obstacle.numbers["failed"], obstacle.numbers["loss"]) == (3, pytest.approx(0.45))
    assert obstacle.numbers["share"] == pytest.approx(failing_shares(3, SEEDS, 0.05)[1])


def test_where_trainings_failed_fewer_may_in_truth_which_may_undo_a_refutation():
    def failed(result: CellResult) -> CellResult:
        return dataclasses.replace(result, best_step=0) if result.key.seed < 5 else result

    less = Claim(size=100, delta=0.25)
    made = changed(changed(cells(), "pretrained", gaining(0.45)), "pretrained", failed)
    obstacle = of_kind(verdict(made, less), "unseen_failures")
    assert (obstacle.arm, obstacle.numbers["share"]) == ("pretrained", pytest.approx(failing_shares(5, SEEDS, 0.05)[0]))


def test_failures_that_no_seed_showed_withhold_claims_on_early_accuracy_too():
    made = changed(changed(cells(), "scratch", gaining(0.01)), "pretrained", gaining(0.3))
    found = verdict(made, Claim(metric="early_area", size=100, delta=0.01))
    assert found.verdict == "supported"
    near = Claim(metric="early_area", size=100, delta=found.estimate.low - 0.01)
    assert of_kind(verdict(made, near), "unseen_failures").arm == "pretrained"


def test_where_no_training_improved_on_its_start_there_is_no_verdict():
    def failed(result: CellResult) -> CellResult:
        return dataclasses.replace(result, best_step=0)

    less = Claim(size=100, delta=0.25)
    obstacle = of_kind(verdict(changed(cells(), "pretrained", failed), less), "no_training_improved")
    assert obstacle.numbers == {"seeds": SEEDS, "share": pytest.approx(1 - 0.05 ** (1 / SEEDS))}


def test_a_gap_is_about_trainings_that_learn_so_one_that_kept_its_start_leaves_no_verdict():
    def failed(result: CellResult) -> CellResult:
        return dataclasses.replace(result, best_step=0) if result.key.seed == 1 else result

    gap = Claim(metric="generalisation_gap", dataset="imdb", size=1600, direction="lower", delta=0.2)
    made = synthetic_cells(ARMS, (1600,), range(SEEDS), 600, np.random.default_rng(2), out_of_domain=("imdb",))
    made = changed(changed(made, "pretrained", rising(0.0)), "scratch", rising(0.0))
    assert run(made, gap, sizes=(1600,)).verdicts[0].verdict == "refuted"
    withheld = run(changed(made, "scratch", failed), gap, sizes=(1600,)).verdicts[0]
    obstacle = of_kind(withheld, "some_kept_start")
    assert (obstacle.arm, obstacle.numbers) == ("scratch", {"seeds": SEEDS, "failed": 1})


def test_a_solved_arm_cannot_fail():
    def solved(result: CellResult) -> CellResult:
        line = dataclasses.replace(result.start_line, method="linear_probe")
        return dataclasses.replace(gaining(0.45)(result), start_line=line)

    assert verdict(changed(cells(), "pretrained", solved)).verdict == "supported"


@pytest.mark.parametrize(("confidence", "withheld"), [(0.95, False), (0.995, True)])
def test_skewed_seeds_withhold_a_verdict_near_its_edge_where_the_level_is_high(confidence, withheld):
    made = synthetic_cells(ARMS, (100,), range(SEEDS), 600, np.random.default_rng(2), seed_sd=0.03)
    made = changed(changed(made, "pretrained", rising(0.0)), "scratch", rising(0.0))
    edge = run(made, confidence=confidence).verdicts[0].estimate.low
    near, clear = (run(made, Claim(size=100, delta=edge - d), confidence=confidence).verdicts[0] for d in (0.001, 0.05))
    assert clear.verdict == "supported"
    if not withheld:
        assert near.verdict == "supported"
        return
    obstacle = of_kind(near, "skewed_seeds")
    assert obstacle.numbers["factor"] == pytest.approx(1.49, abs=0.01)
    assert obstacle.numbers["low"] < near.delta < near.estimate.low


def test_where_both_arms_fail_under_the_same_seed_their_difference_is_of_one_kind():
    made = failing(failing(cells(), "pretrained", (2,)), "scratch", (2,))
    kinds = {o.kind for o in verdict(made, Claim(size=100, delta=0.5)).obstacles}
    assert kinds <= {"two_kinds_of_seeds"}


def test_a_training_that_failed_is_counted_and_not_left_out():
    made = [c for c in cells() if (c[0].key.arm, c[0].key.seed) != ("pretrained", 3)]
    failed = FailedCell(cell_id="x", arm="pretrained", size=100, seed=3, reason="The training loss is nan at step 4.")
    found = run(made, failed=[failed])
    obstacle = of_kind(found.verdicts[0], "failed_cells")
    assert obstacle.cells == ("pretrained n=100 seed=3",)
    estimate = next(c for c in found.contrasts if c.dataset == "test").estimate
    assert estimate.seeds == 9
    assert "trainings that failed are not in it: 1" in estimate.notes
    assert of_kind(run(made).verdicts[0], "missing_cells").cells == ("pretrained n=100 seed=3",)


def doubled(made: Sequence[SyntheticCell]) -> list[SyntheticCell]:
    """Every test item twice, both copies in one group."""
    found = []
    for result, scores in made:
        tests = scores[scores["dataset"] == 0]
        twice = np.repeat(tests, 2)
        twice["item"] = np.arange(len(twice))
        sets = tuple(
            dataclasses.replace(e, items=2 * e.items) if e.role == "in_domain" else e for e in result.evaluations
        )
        rest = scores[scores["dataset"] != 0]
        found.append((dataclasses.replace(result, evaluations=sets), np.concatenate([twice, rest])))
    return found


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_items_of_one_group_count_as_one(metric):
    made = synthetic_cells(ARMS, (100,), range(SEEDS), 300, np.random.default_rng(2), metric=metric)
    once, twice = run(made).contrasts[0].estimate, run(doubled(made)).contrasts[0].estimate
    assert (once.items, twice.items) == (300, 300)
    assert "600 items of test in 300 groups, each of which is one item" in twice.notes
    assert twice.value == pytest.approx(once.value)
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.06 if metric == "macro_f1" else 1e-6)


def test_a_test_set_of_one_group_cannot_be_judged():
    made = cells(items=40)
    for _, scores in made:
        scores["group"][scores["dataset"] == 0] = 7
    assert of_kind(verdict(made), "one_item").kind == "one_item"


def test_arms_with_different_seeds_share_none_and_are_not_compared():
    made = [c for c in cells() if (c[0].key.seed < 5) == (c[0].key.arm == "pretrained")]
    found = run(made)
    assert found.contrasts == ()
    obstacle = of_kind(found.verdicts[0], "missing_cells")
    assert "pretrained n=100 seed=5" in obstacle.cells
    assert "scratch n=100 seed=0" in obstacle.cells


def test_subsets_of_a_small_pool_are_said_to_be_draws_from_it():
    def of(pool: int) -> Findings:
        made = [(dataclasses.replace(result, pool_items=pool), scores) for result, scores in cells()]
        return run(made)

    small, large = of(250), of(3000)
    note = "seeds draw 100 of the same 250 labels: the interval is for draws from this pool; for others of its kind"
    said = next(n for n in small.contrasts[0].estimate.notes if n.startswith(note))
    assert said.endswith("the variance over seeds may be up to 7.7 times as large")  # 1 + 10 * 100 / 150
    assert (small.verdicts[0].pool, large.verdicts[0].pool) == (250, None)
    assert large.contrasts[0].estimate.notes == ()
    assert any("one pool of 250 labels, of which each takes 40% at 100" in text for text in small.caveats)


def test_seeds_without_a_failure_do_not_rule_failures_out():
    said = "If none of 10 trainings fails, up to 26% of all such trainings may still fail"
    assert any(said in caveat for caveat in run(cells()).caveats)

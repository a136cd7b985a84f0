"""Findings from synthetic cells with planted curves: what a study says, and what it refuses to say."""

import dataclasses

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.errors import StorageError, UnequalStartError
from pipeline.records import CellResult, FailedCell, Findings, Verdict, from_json, scores_dtype, to_json
from pipeline.study.finding.findings import Basis, find
from tests.study.synthetic_cells import SyntheticCell, loader, planted_accuracy, synthetic_cells

SIZES: tuple[int | str, ...] = (25, 100, 400, 1600, "all")
ARMS = ("pretrained", "frozen", "scratch")
BASE = Base(name="minilm", pretraining_flops=1e18)
TASK = Task(name="sentiment")


def make_cells(
    seeds: int = 5, *, items: int = 400, arms=ARMS, sizes=SIZES, seed: int = 0, **more
) -> list[SyntheticCell]:
    rng = np.random.default_rng(seed)
    return synthetic_cells(arms, sizes, range(seeds), items, rng, out_of_domain=("imdb",), out_items=100, **more)


def study_of(claims: dict[str, Claim] | None = None, *, seeds: int = 5, arms=ARMS, sizes=SIZES, **more) -> Study:
    return Study(
        name="s",
        question="q?",
        arms=arms,
        sizes=sizes,
        seeds=tuple(range(seeds)),
        target=0.7,
        claims=claims or {},
        **more,
    )


def run(study: Study, cells: list[SyntheticCell], failed: tuple[FailedCell, ...] = (), base: Base = BASE) -> Findings:
    basis = Basis(study=study, base=base, task=TASK, failed=failed)
    return find(basis, [result for result, _ in cells], loader(cells))


def verdict_on(claim: Claim, cells: list[SyntheticCell], **more) -> Verdict:
    return run(study_of({"it": claim}, **more), cells).verdicts[0]


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    return make_cells()


@pytest.fixture(scope="module")
def findings(cells) -> Findings:
    return run(study_of({"accurate": Claim(size=100)}), cells)


def test_the_same_cells_give_the_same_findings_whatever_their_order(cells, findings):
    assert to_json(run(study_of({"accurate": Claim(size=100)}), cells[::-1])) == to_json(findings)


def test_findings_survive_the_way_to_disk_and_back(findings):
    assert from_json(Findings, to_json(findings)) == findings


def test_planted_learning_curves_are_recovered(findings):
    scores = [s for s in findings.scores if s.role == "in_domain"]
    assert len(scores) == len(ARMS) * len(SIZES)
    for score in scores:
        assert score.estimate.value == pytest.approx(planted_accuracy(score.arm, score.train_items), abs=0.04)
        assert score.estimate.value == pytest.approx(np.mean(score.per_seed))


def test_a_planted_multiplier_lies_within_its_interval(findings):
    found = {(m.arm, m.size): m for m in findings.multipliers}
    assert found["pretrained", 100].estimate.low <= 8.0 <= found["pretrained", 100].estimate.high
    assert found["frozen", 100].estimate.low <= 3.0 <= found["frozen", 100].estimate.high
    assert found["pretrained", 100].validation_labels == 400


def test_tests_at_the_sizes_leave_the_planted_multiplier(findings):
    found = {(m.arm, m.size): (m.tested_low, m.tested_high) for m in findings.multipliers}
    for (arm, _), (low, high) in found.items():
        assert low <= {"pretrained": 8.0, "frozen": 3.0}[arm] <= high
    low, _ = found["pretrained", 25]
    assert low >= 4.0, "it is better than scratch at 100 labels"
    assert found["pretrained", "all"][1] == float("inf"), "nothing is known past the largest size"


def test_a_multiplier_past_the_largest_size_is_written_as_a_bound(findings):
    found = next(m for m in findings.multipliers if (m.arm, m.size) == ("pretrained", "all"))
    assert (found.estimate.value, found.censored) == (1.0, "above")
    assert found.estimate.high == float("inf")
    assert any("censored" in note for note in found.estimate.notes)


def test_every_arm_is_compared_with_scratch_at_every_size_and_set(findings):
    assert len(findings.contrasts) == 2 * len(SIZES) * 2
    assert {c.against for c in findings.contrasts} == {"scratch"}
    assert all(c.estimate.p_holm >= c.estimate.p for c in findings.contrasts)


def test_chance_is_the_majority_share(findings):
    assert {score.chance for score in findings.scores} == {0.5}


def test_a_gap_is_judged_only_where_the_arm_is_above_chance_on_both_sets(findings):
    gaps = {(g.arm, g.size, g.dataset): g for g in findings.gaps}
    assert not gaps["scratch", 25, "imdb"].above_chance
    assert gaps["pretrained", "all", "imdb"].above_chance
    assert gaps["pretrained", "all", "imdb"].estimate.value == pytest.approx(0.1, abs=0.05)
    assert gaps["pretrained", "all", "train"].estimate.notes[0] == "train minus test"


def test_early_accuracy_lies_between_the_start_and_the_end(findings):
    early = next(e for e in findings.early if (e.arm, e.size) == ("pretrained", 400))
    assert early.untrained.value == pytest.approx(0.5)
    assert early.untrained.value < early.area.value < early.early.value + 0.1


def test_times_and_memory_stand_under_measured_alone(cells, findings):
    slower = [
        (dataclasses.replace(r, measured=dataclasses.replace(r.measured, seconds=99.0, trajectory_seconds=tuple(
            7.0 * s for s in r.measured.trajectory_seconds), peak_memory_bytes=1, concurrency=1)), scores)
        for r, scores in cells
    ]  # fmt: skip
    found = run(study_of({"accurate": Claim(size=100)}), slower)
    assert found.measured != findings.measured
    assert dataclasses.replace(found, measured=findings.measured) == findings


def test_without_a_target_there_is_no_cost_to_it(cells):
    found = run(dataclasses.replace(study_of(), target=None), cells)
    assert found.costs_to_target == ()
    assert found.measured.to_target == ()


def test_cost_to_target_is_given_in_flops_and_examples_and_apart_in_seconds(findings):
    assert {c.unit for c in findings.costs_to_target} == {"flops", "examples"}
    censored = next(c for c in findings.costs_to_target if (c.arm, c.size, c.unit) == ("pretrained", 100, "flops"))
    assert censored.censored_against == 5
    assert (censored.estimate.value, censored.censored) == (pytest.approx(8.0), "above")
    assert {c.unit for c in findings.measured.to_target} == {"seconds"}


def test_cells_of_other_studies_are_ignored(cells, findings):
    extra = make_cells(6, arms=("lora",), sizes=(50,))
    assert run(study_of({"accurate": Claim(size=100)}), [*cells, *extra]) == findings


def test_effective_data_transferred_needs_four_uncensored_sizes():
    sizes = (25, 50, 100, 200, 400, 800, 1600, 3200)
    found = run(study_of(sizes=sizes), make_cells(5, items=1500, sizes=sizes)).transferred
    fitted = next(t for t in found if t.arm == "pretrained")
    assert fitted.points >= 4
    # Planted: D = 8 n - n, so alpha is 1.
    assert fitted.alpha is not None
    assert fitted.alpha.low <= 1.0 <= fitted.alpha.high
    few = run(study_of(sizes=(25, 100)), make_cells(5, sizes=(25, 100))).transferred[0]
    assert (few.k, few.alpha) == (None, None)


@pytest.mark.parametrize("seeds", [1, 3, 8])
def test_macro_f1_has_interval_and_p_value_from_its_seeds_and_resampled_items(seeds):
    found = run(study_of(seeds=seeds), make_cells(seeds, metric="macro_f1"))
    estimate = next(c for c in found.contrasts if (c.arm, c.size, c.dataset) == ("pretrained", 100, "test")).estimate
    assert "item part by bootstrap" in estimate.method
    assert estimate.low < estimate.value < estimate.high
    assert (estimate.p < 0.05) == (estimate.low > 0.0)


def summed(cells: list[SyntheticCell]) -> list[SyntheticCell]:
    """The same cells with their accuracy as a metric that follows from sums: 2 hits in 2 labels an item, or none."""
    found = []
    for result, scores in cells:
        beside = np.zeros(len(scores), dtype=scores_dtype(2))
        for name in scores.dtype.names:
            beside[name] = scores[name]
        beside["statistics"] = np.stack([scores["score"], np.full(len(scores), 2.0)], axis=1)
        evaluations = tuple(
            dataclasses.replace(e, metrics={"micro_f1": next(iter(e.metrics.values()))}) for e in result.evaluations
        )
        found.append((dataclasses.replace(result, metric="micro_f1", evaluations=evaluations), beside))
    return found


def test_a_metric_of_sums_is_bootstrapped_to_what_is_known_of_the_mean_it_equals(cells, findings):
    found = run(study_of({"accurate": Claim(size=100)}), summed(cells))
    assert found.metric == "micro_f1"
    for one, two in zip(found.contrasts, findings.contrasts, strict=True):
        assert "bootstrap" in one.estimate.method
        assert one.estimate.value == pytest.approx(two.estimate.value)
        widths = [each.high - each.low for each in (one.estimate, two.estimate)]
        assert widths[0] == pytest.approx(widths[1], rel=0.05)
    for one, two in zip(found.scores, findings.scores, strict=True):
        assert one.estimate.value == pytest.approx(two.estimate.value)
    assert [v.verdict for v in found.verdicts] == [v.verdict for v in findings.verdicts]
    for one, two in zip(found.early, findings.early, strict=True):
        assert one.area.value == pytest.approx(two.area.value)
        assert one.area.high - one.area.low == pytest.approx(two.area.high - two.area.low, rel=0.05)


def test_missing_cells_leave_the_shared_seeds_and_are_named(cells):
    kept = [c for c in cells if not (c[0].key.arm == "scratch" and c[0].key.size == 100 and c[0].key.seed > 2)]
    failed = FailedCell(cell_id="x", arm="scratch", size=100, seed=3, reason="out of memory")
    found = run(study_of(), kept, (failed,))
    contrast = next(c for c in found.contrasts if (c.arm, c.size, c.dataset) == ("pretrained", 100, "test"))
    assert contrast.estimate.seeds == 3
    assert next(m for m in found.multipliers if m.arm == "pretrained").estimate.seeds == 3
    assert any("2 of 75 cells have no result, 1 of them failed" in text for text in found.caveats)
    assert found.failed == (failed,)


def test_no_cells_at_all_give_empty_findings_and_open_verdicts():
    found = run(study_of({"accurate": Claim(size=100)}), [])
    assert found.scores == ()
    assert found.verdicts[0].verdict == "inconclusive"
    assert [obstacle.kind for obstacle in found.verdicts[0].obstacles] == ["missing_cells"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("architecture", "bert-2x128"),
        ("tokenizer", "bytes"),
        ("train_items", "others"),
        ("order", "shuffled"),
        ("evaluation_grid", "every 7 examples"),
        ("global_batch", 64),
        ("dropout", 0.0),
        ("trained_mode", "eval"),
        ("parameter_dtype", "bfloat16"),
        ("precision", "bf16"),
        ("versions", {"torch": "1.0"}),
    ],
)
def test_arms_that_start_unequally_are_refused_by_field_and_values(cells, field, value):
    result, scores = cells[-1]
    line = dataclasses.replace(result.start_line, **{field: value})
    unequal = [*cells[:-1], (dataclasses.replace(result, start_line=line), scores)]
    with pytest.raises(UnequalStartError, match=rf"{field} is .* but .* for scratch n=all seed=4"):
        run(study_of(), unequal)


def test_another_test_set_is_refused(cells):
    result, scores = cells[-1]
    other = dataclasses.replace(result.evaluations[0], fingerprint="other")
    unequal = [*cells[:-1], (dataclasses.replace(result, evaluations=(other, *result.evaluations[1:])), scores)]
    with pytest.raises(UnequalStartError, match="evaluation set"):
        run(study_of(), unequal)


def test_recipe_and_trained_part_may_differ_and_are_declared(findings):
    declared = " ".join(findings.fairness)
    assert "Declared for frozen: a linear head, solved to its optimum on the features of the base" in declared
    assert "same architecture" in declared


def test_a_smaller_network_is_declared_and_is_no_part_of_what_must_be_equal(cells):
    def smaller(result: CellResult) -> CellResult:
        line = dataclasses.replace(result.start_line, architecture="bert-3x192", shrink=0.5)
        return dataclasses.replace(result, start_line=line)

    changed = [(smaller(r) if r.key.arm == "frozen" else r, s) for r, s in cells]
    found = run(study_of(), changed)
    assert "every network but those of frozen, which has a smaller one." in " ".join(found.fairness)
    assert any(c.startswith("frozen is of a smaller architecture") for c in found.caveats)


def test_scores_that_do_not_fit_their_set_are_refused(cells):
    result, scores = cells[0]
    with pytest.raises(StorageError, match="each of the 400 items"):
        run(study_of(), [(result, scores[1:]), *cells[1:]])


def test_rows_in_another_order_change_nothing(cells, findings):
    result, scores = cells[0]
    turned = [(result, scores[::-1].copy()), *cells[1:]]
    assert run(study_of({"accurate": Claim(size=100)}), turned) == findings


def test_caveats_name_the_checkpoint_the_pool_the_frozen_seeds_and_the_validation_labels(findings):
    text = " ".join(findings.caveats)
    for part in ("One pretrained checkpoint (minilm)", 'At size "all"', "For frozen", "400 validation labels"):
        assert part in text
    assert "may have seen the test text" in text
    assert "1e+18 FLOPs" in text


@pytest.mark.parametrize(("share", "named"), [(0.07, True), (0.05, False)])
def test_a_set_with_many_unknown_tokens_is_named_once(cells, findings, share, named):
    def unread(result):
        sets = [dataclasses.replace(e, unknown=share if e.dataset == "test" else 0.01) for e in result.evaluations]
        return dataclasses.replace(result, evaluations=tuple(sets))

    found = run(study_of(), [(unread(r), s) for r, s in cells]).caveats
    said = [c for c in found if c.startswith("7% of the tokens of test are unknown to the tokenizer of minilm: ")]
    assert len(said) == named
    assert len(found) == len(findings.caveats) + named


@pytest.mark.parametrize(("arm", "may"), [("scratch", "narrow the difference"), ("frozen", "change the differences")])
def test_an_arm_that_still_gains_is_named(cells, arm, may):
    gaining = [(dataclasses.replace(r, converged_gain=0.02 if r.key.arm == arm else 0.0), s) for r, s in cells]
    text = " ".join(run(study_of(), gaining).caveats)
    assert f"{arm} n=25 had not converged: it still gained 2.0 points" in text
    assert f"Longer training may {may}." in text
    assert text.count("had not converged") == len({r.key.size for r, _ in cells})


def test_an_arm_whose_loss_still_falls_where_its_score_is_measured_too_rarely_is_named(cells):
    def falling(result):
        *points, last = result.trajectory
        steep = dataclasses.replace(last, validation_loss=0.9 * points[-1].validation_loss)
        short = result.key.arm == "pretrained" and result.key.size == 25
        gain = None if result.key.arm == "pretrained" else result.converged_gain
        return dataclasses.replace(
            result, trajectory=(*points, steep) if short else (*points, last), converged_gain=gain
        )

    text = " ".join(run(study_of(), [(falling(r), s) for r, s in cells]).caveats)
    assert "pretrained n=25 may have been trained for too short: its loss on validation still fell by" in text
    assert text.count("trained for too short") == 1
    (steps,) = {round(r.cost.steps) for r, _ in cells if (r.key.arm, r.key.size) == ("pretrained", 25)}
    assert f"train.min_steps={2 * steps}." in text


def test_what_was_left_over_of_a_checkpoint_is_said_but_no_head_of_pretraining(cells):
    names = (
        *(f"bert.encoder.layer.{layer}.{part}.weight" for layer in range(6, 12) for part in ("query", "key")),
        *("cls.predictions.bias", "pooler.dense.weight", "bert.pooler.dense.bias", "vision_model.layers.0.weight"),
    )

    def left(result, *names):
        use = result.checkpoint and dataclasses.replace(result.checkpoint, left_over=names)
        return dataclasses.replace(result, checkpoint=use)

    found = run(study_of(), [(left(r, *names), s) for r, s in cells])
    (layers, tower) = [c for c in found.caveats if "left out" in c]
    assert "The checkpoint of minilm holds more of the base than its config.json declares" in layers
    assert "bert.encoder.layer.6, bert.encoder.layer.7, bert.encoder.layer.8, bert.encoder.layer.9 and 2 more" in layers
    assert "were left out: vision_model." in tower
    heads = [name for name in names if name.startswith(("cls", "pooler", "bert.pooler"))]
    assert not any("left out" in c for c in run(study_of(), [(left(r, *heads), s) for r, s in cells]).caveats)


def test_an_unknown_cost_of_pretraining_is_said(cells):
    text = " ".join(run(study_of(), cells, base=Base(name="minilm")).caveats)
    assert "The cost of pretraining minilm is unknown" in text


def test_it_says_where_training_added_nothing_to_the_start(cells):
    def idle(result: CellResult) -> CellResult:
        return dataclasses.replace(result, best_step=0) if result.key.seed % 2 else result

    half = [(idle(r) if r.key.arm == "pretrained" and r.key.size == 25 else r, s) for r, s in cells]
    found = run(study_of(), half)
    shares = {(c.arm, c.size): c.kept_start for c in found.costs}
    assert shares["pretrained", 25] == 0.4
    assert shares["pretrained", 100] == 0.0
    assert shares["frozen", 25] is None
    (said,) = [c for c in found.caveats if c.startswith("Training added nothing")]
    assert "pretrained" in said
    assert "40% at n=25." in said

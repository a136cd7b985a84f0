"""A claim against the best from scratch: chosen on validation within each seed, then an arm like any other."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.steps.findings import write_findings
from pipeline.commands.steps.tables import show_findings
from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import BEST_FROM_SCRATCH, Findings, Verdict, from_json, scores_dtype, to_json
from pipeline.report.markdown import markdown_page
from pipeline.report.page import html_page
from pipeline.report.palette import Palette
from pipeline.report.sections.costs import other_domains
from pipeline.report.sections.results import headline
from pipeline.study.finding.findings import Basis, find
from pipeline.study.plan import plan_study
from pipeline.study.run import run as run_plan
from tests import tiny
from tests.study.synthetic_cells import SyntheticCell, loader, synthetic_cells
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

ARMS = ("pretrained", "scratch", "scratch_small")
SIZES: tuple[int | str, ...] = (25, 100, 400)
SEEDS = 5
SMALL_WINS = (0, 1)  # the seeds of size 100 in which scratch_small is better on validation
RIVAL = Claim(against=BEST_FROM_SCRATCH, size=100, statement="It beats whatever starts from scratch")


def on_validation(cell: SyntheticCell, score: float, loss: float = 0.5) -> SyntheticCell:
    """The cell with another result on the validation set."""
    result, scores = cell
    changed = [
        dataclasses.replace(e, metrics={result.metric: score, "loss": loss}) if e.role == "validation" else e
        for e in result.evaluations
    ]
    return dataclasses.replace(result, evaluations=tuple(changed)), scores


def planted(cell: SyntheticCell) -> SyntheticCell:
    key = cell[0].key
    small = 0.7 if key.size != 100 or key.seed in SMALL_WINS else 0.6
    return on_validation(cell, small if key.arm == "scratch_small" else 0.65)


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    rng = np.random.default_rng(3)
    made = synthetic_cells(ARMS, SIZES, range(SEEDS), 400, rng, out_of_domain=("imdb",), out_items=100)
    return [planted(cell) for cell in made]


def run(cells: list[SyntheticCell], *claims: Claim, arms: tuple[str, ...] = ARMS) -> Findings:
    study = Study(
        name="s",
        question="q?",
        arms=arms,
        sizes=SIZES,
        seeds=tuple(range(SEEDS)),
        target=0.6,
        claims={f"claim{i}": claim for i, claim in enumerate(claims)},
    )
    results = [result for result, _ in cells]
    starts = tuple(arm for arm in arms if arm.startswith("scratch"))
    basis = Basis(study=study, base=Base(name="minilm"), task=Task(name="sentiment"), from_scratch=starts)
    return find(basis, results, loader(cells))


def chosen(findings: Findings, size: int | str = 100) -> tuple[str, ...]:
    return next(c.chosen for c in findings.choices if c.size == size)


def per_seed(findings: Findings, arm: str, dataset: str = "test", size: int | str = 100) -> tuple[float, ...]:
    return next(s.per_seed for s in findings.scores if (s.arm, s.dataset, s.size) == (arm, dataset, size))


def answer(cells: list[SyntheticCell], claim: Claim) -> Verdict:
    return run(cells, claim).verdicts[0]


@pytest.fixture(scope="module")
def findings(cells) -> Findings:
    return run(cells, RIVAL, Claim(size=100))


def test_each_seed_has_the_scores_of_the_arm_that_is_best_on_its_validation_set(findings):
    assert chosen(findings) == tuple("scratch_small" if s in SMALL_WINS else "scratch" for s in range(SEEDS))
    for dataset in ("test", "imdb"):
        of = {arm: per_seed(findings, arm, dataset) for arm in (*ARMS, BEST_FROM_SCRATCH)}
        assert of[BEST_FROM_SCRATCH] == tuple(of[arm][seed] for seed, arm in enumerate(chosen(findings)))


def test_no_test_item_has_a_say_in_the_choice(cells, findings):
    def perfect(cell: SyntheticCell) -> SyntheticCell:
        result, scores = cell[0], cell[1].copy()
        scores["score"] = 1.0
        evaluations = [
            dataclasses.replace(e, metrics={"accuracy": 1.0}) if e.role == "in_domain" else e
            for e in result.evaluations
        ]
        return dataclasses.replace(result, evaluations=tuple(evaluations)), scores

    changed = [perfect(cell) if cell[0].key.arm == "scratch_small" else cell for cell in cells]
    found = run(changed, RIVAL)
    assert found.choices == findings.choices
    assert per_seed(found, BEST_FROM_SCRATCH)[2:] == per_seed(findings, "scratch")[2:]


@pytest.mark.parametrize(
    "claim",
    [
        RIVAL,
        dataclasses.replace(RIVAL, dataset="imdb"),
        dataclasses.replace(RIVAL, metric="label_multiplier", delta=2.0),
        dataclasses.replace(RIVAL, metric="generalisation_gap", dataset="imdb", direction="lower"),
        dataclasses.replace(RIVAL, metric="generalisation_gap", dataset="train"),
    ],
    ids=lambda claim: f"{claim.metric} {claim.dataset}",
)
def test_an_arm_that_wins_every_seed_gives_the_verdict_that_it_gives_by_its_own_name(cells, claim):
    always = [on_validation(c, 0.9) if c[0].key.arm == "scratch_small" else c for c in cells]
    rival = answer(always, claim)
    named = answer(always, dataclasses.replace(claim, against="scratch_small"))
    assert rival.estimate == named.estimate
    assert rival.estimate is not None
    assert (rival.verdict, rival.refutation, rival.look) == (named.verdict, named.refutation, named.look)
    assert [o.kind for o in rival.obstacles] == [o.kind for o in named.obstacles]


def test_a_mixed_choice_is_paired_by_seed_with_the_cells_that_were_chosen(cells, findings):
    of_small = {c[0].key.seed: c for c in cells if (c[0].key.arm, c[0].key.size) == ("scratch_small", 100)}

    def swapped(cell: SyntheticCell) -> SyntheticCell:
        key = cell[0].key
        if (key.arm, key.size) == ("scratch", 100) and key.seed in SMALL_WINS:
            result, scores = of_small[key.seed]
            return dataclasses.replace(result, key=key, cell_id=cell[0].cell_id), scores
        return cell

    by_hand = run([swapped(cell) for cell in cells], Claim(size=100), arms=("pretrained", "scratch"))
    (against_scratch,) = [v.estimate for v in by_hand.verdicts]
    assert answer(cells, RIVAL).estimate == against_scratch
    assert findings.verdicts[0].estimate != findings.verdicts[1].estimate


def test_of_equal_scores_the_lower_loss_decides_and_then_the_order_of_the_study(cells):
    equal = [
        on_validation(c, 0.6, 0.4 if (c[0].key.arm, c[0].key.seed) == ("scratch_small", 3) else 0.5) for c in cells
    ]
    by_loss = ("scratch", "scratch", "scratch", "scratch_small", "scratch")
    assert chosen(run(equal, RIVAL)) == by_loss
    turned = run(equal, RIVAL, arms=("scratch_small", "scratch", "pretrained"))
    assert chosen(turned) == ("scratch_small",) * SEEDS


def test_where_lower_is_better_the_lowest_is_chosen(cells, findings):
    down = [(dataclasses.replace(r, higher_is_better=False), s) for r, s in cells]
    assert [a == b for a, b in zip(chosen(run(down, RIVAL)), chosen(findings), strict=True)] == [False] * SEEDS


def test_a_seed_in_which_an_arm_failed_is_left_out(cells):
    kept = [c for c in cells if (c[0].key.arm, c[0].key.size, c[0].key.seed) != ("scratch_small", 100, 3)]
    found = run(kept, RIVAL)
    choice = next(c for c in found.choices if c.size == 100)
    assert choice.seeds == (0, 1, 2, 4)
    assert choice.shares == {"scratch": 2, "scratch_small": 2}
    contrast = next(c for c in found.contrasts if (c.against, c.size, c.dataset) == (BEST_FROM_SCRATCH, 100, "test"))
    assert contrast.estimate.seeds == 4
    assert found.verdicts[0].look == 0, "its one look is at complete seeds"
    assert "scratch_small n=100 seed=3" in found.verdicts[0].obstacles[0].cells


def test_where_an_arm_has_no_result_at_all_the_claim_stays_open_and_says_so(cells):
    kept = [c for c in cells if (c[0].key.arm, c[0].key.size) != ("scratch_small", 100)]
    found = run(kept, RIVAL)
    assert [c.size for c in found.choices] == [25, 400]
    assert found.verdicts[0].verdict == "inconclusive"
    assert "scratch_small n=100 seed=0" in found.verdicts[0].obstacles[0].cells
    assert run([], RIVAL).verdicts[0].verdict == "inconclusive"


def summed(cell: SyntheticCell) -> SyntheticCell:
    """The same cell under a metric that follows from sums over the items."""
    result, scores = cell
    beside = np.zeros(len(scores), dtype=scores_dtype(2))
    for name in scores.dtype.names or ():
        beside[name] = scores[name]
    beside["statistics"] = np.stack([scores["score"], np.full(len(scores), 2.0)], axis=1)
    evaluations = tuple(
        dataclasses.replace(e, metrics={"micro_f1": e.metrics["accuracy"], "loss": e.metrics.get("loss", 0.5)})
        for e in result.evaluations
    )
    return dataclasses.replace(result, metric="micro_f1", evaluations=evaluations), beside


def test_a_metric_of_sums_is_drawn_again_from_the_chosen_cells_statistics(cells, findings):
    found = run([summed(cell) for cell in cells], RIVAL)
    assert chosen(found) == chosen(findings)
    assert per_seed(found, BEST_FROM_SCRATCH) == pytest.approx(per_seed(findings, BEST_FROM_SCRATCH))
    estimate = found.verdicts[0].estimate
    assert estimate is not None
    assert "bootstrap" in estimate.method
    difference = np.mean(per_seed(findings, "pretrained")) - np.mean(per_seed(findings, BEST_FROM_SCRATCH))
    assert estimate.value == pytest.approx(difference)


def test_the_choice_is_a_record_that_survives_the_way_to_disk(findings):
    again = from_json(Findings, to_json(findings))
    assert again == findings
    choice = next(c for c in again.choices if c.size == 100)
    assert choice.shares == {"scratch": 3, "scratch_small": 2}
    assert [v.comparison for v in again.verdicts] == ["best_from_scratch", "same_network"]


def test_what_is_read_off_one_training_is_not_made_up_for_the_best(findings):
    pairs = {(c.arm, c.against) for c in findings.costs_to_target}
    assert pairs == {("pretrained", "scratch"), ("scratch_small", "scratch")}
    rest = (findings.early, findings.costs, findings.cells, findings.measured, findings.fairness)
    assert BEST_FROM_SCRATCH not in str(rest)
    assert any(c.startswith("best_from_scratch is the best of scratch, scratch_small on") for c in findings.caveats)


def test_without_such_a_claim_nothing_is_chosen(cells):
    found = run(cells, Claim(size=100))
    assert found.choices == ()
    assert BEST_FROM_SCRATCH not in to_json(found).replace('"comparison"', "")


def test_only_two_starts_of_one_network_trained_alike_are_the_controlled_comparison(cells):
    def changed(cell: SyntheticCell, arm: str, **line: object) -> SyntheticCell:
        result, scores = cell
        if result.key.arm != arm:
            return cell
        return dataclasses.replace(result, start_line=dataclasses.replace(result.start_line, **line)), scores

    smaller = [changed(c, "scratch_small", shrink=0.5, architecture="bert-3x192") for c in cells]
    head = [changed(c, "pretrained", method="linear_probe") for c in cells]
    assert answer(smaller, Claim(size=100)).comparison == "same_network"
    assert answer(smaller, Claim(size=100, against="scratch_small")).comparison == "other"
    assert answer(smaller, Claim(size=100, arm="scratch_small")).comparison == "other"
    assert answer(head, Claim(size=100)).comparison == "other"


SHARES = "Chosen on validation within each seed: scratch 3 of 5, scratch_small 2 of 5."
CONTROLLED = "Question: what is the start worth? Same network, other start."


def test_report_and_terminal_say_which_question_each_verdict_answers(findings, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    show_findings(findings)
    sections = (headline(findings), other_domains(findings))
    shown = (
        capsys.readouterr().out,
        markdown_page(findings, sections, 45),
        html_page(findings, sections, 45, Palette.of([])),
    )
    for text in shown:
        plain = text.replace("\\", "")
        assert f"Question: does it beat the best that was trained from scratch here? {SHARES}" in plain
        assert CONTROLLED in plain
        assert plain.count("best_from_scratch") > 1


def test_the_shares_at_every_size_stand_beside_the_scores(findings):
    scores, _, shares = headline(findings).tables
    assert scores.header == ("labels", "pretrained", "scratch", "scratch_small", "best_from_scratch")
    assert shares.header == ("labels", "scratch", "scratch_small")
    assert [[entry.text for entry in row] for row in shares.rows] == [
        ["25", "0 of 5", "5 of 5"],
        ["100", "3 of 5", "2 of 5"],
        ["400", "0 of 5", "5 of 5"],
    ]
    assert any("best_from_scratch" in table.header for table in other_domains(findings).tables)


def test_a_multiplier_names_the_choices_at_the_sizes_that_it_reads(cells):
    found = run(cells, dataclasses.replace(RIVAL, metric="label_multiplier", delta=2.0))
    text = markdown_page(found, (), 45).replace("\\", "")
    assert "within each seed: n=100: scratch 3 of 5, scratch_small 2 of 5; n=400: scratch_small 5 of 5" in text


def test_trained_arms_that_start_from_scratch_are_the_candidates(tiny_base: Path, reviews: Path, tmp_path: Path):
    study = tiny.study(arms="pretrained,scratch,scratch_small", sizes="16", seeds="0", claim=False)
    claim = ["+study.claims.rival.against=best_from_scratch", "train.epochs=1", "train.min_steps=2"]
    plan = plan_study([*tiny.overrides(tiny_base, reviews, tmp_path), *study, *claim])
    run_plan(plan, lambda _: None)
    found = write_findings(plan, plan.results(), ())
    validated = {
        c.key.arm: (-e.metrics["accuracy"], e.metrics["loss"])
        for c in plan.results()
        for e in c.evaluations
        if e.role == "validation" and c.key.arm != "pretrained"
    }
    best = min(validated, key=validated.__getitem__)
    assert [c.shares for c in found.choices] == [{arm: int(arm == best) for arm in ("scratch", "scratch_small")}]
    assert from_json(Findings, (plan.folder / "findings.json").read_text(encoding="utf-8")) == found

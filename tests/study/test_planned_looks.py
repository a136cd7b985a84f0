"""Planned looks: what is judged when, at which level, on which cells; and what is not trained any more."""

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.config.compose import compose
from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.errors import ConfigError
from pipeline.records import Findings, Verdict
from pipeline.report.markdown import markdown_page
from pipeline.report.verdict_sentences import verdict_sentence
from pipeline.report.verdicts import looks_text, verdict_views
from pipeline.study.finding.findings import Basis, find
from pipeline.study.looks import ahead, groups_read, looks_of, looks_within_budget, needed
from pipeline.study.verdicts.claims import Standing
from tests.study.synthetic_cells import SyntheticCell, loader, starting_well, synthetic_cells

ARMS, SIZES = ("pretrained", "frozen", "scratch"), (100, 400)
CLEAR = Claim(statement="Much better", size=100, delta=0.02)  # 9 points and more
CLOSE = Claim(statement="A little better", arm="frozen", size=400, delta=0.075)
LOOKS, SPEND = (3, 5, 8), (0.2, 0.3, 0.5)


def study_of(claims: dict[str, Claim] | None = None, **more) -> Study:
    asked = {"looks": LOOKS, "spend": SPEND, "seeds": tuple(range(8)), "target": 0.7} | more
    given = claims if claims is not None else {"clear": CLEAR, "close": CLOSE}
    return Study(name="s", question="q?", arms=ARMS, sizes=SIZES, claims=given, **asked)


@pytest.fixture(scope="module")
def cells() -> list[SyntheticCell]:
    rng = np.random.default_rng(5)
    return starting_well(
        synthetic_cells(ARMS, SIZES, range(8), 1500, rng, out_of_domain=("imdb",), out_items=300, seed_sd=0.007)
    )


def run(study: Study, cells: Sequence[SyntheticCell], standing: Standing | None = None) -> Findings:
    basis = Basis(
        study=study,
        base=Base(name="minilm"),
        task=Task(name="sentiment"),
        from_scratch=("scratch",),
        standing=standing or Standing(),
    )
    return find(basis, [result for result, _ in cells], loader(cells))


def under(cells: Sequence[SyntheticCell], seeds: int) -> list[SyntheticCell]:
    return [cell for cell in cells if cell[0].key.seed < seeds]


def test_the_error_is_divided_among_claims_and_looks_as_by_hand() -> None:
    levels = [look.level for look in looks_of(study_of())]
    assert levels == pytest.approx([1 - 0.05 / 2 * 0.2, 1 - 0.05 / 2 * 0.3, 1 - 0.05 / 2 * 0.5])
    five = study_of({f"c{i}": CLEAR for i in range(5)}, looks=(5, 8), spend=(0.4, 0.6), confidence=0.9)
    assert [1 - look.level for look in looks_of(five)] == pytest.approx([0.008, 0.012])


def test_a_study_that_plans_none_has_one_look_at_all_its_seeds_that_uses_the_whole_error() -> None:
    (look,) = looks_of(study_of(looks=(), spend=()))
    assert (look.number, look.seeds) == (1, tuple(range(8)))
    assert look.level == pytest.approx(1 - 0.05 / 2)


def test_the_first_seeds_named_are_the_first_look() -> None:
    looks = looks_of(study_of(seeds=(107, 3, 55, 2), looks=(2, 4), spend=(0.5, 0.5)))
    assert [look.seeds for look in looks] == [(107, 3), (107, 3, 55, 2)]


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (Claim(size=100), {("pretrained", 100), ("scratch", 100)}),
        (Claim(size="largest", against="frozen"), {("pretrained", 400), ("frozen", 400)}),
        (
            Claim(metric="label_multiplier", size="smallest", delta=2.0),
            {("pretrained", 100), ("scratch", 100), ("scratch", 400)},
        ),
        (Claim(metric="early_area", size=100), {(arm, 100) for arm in ARMS}),
        (Claim(size=400, against="best_from_scratch"), {("pretrained", 400), ("scratch", 400), ("small", 400)}),
    ],
    ids=["score", "largest", "multiplier", "area", "best from scratch"],
)
def test_what_a_claim_reads(claim: Claim, groups: set[tuple[str, int]]) -> None:
    assert set(groups_read(study_of(), claim, ("scratch", "small"))) == groups


def test_cells_are_needed_only_as_far_as_open_claims_read_them(cells) -> None:
    study = study_of()
    first = needed(study, ("scratch",), ahead(study, ()))
    assert first == {(arm, size, seed) for arm in ARMS for size in SIZES for seed in range(3)}
    found = run(study, under(cells, 3)).verdicts
    assert [v.verdict for v in found] == ["supported", "inconclusive"]
    second = needed(study, ("scratch",), ahead(study, found))
    assert second - first == {(arm, 400, seed) for arm in ("frozen", "scratch") for seed in (3, 4)}
    assert needed(dataclasses.replace(study, until="all"), ("scratch",), ahead(study, found)) == {
        (arm, size, seed) for arm in ARMS for size in SIZES for seed in range(8)
    }


@pytest.mark.parametrize("settled", [0, 1, 2, 3])
def test_more_looks_never_need_fewer_cells(settled: int) -> None:
    study, before = study_of(), set[tuple[str, int | str, int]]()
    for look in range(4):
        verdicts = [verdict("clear", min(look, settled), settled == min(look, settled)), verdict("close", look, False)]
        now = needed(study, ("scratch",), ahead(study, verdicts))
        assert before <= now
        before = now


def verdict(claim: str, look: int, settled: bool) -> Verdict:
    said = "supported" if settled and look else "inconclusive"
    rest = {"statement": "", "metric": "score", "arm": "a", "against": "b", "dataset": "test", "direction": "higher"}
    return Verdict(claim=claim, size=100, delta=0.1, verdict=said, look=look, **rest)


def test_a_verdict_once_reached_is_never_taken_back_and_earlier_looks_do_not_change(cells) -> None:
    """Whatever seeds come later, and however far the study had come in between."""
    claims = {
        f"at{delta}": dataclasses.replace(CLEAR, delta=delta)
        for delta in (0.02, *np.round(np.arange(0.12, 0.19, 0.005), 3))
    }
    study, before = study_of(claims, confidence=0.6), {}
    for seeds in range(1, 9):
        for v in run(study, under(cells, seeds)).verdicts:
            assert v.look == sum(count <= seeds for count in LOOKS) or v.verdict != "inconclusive"
            if v.claim in before:
                assert v == before[v.claim], "settled before"
            elif v.verdict != "inconclusive":
                before[v.claim] = v
    assert {v.look for v in before.values()} == {1, 2, 3}, "so that each look settles some"


def test_every_look_is_judged_at_its_own_level_on_its_own_seeds(cells) -> None:
    study = study_of({"close": CLOSE, "other": CLOSE})
    for count, share, number in zip(LOOKS, SPEND, (1, 2, 3), strict=True):
        v = run(study, under(cells, count)).verdicts[0]
        assert (v.look, v.estimate.seeds) == (number, count)
        assert v.level == v.estimate.level == pytest.approx(1 - 0.05 / 2 * share)
        alone = run(study_of({"close": CLOSE, "other": CLOSE}, looks=(count,), spend=(share,)), cells).verdicts[0]
        assert alone.estimate == v.estimate, "other seeds have no say"


def test_a_look_at_incomplete_seeds_is_not_taken_and_says_what_it_lacks(cells) -> None:
    short = [c for c in cells if (c[0].key.arm, c[0].key.size, c[0].key.seed) != ("scratch", 100, 2)]
    found = run(study_of(), under(short, 3))
    clear, close = found.verdicts
    assert (clear.verdict, clear.look, clear.estimate, clear.level) == ("inconclusive", 0, None, None)
    assert "The first look, at 3 seeds, lacks scratch n=100 seed=2. Run the study again" in verdict_sentence(
        found, clear
    )
    assert close.look == 1, "it reads other cells, and they are all there"
    assert found.looks.lacking[0] == "scratch n=100 seed=2"
    again = run(study_of(), under(cells, 3))
    assert again.verdicts[0].verdict == "supported"


def test_a_claim_that_waits_for_its_next_look_stays_with_the_last_one(cells) -> None:
    at_look, between = run(study_of(), under(cells, 3)), run(study_of(), under(cells, 4))
    assert [(v.verdict, v.estimate) for v in at_look.verdicts] == [(v.verdict, v.estimate) for v in between.verdicts]
    close = between.verdicts[1]
    assert (close.next_look, close.seeds_needed) == (5, None)
    assert 0 <= close.chance <= 1
    assert "The next look is at 5 seeds. The chance that it settles this is " in verdict_sentence(between, close)
    assert "frozen n=400 seed=4" in looks_text(between)
    assert "Scores are interim" in looks_text(between)


def test_after_the_last_look_a_new_study_is_asked_for_and_none_of_more_seeds(cells) -> None:
    found = run(study_of({"close": CLOSE}, looks=(8,), spend=(1.0,)), cells)
    v, said = found.verdicts[0], verdict_sentence(found, found.verdicts[0])
    assert v.verdict == "inconclusive"
    assert v.next_look is None
    assert v.seeds_needed is None or f"A new study would need about {v.seeds_needed} seeds" in said
    assert v.seeds_needed or "more test items" in said


def test_the_report_says_which_look_it_is_and_at_which_level_each_verdict_rests(cells) -> None:
    found = run(study_of({"one": CLOSE, "two": CLOSE}), under(cells, 5))
    assert looks_text(found).startswith(
        "Looks planned at 3, 5 and 8 seeds; this is the second. Each verdict rests on a 99.25% interval."
    )
    mixed = run(study_of(), under(cells, 5))
    assert "Verdicts of this look rest on a 99.25% interval; earlier ones name their own." in looks_text(mixed)
    notes = [view.notes for view in verdict_views(mixed)]
    assert notes[0] == ("Reached at the first look, of 3 seeds, on a 99.5% interval.",)
    assert notes[1] == ("Judged at the second look, of 5 seeds, on a 99.25% interval.",)
    page = markdown_page(mixed, (), 30)
    assert "this is the second" in page
    assert "Reached at the first look" in page


def test_a_study_of_one_look_that_has_all_its_cells_speaks_of_none(cells) -> None:
    assert looks_text(run(study_of(looks=(), spend=()), cells)) == ""
    assert looks_text(run(study_of({}), cells)) == ""


def test_cells_that_no_open_claim_reads_are_named_as_left_out_and_not_as_missing(cells) -> None:
    study, kept = study_of(), []
    upto = {"clear": 1, "close": 3}
    for cell in cells:
        key = cell[0].key
        if (key.arm, key.size, key.seed) in needed(study, ("scratch",), upto):
            kept.append(cell)
    found = run(study, kept)
    assert "20 cells were not trained, since no open claim reads them" in " ".join(found.caveats)
    assert "have no result" not in " ".join(found.caveats)
    assert found.looks.lacking == ()


def test_a_verdict_that_was_kept_stands_where_its_cells_are_lost(cells) -> None:
    settled = run(study_of(), under(cells, 3)).verdicts[0]
    found = run(study_of(), [], Standing(kept={"clear": settled}))
    assert found.verdicts[0] == settled
    assert found.verdicts[1].look == 0


def test_what_was_changed_after_looking_is_in_findings_report_and_sentence(cells) -> None:
    changed = Standing(after_looking={"clear": ("delta of claim clear was 0.05, is 0.02",)}, notes=("Changed.",))
    found = run(study_of(), cells, changed)
    assert found.verdicts[0].after_looking == ("delta of claim clear was 0.05, is 0.02",)
    assert found.verdicts[1].after_looking == ()
    assert "After looking: delta of claim clear was 0.05, is 0.02." in verdict_sentence(found, found.verdicts[0])
    assert "After looking" not in verdict_sentence(found, found.verdicts[1])
    assert found.caveats[0] == "Changed."
    marked, plain = verdict_views(found)
    assert (marked.how, plain.how) == ("after looking", "")
    assert "After looking: delta of claim clear was 0.05, is 0.02." in marked.notes


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["study.looks=[3,2]", "study.spend=[0.5,0.5]"], r"must increase, but got \[3, 2\]. Use study.looks=\[2, 3\]"),
        (["study.looks=[2,2]", "study.spend=[0.5,0.5]"], "must increase"),
        (["study.looks=[1,3]", "study.spend=[0.5,0.5]"], "2 seeds or more, but got"),
        (["study.looks=[2,30]", "study.spend=[0.5,0.5]"], r"asks for 30 seeds, but study.seeds has \d"),
        (["study.looks=[2,3]", "study.spend=[1.0]"], r"one share for each of study.looks=\[2, 3\].*\[0.5, 0.5\]"),
        (["study.looks=[2,3]"], "one share for each"),
        (["study.spend=[0.5,0.5]"], r"but got \[0.5, 0.5\]. For example \[1\]"),
        (["study.looks=[2,3]", "study.spend=[0.5,0.4]"], "sum to 1, but got .*whose sum is 0.9"),
        (["study.looks=[2,3]", "study.spend=[1.5,-0.5]"], "shares above 0 that sum to 1"),
        (["study.until=never"], "settled"),
    ],
)
def test_looks_that_cannot_be_are_refused(overrides: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compose(["experiments=quickstart", *overrides])


def test_looks_that_can_be_are_accepted() -> None:
    given = ["study.seeds=[0,1,2,3,4]", "study.looks=[2,3,5]", "study.spend=[0.2,0.3,0.5]"]
    assert compose(["experiments=quickstart", *given]).study.looks == (2, 3, 5)


def test_findings_with_looks_hold_no_moment(cells) -> None:
    once, again = (json.dumps([dataclasses.asdict(v) for v in run(study_of(), cells).verdicts]) for _ in range(2))
    assert once == again


def test_a_budget_without_looks_adds_seeds_and_plans_looks_for_them() -> None:
    study = Study(name="s", seeds=(3, 7), budget="10min")
    planned = looks_within_budget(study)
    assert planned.seeds == (3, 7, 8, 9, 10, 11, 12, 13)
    assert planned.looks == (2, 4, 8)
    assert sum(planned.spend) == pytest.approx(1)
    kept = looks_within_budget(dataclasses.replace(study, reserve=0.2))
    assert sum(kept.spend) == pytest.approx(0.8)


@pytest.mark.parametrize(
    "study",
    [
        Study(name="s", seeds=(3, 7)),
        Study(name="s", seeds=(3,), budget="10min"),
        Study(name="s", seeds=(3, 7), budget="10min", looks=(2,), spend=(1.0,)),
    ],
)
def test_looks_that_a_study_plans_stay_as_they_are(study: Study) -> None:
    assert looks_within_budget(study) == study

"""What a study states before its first cell, and what becomes of changes: nothing is trained here."""

import dataclasses
import functools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.records import Estimate, Verdict
from pipeline.study import stated as module
from pipeline.study.looks import looks_of
from pipeline.study.plan import Plan, plan_study
from pipeline.study.stated import Change, Stated, state, stated
from pipeline.study.taken_looks import kept, take, wanted
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Planned = Callable[..., Plan]
OTHER = "+study.claims.other={statement: Other, arm: scratch, against: pretrained, size: smallest}"
LOOKS = ["study.seeds=[0,1,2,3]", "study.looks=[2,4]", "study.spend=[0.4,0.6]"]


@pytest.fixture(scope="module")
def planned_once(tiny_base: Path, reviews: Path) -> Planned:
    """Plans by what is given beside the study; half a second each, and many tests begin with the same."""
    given = [*tiny.overrides(tiny_base, reviews, Path("out")), *tiny.study()]
    return functools.cache(lambda *more: plan_study([*given, *more]))


@pytest.fixture
def planned(planned_once: Planned, tmp_path: Path) -> Planned:
    def here(*more: str) -> Plan:
        plan = planned_once(*more)
        paths = dataclasses.replace(plan.config.paths, root=str(tmp_path / "out"))
        return dataclasses.replace(plan, config=dataclasses.replace(plan.config, paths=paths))

    return here


def finish_one(plan: Plan) -> None:
    """Have a cell of the first seed count as finished."""
    folder = plan.store.folder(next(iter(plan.cells)))
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("{}", encoding="utf-8")


def changed(plan: Plan) -> tuple[Stated, Change]:
    found, change = state(plan)
    assert change is not None
    return found, change


def test_a_study_is_stated_once_and_stating_it_again_changes_nothing(planned: Planned) -> None:
    plan = planned()
    assert stated(plan)[1] is None
    assert not plan.folder.exists(), "it is only looked at"
    found, change = state(plan)
    assert change is None
    assert found.first == found.now
    assert found.now.study == plan.config.study
    assert found.now.data == plan.data_fingerprint
    path = plan.folder / "stated.json"
    before = path.read_bytes()
    assert state(plan) == (found, None)
    assert path.read_bytes() == before


def test_a_change_before_any_result_is_recorded_and_marks_nothing(planned: Planned) -> None:
    state(planned())
    found, change = changed(planned("+study.claims.accurate.delta=0.05"))
    assert change.what == ("delta of claim accurate was 0.02, is 0.05",)
    assert not change.after_looking
    assert found.after_looking() == {}
    assert found.notes() == ()
    assert found.history == (change,)
    finish_one(planned())
    assert state(planned("+study.claims.accurate.delta=0.05"))[0].after_looking() == {}


def test_a_claim_that_is_changed_after_looking_is_marked_and_the_others_are_not(planned: Planned) -> None:
    plan = planned(OTHER)
    state(plan)
    finish_one(plan)
    found, change = changed(planned(OTHER, "+study.claims.accurate.delta=0.05"))
    assert change.after_looking
    assert found.after_looking() == {"accurate": ("delta of claim accurate was 0.02, is 0.05",)}
    assert "after results had been seen: delta of claim accurate was 0.02" in found.notes()[0]
    back, again = changed(planned(OTHER))
    assert again.after_looking
    assert back.after_looking() == {}, "it is what was stated before anybody looked"
    assert len(back.history) == 2
    assert "is 0.05" in back.notes()[0], "yet the change is not forgotten"


@pytest.mark.parametrize(
    ("overrides", "marked", "words"),
    [
        (["study.confidence=0.9"], {"accurate", "other"}, "confidence was 0.95, is 0.9"),
        (LOOKS, {"accurate", "other"}, "looks was [2], is [2, 4]"),
        (["study.seeds=[0,1,2]"], {"accurate", "other"}, "seeds was [0, 1], is [0, 1, 2]"),
        (["+study.claims.third={size: 16}"], {"third"}, "claim third was added"),
        (["study.sizes=[16,48,96]"], {"accurate"}, "sizes were [16, 48], are [16, 48, 96]"),
        (["study.arms=[pretrained,frozen,scratch]"], set(), "arms were ['pretrained', 'scratch'], are"),
        (["train.lr=1e-3"], {"accurate", "other"}, "settings are others for pretrained n=16"),
        (["task.split_seed=5"], {"accurate", "other"}, "settings are others for"),
        (["study.target=0.7"], set(), "target was None, is 0.7"),
    ],
    ids=["confidence", "looks", "seeds", "added", "size", "arm", "settings", "split", "target"],
)
def test_what_else_is_changed_marks_the_claims_that_rest_on_it(
    planned: Planned, overrides: list[str], marked: set[str], words: str
) -> None:
    plan = planned(OTHER)
    state(plan)
    finish_one(plan)
    found, change = changed(planned(OTHER, *overrides))
    assert words in "; ".join(change.what)
    assert change.after_looking
    assert set(found.after_looking()) == marked


def test_a_claim_that_is_dropped_after_looking_marks_those_that_share_its_error(planned: Planned) -> None:
    plan = planned(OTHER)
    state(plan)
    finish_one(plan)
    found, change = changed(planned())
    assert change.what == ("claim other was dropped, so that the others share more of the error",)
    assert set(found.after_looking()) == {"accurate"}


def test_a_claim_of_another_family_shares_no_error_with_those_that_stay(planned: Planned) -> None:
    apart = OTHER.replace("size: smallest", "size: smallest, family: apart")
    plan = planned(apart)
    state(plan)
    finish_one(plan)
    found, change = changed(planned())
    assert change.what == ("claim other was dropped",)
    assert found.after_looking() == {}


def test_a_claim_that_joins_another_family_marks_all_whose_share_changes(planned: Planned) -> None:
    plan = planned(OTHER)
    state(plan)
    finish_one(plan)
    found, change = changed(planned(OTHER, "+study.claims.accurate.family=apart"))
    assert change.what == ("family of claim accurate was none, is apart",)
    assert set(found.after_looking()) == {"accurate", "other"}
    found, change = changed(planned(OTHER, "+study.claims.accurate.family=apart", "study.family=all"))
    assert "family was claim, is all" in change.what


def test_other_data_mark_every_claim(planned: Planned) -> None:
    plan = planned(OTHER)
    state(plan)
    finish_one(plan)
    found, change = changed(dataclasses.replace(plan, data_fingerprint="of others"))
    assert change.what == ("the data are others",)
    assert set(found.after_looking()) == {"accurate", "other"}


def test_wording_is_no_change(planned: Planned) -> None:
    state(planned())
    said = ["study.question='Another?'", "+study.claims.accurate.statement='Said otherwise'"]
    found, change = state(planned(*said))
    assert change is None
    assert found.now.study.question == "Another?"


def test_another_version_of_results_is_named_and_marks_nothing(
    planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned()
    state(plan)
    finish_one(plan)
    monkeypatch.setattr(module, "RESULT_VERSION", 99)
    found, change = changed(dataclasses.replace(plan, cells=dict(zip("abcdefgh", plan.cells.values(), strict=True))))
    assert "results are of version 99" in change.what[0]
    assert found.after_looking() == {}


def test_results_that_were_found_and_deleted_have_been_seen(planned: Planned) -> None:
    plan = planned()
    state(plan)
    (plan.folder / "findings.json").write_text(json.dumps({"cells": {"pretrained n=16 seed=0": "x"}}))
    assert changed(planned("+study.claims.accurate.delta=0.05"))[1].after_looking


def test_another_name_starts_anew_and_says_how_many_cells_there_were(planned: Planned) -> None:
    plan = planned()
    state(plan)
    finish_one(plan)
    other = planned("study.name=second", "+study.claims.accurate.delta=0.05")
    found, change = state(other)
    assert change is None
    assert found.after_looking() == {}
    assert found.finished_before == 1, "the cell is one of both studies"
    assert "1 of its cells were finished before the study was stated" in found.notes()[0]


def settled(claim: str, look: int) -> Verdict:
    estimate = Estimate(value=0.1, low=0.05, high=0.15, level=0.99, seeds=2, items=48, method="m")
    return Verdict(
        claim=claim, statement="", metric="score", arm="pretrained", against="scratch", size=48, dataset="test",
        direction="higher", delta=0.02, verdict="supported", estimate=estimate,
        look=look, level=0.99,
    )  # fmt: skip


def test_looks_are_added_and_never_rewritten_and_a_verdict_is_kept_with_its_cells(planned: Planned) -> None:
    plan = planned(OTHER, *LOOKS)
    assert kept(plan) == {}
    take(plan, [settled("accurate", 1)])
    path = plan.folder / "looks.jsonl"
    first = path.read_text()
    take(plan, [settled("accurate", 1)])
    assert path.read_text() == first, "a look is taken once"
    take(plan, [dataclasses.replace(settled("other", 2), verdict="inconclusive")])
    assert path.read_text().startswith(first)
    line = json.loads(first)
    rested_on = {n for n, c in plan.cells.items() if c.train.size == 48 and c.train.seed in (0, 1)}
    assert (set(line["cells"]), line["seeds"]) == (rested_on, [0, 1])
    assert kept(plan) == {"accurate": settled("accurate", 1)}
    ahead = {(c.train.size, c.train.seed) for c in wanted(plan, kept(plan).values(), last=True).cells.values()}
    assert ahead == {(48, 0), (48, 1), *((16, seed) for seed in range(4))}


@pytest.mark.parametrize(
    "overrides", [["+study.claims.accurate.delta=0.05"], ["study.spend=[0.5,0.5]"], ["train.lr=1e-3"]]
)
def test_a_verdict_on_other_terms_is_not_kept(planned: Planned, overrides: list[str]) -> None:
    take(planned(OTHER, *LOOKS), [settled("accurate", 1)])
    assert kept(planned(OTHER, *LOOKS, *overrides)) == {}


def test_a_kept_verdict_survives_the_loss_of_its_cells(planned: Planned) -> None:
    plan = planned(OTHER, *LOOKS)
    take(plan, [settled("accurate", 1)])
    shutil.rmtree(plan.store.cells, ignore_errors=True)
    assert set(kept(plan)) == {"accurate"}


def test_looks_of_an_earlier_version_are_kept_on_disk_and_not_read(planned: Planned) -> None:
    plan = planned(OTHER, *LOOKS)
    take(plan, [settled("accurate", 1)])
    path = plan.folder / "looks.jsonl"
    line = json.loads(path.read_text())
    old = json.dumps(line | {"version": 0, "verdict": {"claim": "accurate", "sentence": "Supported: it is."}}) + "\n"
    path.write_text(old)
    assert kept(plan) == {}
    take(plan, [settled("accurate", 1)])
    assert path.read_text().startswith(old)
    assert kept(plan) == {"accurate": settled("accurate", 1)}


RESERVED = ["study.seeds=[0,1,2,3]", "study.looks=[2]", "study.spend=[0.6]", "study.reserve=0.4"]


def test_a_look_that_the_reserve_pays_for_marks_nothing(planned: Planned) -> None:
    plan = planned(*RESERVED)
    state(plan)
    finish_one(plan)
    more = [RESERVED[0], "study.looks=[2,4]", "study.spend=[0.6,0.3]", "study.reserve=0.1"]
    found, change = changed(planned(*more))
    assert change.what == ("looks were [2], are [2, 4]: 0.3 of the reserve is spent",)
    assert found.after_looking() == {}
    whole, _ = changed(planned(*more[:1], "study.looks=[2,3,4]", "study.spend=[0.6,0.3,0.1]"))
    assert set(whole.after_looking()) == {"accurate"}, "the look at 3 seeds was put before that at 4"


@pytest.mark.parametrize(
    "more",
    [
        ["study.looks=[3,4]", "study.spend=[0.6,0.3]", "study.reserve=0.1"],
        ["study.looks=[2,4]", "study.spend=[0.5,0.4]", "study.reserve=0.1"],
        ["study.looks=[2]", "study.spend=[0.8]", "study.reserve=0.2"],
    ],
)
def test_looks_that_change_what_was_stated_are_marked_whatever_is_kept(planned: Planned, more: list[str]) -> None:
    plan = planned(*RESERVED)
    state(plan)
    finish_one(plan)
    found, _ = changed(planned(RESERVED[0], *more))
    assert set(found.after_looking()) == {"accurate"}


def test_without_a_reserve_no_look_can_be_added(planned: Planned) -> None:
    plan = planned("study.seeds=[0,1]")
    state(plan)
    finish_one(plan)
    found, _ = changed(planned(*LOOKS))
    assert set(found.after_looking()) == {"accurate"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["study.reserve=1"], "study.reserve must be a share of the error from 0 to below 1, but got 1"),
        ([*LOOKS, "study.reserve=0.2"], "sum to 1 less study.reserve=0.2"),
    ],
)
def test_a_reserve_that_does_not_fit_is_refused(planned: Planned, overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        planned(*overrides)


def test_one_look_leaves_the_reserve_alone(planned: Planned) -> None:
    whole, kept_back = planned(), planned("study.reserve=0.4")
    error = [1 - looks_of(plan.config.study)[0].level for plan in (whole, kept_back)]
    assert error[1] == pytest.approx(0.6 * error[0])


def test_a_target_that_is_changed_after_looking_marks_the_row_that_reads_it(planned: Planned) -> None:
    plan = planned(OTHER)
    state(plan)
    finish_one(plan)
    found, _ = changed(planned(OTHER, "study.target=0.7"))
    assert found.costs_after_looking(target=True) == ("target was None, is 0.7",)
    assert found.costs_after_looking(target=False) == ()
    again, _ = changed(planned(OTHER, "study.target=0.7", "study.confidence=0.9"))
    assert again.costs_after_looking(target=False) == ("confidence was 0.95, is 0.9",)

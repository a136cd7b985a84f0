"""Arms that read the task's own text first: one training for all their cells, before them, and counted in each."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.commands.steps.findings import write_findings
from pipeline.commands.steps.plan_table import show_plan
from pipeline.commands.steps.pretraining import pretrain
from pipeline.commands.steps.study_run import StudyRun
from pipeline.config.compose import compose
from pipeline.data.store import load, stored_examples
from pipeline.errors import ConfigError
from pipeline.execution.assignment import Event
from pipeline.study.plan import Plan, plan_study
from pipeline.study.pretraining import pretrained, pretrainings
from pipeline.study.run import prepare, run
from pipeline.study.stated import stated
from pipeline.tracking import events
from pipeline.tracking.content import cell_tags
from pipeline.tracking.events import CellStarted
from pipeline.tracking.spool import AttemptLog
from tests import tiny
from tests.examples_kit import texts_of
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Planned = Callable[..., Plan]
SHORT = ["arm.pretraining.size=64", "arm.pretraining.recipe.epochs=16", "arm.pretraining.recipe.lr=3e-3"]


@pytest.fixture(scope="module")
def planned(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    root = tmp_path_factory.mktemp("out")
    given = [
        *tiny.overrides(tiny_base, reviews, root),
        *tiny.study(claim=False, arms="adapted,self_pretrained,scratch"),
    ]
    short = ["train.epochs=1", "train.min_steps=2"]
    return lambda *more: plan_study([*given, *short, *(SHORT if not more else ()), *more])


@pytest.fixture(scope="module")
def done(tiny_base: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A finished study of two such arms beside one that starts at once."""
    root = tmp_path_factory.mktemp("done")
    study = tiny.study(claim=False, arms="adapted,self_pretrained,scratch")
    plan = plan_study(
        [
            *tiny.overrides(tiny_base, reviews, root),
            *study,
            *SHORT,
            "train.epochs=1",
            "train.min_steps=2",
            "arm.head=fresh",
        ]
    )
    pretrain(plan)
    run(plan, ignore)
    return plan


def ignore(_: object) -> None:
    """Nobody watches."""


def before(plan: Plan, arm: str) -> str:
    """The id of what the cells of an arm go on from."""
    (found,) = {plan.identity(c.pretraining) for c in plan.cells.values() if c.arm.name == arm and c.pretraining}
    return found


class _StatedError(Exception):
    """The study would have been stated here."""


def test_a_study_is_stated_before_its_first_pretraining(planned: Planned) -> None:
    def record() -> None:
        raise _StatedError

    plan = planned()
    with pytest.raises(_StatedError):
        StudyRun(plan, stated(plan)[0], record, ["study"], ignore).to_the_end()
    assert not plan.store.ids()
    assert not any(plan.store.has(before(plan, arm)) for arm in ("adapted", "self_pretrained"))


def test_all_sizes_and_seeds_of_an_arm_share_one(planned: Planned) -> None:
    (plan,) = pretrainings(planned())
    assert [(c.arm.name, c.arm.start) for c in plan.cells.values()] == [
        ("adapted-pretraining", "pretrained"),
        ("self_pretrained-pretraining", "scratch"),
    ]


def test_an_arm_without_one_goes_on_from_none(planned: Planned) -> None:
    assert not pretrainings(planned("study.arms=[pretrained,scratch]"))


def test_another_way_of_reading_is_another_start(planned: Planned) -> None:
    longer = planned("arm.pretraining.size=64", "arm.pretraining.recipe.epochs=3")
    assert before(longer, "adapted") != before(planned(), "adapted")
    assert set(longer.cells) & set(planned().cells) == {n for n, c in planned().cells.items() if not c.pretraining}


def test_what_a_sweep_tries_leaves_it_as_it_is(planned: Planned) -> None:
    other = planned(*SHORT, "train.lr=0.1", "train.clip=2", "train.dropout=0.3", "train.weight_decay=0")
    assert before(other, "adapted") == before(planned(), "adapted")


def test_it_is_measured_on_validation_alone(done: Plan) -> None:
    for result in pretrained(done):
        assert [(e.dataset, e.role) for e in result.evaluations] == [("validation", "validation")]


def test_it_never_reads_a_text_that_is_held_out(done: Plan) -> None:
    (reading,) = pretrainings(done)
    read, judged = (load(Path(prepare(plan).data_folder)) for plan in (reading, done))
    held = {text for name in ("validation", "test") for text in texts_of(stored_examples(judged, name))}
    assert not held & set(texts_of(stored_examples(read, "train")))
    assert texts_of(stored_examples(read, "train")) == texts_of(stored_examples(judged, "train"))


def test_its_computation_is_counted_in_each_of_its_cells_from_the_start(done: Plan) -> None:
    for name, cell in done.cells.items():
        first = done.store.result(name).trajectory[0]
        spent = done.store.result(before(done, cell.arm.name)).cost.flops if cell.pretraining else 0.0
        assert first.flops == spent
    alike = {c.arm.name: done.store.result(n).cost for n, c in done.cells.items() if c.train.size == 48}
    assert alike["self_pretrained"].examples == alike["scratch"].examples
    extra = alike["self_pretrained"].flops - alike["scratch"].flops
    assert extra == pytest.approx(done.store.result(before(done, "self_pretrained")).cost.flops)


def test_it_makes_the_texts_likelier(done: Plan) -> None:
    for result in pretrained(done):
        assert result.trajectory[-1].validation_loss < result.trajectory[0].validation_loss


def test_the_findings_say_what_was_read_and_what_it_took(done: Plan) -> None:
    found = write_findings(done, done.results(), ())
    (said,) = [c for c in found.caveats if c.startswith("adapted first read")]
    result = done.store.result(before(done, "adapted"))
    assert "adapted first read 64 training texts without their labels, 1,024 examples in all" in said
    assert (
        f"These {result.cost.flops:.2g} FLOPs are part of the computation of each of its cells, but of no comparison"
        in said
    )


def test_a_plan_lists_it_before_the_cells(done: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(done)
    shown = capsys.readouterr().out
    assert shown.index("adapted-pretrain") < shown.index("16")
    assert "0 of 14 cells to train" in shown


def test_in_the_dashboard_it_is_no_cell_of_the_study(done: Plan) -> None:
    (reading,) = pretrainings(done)
    for plan, kind in ((reading, "pretraining"), (done, "cell")):
        name, cell = next(iter(plan.cells.items()))
        log = AttemptLog(done.root, "s", name, kind)
        log.started(cell)
        (event,), _ = events.read(log.path)
        assert isinstance(event.body, CellStarted)
        assert cell_tags(event.body, "s", None)["kind"] == kind


def test_what_was_read_is_used_again_by_another_study(done: Plan) -> None:
    study = dataclasses.replace(done.config.study, sizes=(32,))
    other = dataclasses.replace(done, config=dataclasses.replace(done.config, study=study))
    at = {n: (done.store.folder(n) / "result.json").stat().st_mtime_ns for n in done.store.ids()}
    pretrain(other)
    assert {n: (done.store.folder(n) / "result.json").stat().st_mtime_ns for n in done.store.ids()} == at


def test_cells_whose_start_was_lost_fail_alone_and_say_why(done: Plan, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(done.root, root)
    config = dataclasses.replace(done.config, paths=dataclasses.replace(done.config.paths, root=str(root)))
    plan = dataclasses.replace(done, config=config)
    for name in plan.cells:
        shutil.rmtree(plan.store.folder(name))
    shutil.rmtree(plan.store.folder(before(plan, "adapted")))
    shutil.rmtree(plan.store.folder(before(plan, "self_pretrained")) / "weights")
    told: list[Event] = []
    outcome = run(plan, told.append)
    assert {plan.cells[n].arm.name for n in outcome.finished} == {"scratch"}
    reasons = {f.arm: f.reason for f in outcome.failed}
    assert reasons["adapted"] == "Its pretraining was not trained."
    assert "the pretraining that this cell goes on from, are gone. Delete" in reasons["self_pretrained"]
    assert {e.cell_id for e in told if e.state == "failed"} == {f.cell_id for f in outcome.failed}


def test_one_that_fails_says_why_in_the_cells_that_needed_it(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tiny.study(claim=False, arms="adapted,pretrained", sizes="16", seeds="0")
    given = [*tiny.overrides(tiny_base, reviews, tmp_path), *study, *SHORT, "arm.pretraining.recipe.lr=1e38"]
    plan = plan_study(given)
    pretrain(plan)
    (failed,) = run(plan, ignore).failed
    assert failed.arm == "adapted"
    assert failed.reason.startswith("Its pretraining on the task's own text failed: The")
    assert "diverged" in failed.reason
    assert "diverged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["arm=adapted", "arm.method=linear_probe"], "arm.pretraining needs arm.method=full, but got 'linear_probe'"),
        (["arm=adapted", "task=fill_gaps"], "has none. Leave the arm out"),
        (["arm=adapted", "arm.pretraining.size=0"], "arm.pretraining.size must be a number of texts or 'all'"),
        (
            ["arm=adapted", "arm.pretraining.recipe.min_steps=9", "arm.pretraining.recipe.max_steps=5"],
            "at least min_st",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(overrides: list[str], reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        compose(overrides)
    assert reason in str(refused.value)

"""Arms on another base than the study's: is the older one still worth its place?"""

import json
import shutil
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from command_kit import command, planned, runs, sentences

from pipeline.study.plan import on_each_base
from tests import tiny

Capture = pytest.CaptureFixture[str]
CLAIM = ("+study.claims.newer.statement='The newer base is better'", "+study.claims.newer.against=pretrained@older")


@pytest.fixture
def world(
    tiny_base: Path,
    reviews: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[str]:
    """A study of two bases, the second of which is a preset of the working directory."""
    older = tiny.write_base(tmp_path_factory.mktemp("base") / "older", seed=3, layers=1, width=16)
    monkeypatch.chdir(tmp_path)
    presets = tmp_path / "conf" / "base"
    presets.mkdir(parents=True)
    (presets / "older.yaml").write_text(f"name: older\nsource: local\npath: {older}\nlicence: MIT\n")
    arms = "pretrained,pretrained@older,scratch"
    return [*tiny.overrides(tiny_base, reviews, tmp_path / "out"), *tiny.study(arms=arms, claim=False), *CLAIM]


def test_a_study_compares_two_bases_with_each_other_and_with_scratch(
    world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    done = command(capsys, "study", *world, "tracking=local")
    assert done.code == 0, done.err
    plan = planned(world)
    assert plan.missing() == {}
    assert {result.key.base for result in plan.results() if "@" in result.key.arm} == {"older"}
    assert len({result.cost.parameters for result in plan.results()}) == 2
    found = json.loads((plan.folder / "findings.json").read_text(encoding="utf-8"))
    assert [v["arm"] + " against " + v["against"] for v in found["verdicts"]] == ["pretrained against pretrained@older"]
    assert {(c["arm"], c["against"]) for c in found["contrasts"]} >= {("pretrained@older", "scratch")}
    said = " ".join(sentences([*found["fairness"], *found["caveats"]]))
    assert "2 pretrained checkpoints (tiny and older) were compared" in said
    assert "in every cell on older" in said
    assert "Same evaluation sets in every cell." in said
    page = (plan.folder / "report.html").read_text(encoding="utf-8")
    assert "pretrained@older" in page
    assert "bases tiny, older · task" in page
    assert "pretrained@older n=16 seed 0" in [name for name, _ in runs(tmp_path / "out", "cell")]
    assert "0 of 12 cells to train" in command(capsys, "study", *world, "plan=true").out


def test_each_base_has_cells_and_data_of_its_own(world: list[str]) -> None:
    own, older = on_each_base(planned(world))
    assert (own.config.base.name, older.config.base.name) == ("tiny", "older")
    assert (len(own.cells), len(older.cells)) == (8, 4)
    assert own.located.weights != older.located.weights
    assert not own.cells.keys() & older.cells.keys()


@pytest.mark.slow
def test_arms_on_two_bases_are_tuned_each_on_its_own(world: list[str], tmp_path: Path, capsys: Capture) -> None:
    tuned = ["tuning.trials=2", "tuning.size=16", "study.sizes=[16]", "study.seeds=[0]", "sweep.pruner=none"]
    done = command(capsys, "study", *world, *tuned)
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "sweeps" / "small-pretrained-older-16" / "sweep.json").is_file()


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ("pretrained,scratch@oldr", "there is no such base. Did you mean 'older'?"),
        ("pretraned@older,scratch", "there is no such arm. Did you mean 'pretrained'?"),
    ],
)
def test_an_arm_on_a_base_that_does_not_exist_is_refused(
    world: list[str], arms: str, said: str, capsys: Capture
) -> None:
    done = command(capsys, "study", *(w for w in world if "claims" not in w), f"study.arms=[{arms}]")
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("kind", "metric", "instead"),
    [
        ("causal_language_modelling", "loss", "Use task.metric=bits_per_byte."),
        ("masked_language_modelling", "top1", "Compare bases that share their tokenizer."),
    ],
)
def test_a_metric_of_tokens_cannot_compare_bases_that_cut_texts_differently(
    kind: str, metric: str, instead: str, world: list[str], tmp_path: Path, capsys: Capture
) -> None:
    from tests.models.tiny_bases import tiny_tokenizer

    tiny_tokenizer().save_pretrained(tmp_path / "other")
    older = yaml.safe_load((tmp_path / "conf" / "base" / "older.yaml").read_text())["path"]
    shutil.copy(tmp_path / "other" / "tokenizer.json", older)
    asked = [f"task.kind={kind}", f"task.metric={metric}", "task.data.label=null"]
    done = command(capsys, "study", *world, *asked)
    assert done.code == 2
    assert f"task.metric={metric} counts tokens, and older cuts texts into others than tiny" in done.err
    assert instead in done.err


def test_an_arm_on_the_studys_own_base_needs_no_mention_of_it(world: list[str], capsys: Capture) -> None:
    given = [w for w in world if "claims" not in w and "base" not in w.partition("=")[0]]
    done = command(capsys, "study", *given, "base=older", "study.arms=[pretrained,scratch@older]")
    assert done.code == 2
    assert "older is the base of the study: scratch alone means it" in done.err

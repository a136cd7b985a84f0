"""The report of a sweep: what was best, the figures it can draw, and every text shown as it stands."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from page_reading import Page

from pipeline.config.schema import Arm
from pipeline.records import SweepRecord, TrialRecord, from_json, to_json
from pipeline.report.figures.axes import score_axis
from pipeline.report.figures.sweep_progress import history, reports
from pipeline.report.figures.sweep_settings import importances, parallel, slices
from pipeline.report.sweep_report import answer, trials_csv, write_sweep_report

ARM = Arm(name="scratch")


def trial(number: int, *, state: str = "complete", reason: str = "", feasible: bool = True) -> TrialRecord:
    """A trial whose score is highest at lr 0.001."""
    chance = np.random.default_rng(number)
    lr = float(10 ** chance.uniform(-5, -2))
    score = float(0.7 - 0.05 * abs(np.log10(lr) + 3) + chance.normal(0, 0.005))
    values = (score,) if state == "complete" else ()
    steps = tuple(range(100, 100 * (12 if values else 4), 100))
    return TrialRecord(
        number=number,
        state=state,
        reason=reason,
        params={"train.lr": lr, "train.epochs": int(chance.choice([8, 14, 20])), "train.decay": "linear"},
        values=values,
        steps=steps,
        seen=tuple(0.5 + (score - 0.5) * (1 - 0.5 ** (s / 200)) for s in steps),
        cells=(f"cell{number}",),
        feasible=feasible,
    )


def sweep(*trials: TrialRecord, **changes: object) -> SweepRecord:
    """A sweep of these trials."""
    done = [t for t in trials if t.values and t.feasible]
    best = max(done, key=lambda t: t.values[0], default=None)
    given = {
        "name": "sentiment-scratch-400",
        "task": "sentiment",
        "arm": "scratch",
        "size": 400,
        "seeds": (0,),
        "metric": "accuracy",
        "objectives": ("score",),
        "directions": ("maximize",),
        "sampler": "tpe",
        "from_recipe": True,
        "pruner": "median",
        "asked": len(trials),
        "trials": trials,
        "best": (best.number,) if best else (),
        "importances": {"train.lr": 0.8, "train.epochs": 0.2},
        "overrides": "train.lr=0.001",
    }
    return SweepRecord(**(given | changes))  # type: ignore[arg-type]


@pytest.fixture
def usual() -> SweepRecord:
    """Thirty trials, some pruned, one failed."""
    states = ["pruned" if n % 4 == 3 and n > 6 else "complete" for n in range(30)]
    trials = [trial(n, state=s) for n, s in enumerate(states)]
    trials[5] = trial(5, state="failed", reason="The loss is nan <script>alert(1)</script>")
    return sweep(*trials)


def test_a_record_survives_its_round_trip(usual: SweepRecord) -> None:
    assert from_json(SweepRecord, to_json(usual)) == usual


def test_the_report_opens_with_the_best_trial_and_holds_every_figure(usual: SweepRecord, tmp_path: Path) -> None:
    page = write_sweep_report(usual, ARM, "Which settings suit scratch?", "python -m pipeline sweep", tmp_path)
    text = page.read_text(encoding="utf-8")
    best = usual.trial(usual.best[0])
    assert f"trial {best.number} with score {100 * best.values[0]:.1f}%: train.lr=0.001." in text
    assert text.count("<svg") >= 7
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert len(text) < 1_000_000
    assert "Which settings suit scratch?" in Page(text).text
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "Best on validation" in markdown
    assert "<script" not in markdown


def test_the_best_line_never_falls_and_passes_over_what_breaks_a_constraint() -> None:
    trials = [trial(n, feasible=n != 3) for n in range(8)]
    panel = history(sweep(*trials))
    assert list(panel.best) == sorted(panel.best)
    assert panel.best[-1] == max(t.values[0] for t in trials if t.feasible)


def test_a_cost_is_best_where_it_is_least() -> None:
    panel = history(sweep(*(trial(n) for n in range(8)), directions=("minimize",), objectives=("loss",)))
    assert list(panel.best) == sorted(panel.best, reverse=True)


def test_slices_are_logarithmic_where_values_span_magnitudes_and_named_where_they_are_few(usual: SweepRecord) -> None:
    found = {panel.title: panel for panel in slices(usual)}
    assert found["train.lr"].logarithmic
    assert found["train.lr"].names == ()
    assert found["train.epochs"].names == ("8", "14", "20")
    assert found["train.decay"].names == ("linear",)
    assert next(iter(found)) == "train.lr"


def test_parallel_coordinates_run_from_0_to_1_and_leave_out_what_a_trial_had_not(usual: SweepRecord) -> None:
    panel = parallel(usual)
    assert panel is not None
    assert [u.name for u in panel.uprights] == ["lr", "epochs", "decay", "score"]
    lines = np.array(panel.lines)
    assert lines.min() == 0
    assert lines.max() == 1
    assert parallel(sweep(*usual.trials[:3], trials=tuple(_only_lr(t) for t in usual.trials[:3]))) is None


def _only_lr(found: TrialRecord) -> TrialRecord:
    import dataclasses

    return dataclasses.replace(found, params={"train.lr": found.params["train.lr"]})


def test_what_cannot_be_drawn_is_left_out(usual: SweepRecord, tmp_path: Path) -> None:
    import dataclasses

    bare = dataclasses.replace(usual, importances={}, trials=tuple(
        dataclasses.replace(t, steps=(), seen=()) for t in usual.trials))  # fmt: skip
    assert importances(bare) is None
    assert reports(bare) is None
    write_sweep_report(bare, ARM, "?", "c", tmp_path)


def test_a_sweep_without_a_result_says_so(tmp_path: Path) -> None:
    record = sweep(*(trial(n, state="failed", reason="The loss is nan.") for n in range(3)), best=())
    assert answer(record) == "None of 3 trials has a result that counts."
    text = write_sweep_report(record, ARM, "?", "c", tmp_path).read_text(encoding="utf-8")
    assert "None of 3 trials" in text
    assert "Trial 0 failed: The loss is nan." in text


def test_the_csv_has_a_line_for_every_trial(usual: SweepRecord) -> None:
    lines = list(csv.DictReader(io.StringIO(trials_csv(usual))))
    assert len(lines) == 30
    assert lines[5]["state"] == "failed"
    assert lines[0]["train.lr"] == str(usual.trials[0].params["train.lr"])
    assert lines[8]["cells"] == "cell8"


@pytest.mark.parametrize(("low", "high"), [(0.73, 0.765), (0.744, 0.7461), (0.5, 0.9), (0.0, 1.0)])
def test_no_two_places_on_a_score_axis_are_called_the_same(low: float, high: float) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    score_axis(axes, "accuracy", low, high)
    figure.canvas.draw()
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert len(set(shown)) == len(shown) > 2

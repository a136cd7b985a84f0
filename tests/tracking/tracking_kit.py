"""Studies recorded without training, and a look at what the store then holds."""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.config import schema
from pipeline.config.cell import Cell
from pipeline.config.schema import Arm, Base, Data, Recipe, Task, Tracking, Train
from pipeline.files import digest
from pipeline.records import (
    CellResult,
    CheckpointUse,
    Cost,
    Estimate,
    Evaluation,
    Findings,
    Measured,
    OnThisMachine,
    StartLine,
    TrajectoryPoint,
    Verdict,
    to_json,
)
from pipeline.tracking import AttemptLog, StudyLog

STUDY = "quickstart"
QUESTION = "Does a pretrained start pay for movie reviews?"
SENTENCE = "Supported: at 400 labels pretrained is 15.2 points more accurate than scratch (95% interval 12.1 to 18.3)."
LOCAL = Tracking(name="local")
_SKILL = {"pretrained": 0.30, "frozen": 0.22, "lora": 0.28, "scratch": 0.08}
_START = 1_790_000_000.0


def a_cell(arm: str = "pretrained", size: int = 100, seed: int = 0, token: str | None = None) -> Cell:
    """A cell with the usual settings."""
    return Cell(
        base=Base(name="minilm", token=token),
        task=Task(name="sentiment", data=Data(path="reviews.csv", token=token)),
        arm=Arm(name=arm, look=schema.Look(light="#0068a8"), recipe=Recipe(lr=5e-5 if arm == "pretrained" else 5e-4)),
        train=Train(size=size, seed=seed, precision="fp32"),
    )


def cell_id(cell: Cell) -> str:
    """Sixteen hexadecimal digits."""
    return digest(cell.key.label, str(cell.train.seed))[:16]


def trajectory(cell: Cell) -> tuple[TrajectoryPoint, ...]:
    """A rising curve in ten points."""
    top = 0.5 + _SKILL[cell.arm.name] + 0.02 * cell.train.seed + 0.03 * math.log10(float(cell.train.size) / 25)
    shape = [1 - math.exp(-i / 3) for i in range(10)]
    return tuple(
        TrajectoryPoint(
            step=10 * i,
            examples=320 * i,
            flops=1e9 * i,
            train_loss=None if i == 0 else 0.7 - 0.5 * s,
            validation_loss=0.69 - 0.4 * s,
            validation_score=0.5 + (top - 0.5) * s,
            learning_rate=cell.recipe.lr * (1 - i / 10),
        )
        for i, s in enumerate(shape)
    )


def a_result(cell: Cell, started_at: float = _START) -> CellResult:
    """The result of a training that took 20 seconds."""
    points = trajectory(cell)
    score = points[-1].validation_score
    return CellResult(
        cell_id=cell_id(cell),
        key=cell.key,
        train_items=int(cell.train.size),
        pool_items=7000,
        labels=("negative", "positive"),
        metric="accuracy",
        higher_is_better=True,
        evaluations=(
            _evaluation("validation", "validation", score),
            _evaluation("test", "in_domain", score - 0.01),
            _evaluation("imdb", "out_of_domain", score - 0.08),
        ),
        trajectory=points,
        best_step=90,
        stopped_by="schedule",
        converged_gain=0.001,
        checkpoint=CheckpointUse(body="bert.", loaded=103, loaded_parameters=22_713_216),
        start_line=_start_line(cell),
        cost=Cost(
            flops=9e9, examples=2880, steps=90, parameters=22_700_000, trained_parameters=800, stored_bytes=90_000_000
        ),
        measured=Measured(
            seconds=20.0,
            training_seconds=15.0,
            evaluation_seconds=4.0,
            trajectory_seconds=tuple(1.5 * i for i in range(10)),
            peak_memory_bytes=900_000_000,
            started_at=started_at,
            finished_at=started_at + 20,
            threads=1,
            devices=1,
            concurrency=2,
        ),
    )


def _evaluation(dataset: str, role: str, score: float) -> Evaluation:
    metrics = {"accuracy": score, "macro_f1": score - 0.02, "loss": 1.1 - score}
    fingerprint = f"{dataset:0<64}"
    return Evaluation(dataset=dataset, role=role, items=400, truncated=3, fingerprint=fingerprint, metrics=metrics)


def _start_line(cell: Cell) -> StartLine:
    return StartLine(
        architecture="bert-6x384",
        pooling="mean",
        tokenizer="wordpiece",
        train_items=f"{cell.train.size}-{cell.train.seed}-".ljust(64, "a"),
        order="order",
        evaluation_grid="every 320 examples",
        global_batch=32,
        dropout=0.1,
        trained_mode="train",
        parameter_dtype="float32",
        precision="fp32",
        versions={"torch": "2.13.0"},
        recipe={"lr": cell.recipe.lr},
        method="full",
        base_mode="train",
    )


def some_findings(cells: Sequence[Cell]) -> Findings:
    """Findings that rest on `cells`."""
    estimate = Estimate(value=0.152, low=0.121, high=0.183, level=0.95, seeds=3, items=1500, method="crossed")
    verdict = Verdict(
        claim="pays",
        statement="A pretrained start is at least 2 points more accurate.",
        metric="score",
        arm="pretrained",
        against="scratch",
        size=400,
        dataset="test",
        direction="higher",
        delta=0.02,
        verdict="supported",
        estimate=estimate,
    )
    return Findings(
        study=STUDY,
        question=QUESTION,
        base="minilm",
        task="sentiment",
        metric="accuracy",
        higher_is_better=True,
        arms=tuple(dict.fromkeys(c.arm.name for c in cells)),
        sizes=tuple(dict.fromkeys(c.train.size for c in cells)),
        seeds=tuple(dict.fromkeys(c.train.seed for c in cells)),
        verdicts=(verdict,),
        scores=(),
        contrasts=(),
        multipliers=(),
        transferred=(),
        costs_to_target=(),
        early=(),
        gaps=(),
        costs=(),
        cells={f"{c.key.label} seed={c.train.seed}": cell_id(c) for c in cells},
        failed=(),
        fairness=(),
        caveats=(),
        measured=OnThisMachine(),
    )


def a_report(root: Path, findings: Findings) -> Path:
    """The report's page, with the files beside it."""
    folder = root / "studies" / STUDY
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(f"<!doctype html><h1>The report</h1><p>{findings.verdicts[0].statement}</p>")
    (folder / "report.md").write_text("# The report\n")
    (folder / "findings.json").write_text(to_json(findings))
    return folder / "report.html"


def grid(arms: Sequence[str] = ("pretrained", "scratch"), sizes: Sequence[int] = (100,), seeds: int = 1) -> list[Cell]:
    """Every combination."""
    return [a_cell(arm, size, seed) for arm in arms for size in sizes for seed in range(seeds)]


def open_attempt(root: Path, cell: Cell, attempt: str = "a1", points: int = 3) -> AttemptLog:
    """An attempt that is under way."""
    log = AttemptLog(root, STUDY, cell_id(cell), attempt)
    log.started(cell)
    for point in trajectory(cell)[:points]:
        log.point(point)
    return log


def record_study(root: Path, cells: Sequence[Cell], sentence: str = SENTENCE) -> StudyLog:
    """A study from its start to its report, every cell trained."""
    study = StudyLog(root, STUDY, STUDY)
    study.started(QUESTION, to_do=len(cells))
    for cell in cells:
        log = open_attempt(root, cell, points=10)
        log.finished(a_result(cell))
    findings = some_findings(cells)
    study.finished(findings, a_report(root, findings), [sentence])
    return study


class Look:
    """What a store holds."""

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(tracking_uri=uri, registry_uri=uri)

    def experiment(self, name: str = STUDY) -> Any:
        return self.client.get_experiment_by_name(name)

    def runs(self, clause: str = "", name: str = STUDY) -> list[Any]:
        experiment = self.experiment(name)
        return list(self.client.search_runs([experiment.experiment_id], clause)) if experiment else []

    def cells(self) -> list[Any]:
        return self.runs('tags.kind = "cell"')

    def study(self) -> Any:
        (run,) = self.runs('tags.kind = "study"')
        return run

    def history(self, run_id: str, key: str) -> list[tuple[int, float]]:
        return [(m.step, m.value) for m in self.client.get_metric_history(run_id, key)]

    def artifacts(self, run_id: str) -> set[str]:
        return {item.path for item in self.client.list_artifacts(run_id)}

    def artifact(self, run_id: str, name: str, folder: Path) -> Any:
        return json.loads(Path(self.client.download_artifacts(run_id, name, str(folder))).read_text())


def wait_for(condition: Any, seconds: float = 30.0) -> bool:
    """Whether `condition()` came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())

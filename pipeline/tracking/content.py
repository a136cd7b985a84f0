"""What the dashboard shows of a study and of its cells: tags, parameters, metrics, data sets and notes."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from pipeline.records import CellResult, Evaluation, TrajectoryPoint
from pipeline.tracking.events import CellFinished, CellPoint, CellStarted, StudyFinished, StudyScored, StudyStarted

ATTEMPT = "headstart.attempt"  # by which a run is found again
NOTE = "mlflow.note.content"
_SPARE = ("#4d6470", "#9b2c2c", "#5f7a1f", "#2b6a5b")
_CLAIMED = {"supported": 1.0, "refuted": -1.0}
_MEASURED = ("seconds", "training_seconds", "evaluation_seconds", "peak_memory_bytes")


@dataclass(frozen=True)
class Value:
    """One value of a metric, at a time in milliseconds and a step in training examples."""

    key: str
    value: float
    at: int
    step: int


@dataclass(frozen=True)
class DataSet:
    """A set of examples a cell was trained or scored on; `digest` is the project's own, over all its rows."""

    name: str
    digest: str
    rows: int
    context: str


def colour(started: CellStarted) -> str:
    """The arm's colour in lists and charts: that of its figures."""
    own = started.config.get("arm", {}).get("look", {}).get("light")
    return str(own or _SPARE[sum(started.key.arm.encode()) % len(_SPARE)])


def cell_name(started: CellStarted) -> str:
    """The run's name: "pretrained n=100 seed 0"."""
    name = f"{started.key.label} seed {started.key.seed}"
    return name if started.trial is None else f"trial {started.trial}: {name}"


def cell_params(started: CellStarted) -> dict[str, str]:
    """The short set of settings that people compare runs by; all of them are in config.json."""
    key = started.key
    params = {
        "arm": key.arm,
        "cell": key.label,
        "seed": str(key.seed),
        "data/train_size": str(key.size),
        "base": key.base,
        "task": key.task,
        "optim/lr": f"{started.lr:g}",
    }
    return params if started.trial is None else params | {"trial": str(started.trial)}


def trial_params(started: CellStarted) -> dict[str, str]:
    """The settings that trials differ in, by the names that configuration gives them; none for a study's cell."""
    if started.trial is None:
        return {}
    train, arm = started.config["train"], started.config["arm"]
    params = {f"train.{name}": value for name, value in arm["recipe"].items()}
    params |= {f"train.{name}": train[name] for name in arm["recipe"] if train.get(name) is not None}
    if arm["method"] == "lora":
        params |= {f"arm.lora.{name}": value for name, value in arm["lora"].items()}
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in params.items()}


def cell_tags(started: CellStarted, study_id: str, parent: str | None) -> dict[str, str]:
    """The tags of a cell's run; `current` is "no" once the study's findings do not rest on it."""
    tags = {
        **cell_params(started),
        "kind": _kind(started),
        "study_id": study_id,
        "cell_id": started.cell_id,
        "current": "yes",
        "mlflow.runColor": colour(started),
        "mlflow.source.name": "headstart",
    }
    return tags | ({"mlflow.parentRunId": parent} if parent else {})


def _kind(started: CellStarted) -> str:
    if started.trial is not None:
        return "trial"
    return "cell" if started.config.get("tested", True) else "pretraining"


def study_tags(study_id: str, started: StudyStarted) -> dict[str, str]:
    """The tags of a study's, or a sweep's, own run."""
    return {
        "kind": started.kind,
        "study_id": study_id,
        "study": started.name,
        "mlflow.source.name": "headstart",
    }


def point_values(point: TrajectoryPoint, metric: str, at: int) -> list[Value]:
    """The metrics of one point of the trajectory; what is not a finite number is left out."""
    named = {
        f"val/{metric}": point.validation_score,
        "val/loss": point.validation_loss,
        "train/loss": point.train_loss,
        "optim/lr": point.learning_rate,
    }
    return _values(named, at, point.examples)


def result_values(finished: CellFinished, shown: Sequence[CellPoint], at: int) -> list[Value]:
    """The metrics of a finished cell: scores and costs once, and the points that were not `shown` before."""
    result, known = finished.result, {event.point.examples for event in shown}
    values = _values(_scores(result) | _costs(result), at, 0)
    start, seconds = result.measured.started_at, result.measured.trajectory_seconds
    for i, point in enumerate(result.trajectory):
        if point.examples not in known:
            moment = int((start + seconds[i]) * 1000) if i < len(seconds) else at
            values += point_values(point, result.metric, moment)
    return values


def later_values(result: CellResult, before: Sequence[CellResult], at: int) -> list[Value]:
    """The scores of a finished cell, and what audits found of it, that were not known `before`."""
    known = {name for one in before for name in _scores(one)}
    return _values({name: value for name, value in _scores(result).items() if name not in known}, at, 0)


def data_sets(result: CellResult) -> Iterator[DataSet]:
    """The sets a cell was trained, chosen and tested on."""
    key = result.key
    yield DataSet(
        f"{key.task} train n={key.size}", _short(result.start_line.train_items), result.train_items, "training"
    )
    contexts = {"validation": "validation", "in_domain": "testing", "out_of_domain": "testing"}
    for evaluation in result.evaluations:
        if evaluation.role in contexts:
            name, context = f"{evaluation.dataset} ({evaluation.role})", contexts[evaluation.role]
            yield DataSet(name, _short(evaluation.fingerprint), evaluation.items, context)


def claim_values(finished: StudyFinished, at: int) -> list[Value]:
    """Of each of the fourteen claims its verdict as a number: 1 supported, -1 refuted, 0 open or not judged."""
    return _values({f"claim/{row.claim}": _CLAIMED.get(row.verdict, 0.0) for row in finished.rows}, at, 0)


def claim_tags(finished: StudyFinished) -> dict[str, str]:
    """The same in words, with the number that was measured."""
    words = {row.claim: (row.verdict.replace("_", " "), row.number) for row in finished.rows}
    return {f"claim/{name}": ": ".join(part for part in parts if part) for name, parts in words.items()}


def question(started: StudyStarted) -> str:
    """The note of an experiment whose study has no findings yet."""
    return _plain(started.sentence)


def answer(started: StudyStarted | None, finished: StudyFinished) -> str:
    """The note of a study: the verdict in its first line, then the question and the other verdicts."""
    sentences = [_plain(sentence) for sentence in finished.sentences] or ["The study states no claim."]
    parts = [sentences[0], f"Question: {_plain(started.question)}" if started else ""]
    parts += [f"- {sentence}" for sentence in sentences[1:]]
    if finished.failed:
        parts.append(f"Cells without a result: {len(finished.failed)}.")
    parts.append("The full report is under Artifacts: report.html.")
    return "\n\n".join(part for part in parts if part)


def interim(started: StudyStarted | None, scored: StudyScored) -> str:
    """The note of a study that still runs and has scores."""
    return "\n\n".join([_plain(scored.sentence), *([f"Question: {_plain(started.question)}"] if started else [])])


def interim_values(scored: StudyScored, at: int) -> list[Value]:
    """The scores so far, at the number of seeds that were complete as the step."""
    named = {re.sub(r"[^A-Za-z0-9_./ -]", "_", name): value for name, value in scored.scores.items()}
    return _values({f"scores/{name}": value for name, value in named.items()}, at, scored.seeds)


def _scores(result: CellResult) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for evaluation in result.evaluations:
        for name, value in evaluation.metrics.items():
            if name == result.metric or evaluation.role not in ("validation", "train"):
                metrics.setdefault(_score_key(evaluation, name), value)
    for audit in result.audits:
        other = "" if audit.dataset == "test" else f" {_safe(audit.dataset)}"
        metrics |= {f"audit/{audit.audit}/{_safe(name)}{other}": value for name, value in audit.numbers.items()}
    return metrics


def _score_key(evaluation: Evaluation, name: str) -> str:
    prefixes = {"in_domain": "test/", "validation": "val/best_", "train": "train/best_"}
    if evaluation.role in prefixes:
        return prefixes[evaluation.role] + _safe(name)
    return f"test/{_safe(name)} {_safe(evaluation.dataset)}"


def _costs(result: CellResult) -> dict[str, float]:
    costs = {f"cost/{f.name}": float(getattr(result.cost, f.name)) for f in fields(result.cost)}
    return costs | {f"cost/{name}": float(getattr(result.measured, name)) for name in _MEASURED}


def _values(named: Mapping[str, float | None], at: int, step: int) -> list[Value]:
    return [Value(k, float(v), at, step) for k, v in named.items() if v is not None and math.isfinite(v)]


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def _short(digest: str) -> str:
    return digest[:36] or "unknown"  # the store keeps 36 characters


def _plain(sentence: str) -> str:
    """Without the marks that would make it a heading or a list, and on one line."""
    return " ".join(sentence.split()).lstrip("#>-* ")

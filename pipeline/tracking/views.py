"""Saved views of a study's or a sweep's runs, provisioned as experiment tags.

The tags' format is internal to MLflow (seen in 3.17): it stands in this module alone, MLflow's minor version is pinned,
a browser test looks at the views, and a view that cannot be saved never spoils a record.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

TAG = "mlflow.sharedViewState."
_LIMIT = 20_000  # characters in a tag


@dataclass(frozen=True, kw_only=True)
class View:
    """A saved view: its key in links, its name in the list, the group that curves are averaged over (None: none)."""

    key: str
    name: str
    group: str | None


VIEWS = {
    "cell": (
        View(key="leaderboard", name="Leaderboard", group=None),
        View(key="arms", name="Pretrained against scratch", group="arm"),
        View(key="cells", name="By cell", group="cell"),
    ),
    "trial": (View(key="trials", name="Leaderboard of trials", group=None),),
}  # by the kind of the runs that they list


def share_key(view: View, study_id: str) -> str:
    """The view's key for one study; several studies may live in one experiment."""
    return f"{view.key}-{sha256(study_id.encode()).hexdigest()[:10]}"


def link(base: str, experiment_id: str, view: View, study_id: str) -> str:
    """The address that opens a view, in charts."""
    key = share_key(view, study_id)
    query = f"workflowType=machine_learning&viewStateShareKey={key}&compareRunsMode=CHART"
    return f"{base}/#/experiments/{experiment_id}/runs?{query}"


def tags(study_id: str, metric: str, at: int, runs: str = "cell") -> Iterator[tuple[str, str]]:
    """Key and value of the experiment tag of each view; `at` is in milliseconds, `runs` the kind that it lists."""
    for view in VIEWS[runs]:
        state = json.dumps(_state(view, study_id, metric, runs), separators=(",", ":"))
        name = f"{view.name} - {study_id}"
        value = json.dumps({"name": name, "createdAt": at, "updatedAt": at, "state": state}, separators=(",", ":"))
        if len(value) <= _LIMIT:
            yield TAG + share_key(view, study_id), value


def _state(view: View, study_id: str, metric: str, runs: str) -> dict[str, Any]:
    trials = runs == "trial"
    charts = _trials(metric) if trials else _grouped(metric) if view.group else _leaderboard(metric)
    return {
        "searchFilter": f'tags.kind = "{runs}" and tags.current = "yes" and tags.study_id = "{study_id}"',
        "orderByKey": f"metrics.`{'val/best_' if trials else 'test/'}{metric}`",
        "orderByAsc": False,
        "selectedColumns": _trial_columns(metric) if trials else _columns(metric),
        "groupBy": _group(view.group),
        "compareRunCharts": [card for section in charts for card in section.cards],
        "compareRunSections": [section.record for section in charts],
        "runsHiddenMode": "SHOW_ALL",
        "isAccordionReordered": True,
        "hideEmptyCharts": True,
    }


@dataclass(frozen=True)
class _Section:
    name: str
    cards: Sequence[dict[str, Any]]
    open: bool = True

    @property
    def record(self) -> dict[str, Any]:
        return {"uuid": self.name, "name": self.name, "display": self.open, "isReordered": True, "columns": 2}


def _leaderboard(metric: str) -> list[_Section]:
    return [
        _Section("test", [_bar("test", f"test/{metric}", f"Test {metric}"), _bar("test", "test/loss", "Test loss")]),
        _Section("cost", [_bar("cost", "cost/flops", "FLOPs"), _bar("cost", "cost/training_seconds", "Seconds")]),
        _Section("val", [_line("val", f"val/{metric}", f"Validation {metric} by examples seen")]),
        *_rest(),
    ]


def _grouped(metric: str) -> list[_Section]:
    return [
        _Section(
            "val",
            [
                _line("val", f"val/{metric}", f"Validation {metric} by examples seen"),
                _line("val", "val/loss", "Validation loss"),
            ],
        ),
        _Section("test", [_bar("test", f"test/{metric}", f"Test {metric}"), _bar("test", "test/loss", "Test loss")]),
        _Section("train", [_line("train", "train/loss", "Training loss")]),
        _Section("cost", [_bar("cost", "cost/flops", "FLOPs"), _bar("cost", "cost/training_seconds", "Seconds")]),
        *_rest()[1:],
    ]


def _trials(metric: str) -> list[_Section]:
    best = f"val/best_{metric}"
    return [
        _Section(
            "val",
            [
                _bar("val", best, f"Best validation {metric}"),
                _line("val", f"val/{metric}", f"Validation {metric} by examples seen"),
            ],
        ),
        _Section("cost", [_bar("cost", "cost/training_seconds", "Seconds"), _bar("cost", "cost/flops", "FLOPs")]),
        *_rest(),
    ]


def _rest() -> list[_Section]:
    return [_Section("train", [_line("train", "train/loss", "Training loss")], False), _Section("optim", [], False)]


def _bar(section: str, metric: str, title: str) -> dict[str, Any]:
    return _card(section, metric, title) | {"type": "BAR", "runsCountToCompare": 100}


def _line(section: str, metric: str, title: str) -> dict[str, Any]:
    return _card(section, metric, title) | {
        "type": "LINE",
        "runsCountToCompare": 100,
        "selectedMetricKeys": [metric],
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "lineSmoothness": 0,
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": False,
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "range": {},
    }


def _card(section: str, metric: str, title: str) -> dict[str, Any]:
    return {
        "uuid": f"{section}-{metric}",
        "metricSectionId": section,
        "metricKey": metric,
        "displayName": title,
        "isGenerated": True,
        "deleted": False,
    }


def _group(tag: str | None) -> dict[str, Any] | None:
    if tag is None:
        return None
    return {"aggregateFunction": "average", "groupByKeys": [{"mode": "tag", "groupByData": tag}]}


def _columns(metric: str) -> list[str]:
    metrics = [f"test/{metric}", f"val/best_{metric}", "cost/training_seconds"]
    return _named(metrics, ["arm", "data/train_size", "seed"])


def _trial_columns(metric: str) -> list[str]:
    settings = [f"train.{name}" for name in ("lr", "weight_decay", "warmup", "epochs")]
    return _named([f"val/best_{metric}", "cost/training_seconds"], ["trial", *settings])


def _named(metrics: Sequence[str], params: Sequence[str]) -> list[str]:
    return ["attributes.`Created`", *[f"metrics.`{m}`" for m in metrics], *[f"params.`{p}`" for p in params]]

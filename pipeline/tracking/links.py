"""Addresses in the dashboard."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.schema import Tracking
from pipeline.tracking import views
from pipeline.tracking.ledger import experiments
from pipeline.tracking.spool import children
from pipeline.tracking.store import store_of


@dataclass(frozen=True)
class Link:
    """One address: the study it belongs to ("" for all), what it shows, and where."""

    study_id: str
    title: str
    url: str


def links(tracking: Tracking, root: Path, study_id: str | None = None) -> tuple[Link, ...]:
    """Addresses of each study's runs and saved views, the latest study first; the list of studies where none is known.

    Args:
        tracking: which store; `tracking=none` has no addresses.
        root: where results go (`paths.root`).
        study_id: only this study.

    Raises:
        ServiceError: the server's address is missing or wrong.
    """
    store = store_of(tracking, root)
    if store is None:
        return ()
    base = store.address or f"http://127.0.0.1:{tracking.port}"
    all_links: list[Link] = []
    for known, experiment_id in experiments(store):
        if study_id in (None, known):
            all_links += _of_study(base, experiment_id, known, children(root, known))
    return tuple(all_links) or (Link("", "All studies", f"{base}/#/experiments?workflowType=machine_learning"),)


def _of_study(base: str, experiment_id: str, study_id: str, children: str) -> list[Link]:
    runs = f"{base}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
    saved = [
        Link(study_id, view.name, views.link(base, experiment_id, view, study_id)) for view in views.VIEWS[children]
    ]
    return [Link(study_id, "All runs", runs), *saved]

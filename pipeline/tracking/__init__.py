"""Runs in MLflow, as a mirror of what lies on disk. Importing this package imports neither MLflow nor torch."""

from pipeline.tracking.client import Mirror
from pipeline.tracking.links import Link, links
from pipeline.tracking.spool import AttemptLog, StudyLog, mirrored, reconcile, reuse, unfinished

__all__ = ["AttemptLog", "Link", "Mirror", "StudyLog", "links", "mirrored", "reconcile", "reuse", "unfinished"]

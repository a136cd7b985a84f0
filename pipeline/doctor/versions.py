"""The installed stack against what the package requires and what was tested together."""

import importlib.metadata
import platform
import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from pipeline.doctor.check import Check

SECTION = "Versions"
PYTHON = (3, 11)
# Releases of `lightning` that carried malicious code.
MALICIOUS = {"lightning": ("2.6.2", "2.6.3"), "pytorch-lightning": ("2.6.2", "2.6.3")}
REMEDY = "make setup, or: pip install -c constraints.txt headstart"


def version_checks(constraints: Path) -> list[Check]:
    """Python and every package that headstart requires.

    Args:
        constraints: the file of tested versions; where it is missing nothing is said about them.
    """
    tested = tested_versions(constraints)
    checks = [_package(needed, tested) for needed in requirements()]
    return [_python(), *checks, *_malicious()]


def requirements() -> list[Requirement]:
    """What the installed distribution requires, extras left out; empty where it is not installed."""
    try:
        lines = importlib.metadata.requires("headstart") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    declared = [Requirement(line) for line in lines]
    return [r for r in declared if r.marker is None or r.marker.evaluate({"extra": ""})]


def tested_versions(constraints: Path) -> dict[str, str]:
    """Package name to the version pinned in `constraints`."""
    if not constraints.is_file():
        return {}
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", constraints.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {_normal(name): version for name, version in pins}


def _python() -> Check:
    value = platform.python_version()
    if sys.version_info >= PYTHON:
        return Check(section=SECTION, name="Python", value=value)
    return Check(
        section=SECTION,
        name="Python",
        value=value,
        problem="Python must be at least 3.11",
        remedy="make setup PYTHON=python3.11 after installing it",
    )


def _package(needed: Requirement, tested: dict[str, str]) -> Check:
    have = installed(needed.name)
    if have is None:
        return Check(
            section=SECTION, name=needed.name, value="missing", problem=f"{needed.name} is not installed", remedy=REMEDY
        )
    pinned = tested.get(_normal(needed.name))
    differs = pinned is not None and Version(have).public != Version(pinned).public
    value = f"{have} (tested with {pinned})" if differs else have
    if needed.specifier.contains(have, prereleases=True):
        return Check(section=SECTION, name=needed.name, value=value)
    problem = f"{needed.name} must be {needed.specifier}, but is {have}"
    return Check(section=SECTION, name=needed.name, value=value, problem=problem, remedy=REMEDY)


def _malicious() -> list[Check]:
    versions = {name: installed(name) for name in MALICIOUS}
    return [
        Check(
            section=SECTION,
            name=name,
            value=have,
            problem=f"{name} {have} is a malicious release: treat this machine's credentials as stolen",
            remedy=f"remove .venv, run `make setup`, and replace every token and key that {name} could read",
        )
        for name, have in versions.items()
        if have in MALICIOUS[name]
    ]


def installed(name: str) -> str | None:
    """The version of a distribution, read without importing it; None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""What every test shares: one thread a process, no telemetry, and services that must be there in CI."""

import os
import shutil
from collections.abc import Callable, Generator

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest

from tests import longest_files

SERVICES = ("browser", "service")


def required() -> bool:
    """Whether a missing service is a failure, as in `.ci/run`, and not a reason to skip."""
    return os.environ.get("CI_REQUIRE_ALL") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that take longest first; the others stay in their order."""
    ranks = longest_files.ranks()
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test marked `browser` or `service` into a failure where services are required."""
    report = yield
    if report.skipped and required() and any(item.get_closest_marker(name) for name in SERVICES):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        report.outcome = "failed"
        report.longrepr = f"CI_REQUIRE_ALL=1 forbids to skip {item.nodeid}: {reason}"
    return report


@pytest.fixture
def need_program() -> Callable[[str], str]:
    """A function that gives a program's path, or skips the test (fails it under CI_REQUIRE_ALL=1)."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None and required():
            pytest.fail(f"{name} is not installed, and CI_REQUIRE_ALL=1 forbids to skip")
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find

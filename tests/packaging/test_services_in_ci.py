"""A test that skips for want of a service is a failure where CI asks for everything."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parent.parent / "conftest.py"
TESTS = """
import pytest

@pytest.mark.browser
def test_skips_inside():
    pytest.skip("no chromium")

@pytest.mark.service
@pytest.mark.skipif(True, reason="no server")
def test_skips_by_mark():
    pass

def test_uses_a_program(need_program):
    need_program("a-program-that-nobody-has")

def test_skips_for_another_reason():
    pytest.skip("no GPU")

def test_runs():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makeini("[pytest]\nmarkers =\n  browser: a\n  service: b\n")
    pytester.makepyfile(TESTS)
    return pytester


def test_missing_services_skip_visibly_on_a_persons_machine(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI_REQUIRE_ALL", raising=False)
    result = suite.runpytest_subprocess("-rs")
    result.assert_outcomes(passed=1, skipped=4)
    result.stdout.fnmatch_lines(["*no chromium*"])


def test_missing_services_fail_in_ci_and_other_skips_do_not(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_REQUIRE_ALL", "1")
    result = suite.runpytest_subprocess("-rf")
    result.assert_outcomes(passed=1, skipped=1, failed=2, errors=1)
    result.stdout.fnmatch_lines(["*CI_REQUIRE_ALL=1 forbids to skip*no chromium*"])

"""Whatever a file holds, reading it ends in examples or in a refusal: soon, and in a bounded memory."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import fuzz_kit

FILES = 2000  # of each format
AT_ONCE = 500

SYNTAX = st.text(st.sampled_from("ab,;|\t\n\r\"'\\[]{}: 01.\u200b\ufeff"), max_size=60)


@pytest.mark.parametrize("kind", fuzz_kit.WRITERS)
def test_damaged_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    for seed in range(40):
        content = fuzz_kit.damaged(kind, seed)
        assert fuzz_kit.read_file(content, tmp_path / f"reviews.{kind}", seed) is None, seed


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("first", range(0, FILES, AT_ONCE))
@pytest.mark.parametrize("kind", fuzz_kit.WRITERS)
def test_none_of_thousands_of_damaged_files_is_too_much(kind: str, first: int) -> None:
    command = [sys.executable, "-m", "tests.data.fuzz_kit", kind, str(first), str(first + AT_ONCE)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.stdout.splitlines()[-1] == f"{kind} {first + AT_ONCE - 1}"


@settings(max_examples=80, deadline=None)
@given(body=SYNTAX | st.binary(max_size=60), kind=st.sampled_from([*fuzz_kit.WRITERS]), which=st.integers(0, 4))
def test_any_content_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, body: str | bytes, kind: str, which: int
) -> None:
    heading = ",".join(fuzz_kit.HEADING) + "\n" if kind in ("csv", "tsv") else ""
    content = heading.encode() + (body if isinstance(body, bytes) else body.encode())
    assert fuzz_kit.read_file(content, tmp_path_factory.mktemp("any") / f"reviews.{kind}", which) is None

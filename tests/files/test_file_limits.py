"""A process whose files may not be large (`ulimit -f`) says so."""

import resource
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.files import write_text


def test_a_file_that_is_larger_than_allowed_is_said_with_the_limit_and_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"a\.txt was not written: .* larger than .* ulimit -f"):
            write_text(tmp_path / "a.txt", "x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []

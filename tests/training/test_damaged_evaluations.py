"""What is measured beside a training is compared with what was written before it is read, as results are."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import StorageError
from pipeline.records import AuditResult
from pipeline.storage.evaluations import Evaluations

FOUND = AuditResult(
    audit="calibration", version=1, items=8, columns=("bin",), numbers={"error": 0.5}, evaluation_id="0123456789abcdef"
)


def read(store: Evaluations) -> AuditResult:
    """All that is kept of it."""
    found = store.record(AuditResult, FOUND.evaluation_id)
    assert len(store.items(FOUND.evaluation_id)) == found.items
    return found


@pytest.mark.parametrize("name", ["record.json", "items.npy"])
def test_one_bit_that_is_another_is_named_with_its_remedy(name: str, tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    store.write(FOUND, np.arange(8, dtype=np.float32)[:, None])
    assert read(store) == FOUND
    path = store.folder(FOUND.evaluation_id) / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError, match=rf"{name} is damaged: .* Delete the folder .*{FOUND.evaluation_id}"):
        read(store)

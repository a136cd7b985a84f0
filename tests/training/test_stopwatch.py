"""What a training took is never less than nothing, even if the system's clock is set back meanwhile."""

import time
from pathlib import Path

import pytest
from cell_kit import small, trained

from pipeline.training.loop.finish import finish


@pytest.mark.parametrize("arm", ["pretrained", "bag_of_words"])
def test_a_clock_that_is_set_back_changes_no_duration(
    tiny_base: Path, reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arm: str
) -> None:
    first, calls = time.time(), iter(range(1_000_000))
    monkeypatch.setattr(time, "time", lambda: first - 3600 * next(calls))
    measured = finish(trained([*small(tiny_base, reviews, tmp_path), f"arm={arm}"]))[0].measured
    assert 0 < measured.seconds < 600
    assert measured.finished_at == pytest.approx(measured.started_at + measured.seconds)

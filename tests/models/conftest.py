"""The tiny base that most tests of models share."""

from pathlib import Path

import pytest

from pipeline.models.checkpoints.locate import Located, locate
from tests.models.tiny_bases import base_in, save_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a random BERT; tests that change it take `copied` instead."""
    return save_tiny(tmp_path_factory.mktemp("bases") / "bert")


@pytest.fixture(scope="session")
def located(tiny: Path) -> Located:
    """The same, located."""
    return locate(base_in(tiny))

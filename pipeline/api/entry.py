"""Headstart from Python: does starting from a pretrained model pay, for your task, data and hardware?

    import headstart

    result = headstart.compare("reviews.csv", budget="10min")
    print(result.recommendation)

This file is installed as headstart/__init__.py (see pyproject.toml); what it offers stands in pipeline/api.
"""

import importlib.util
import sys
from pathlib import Path


def _require_own_package() -> None:
    """Refuse a module of the same name as our own package that is found before it; it is not imported."""
    known = sys.modules.get("pipeline")
    spec = known.__spec__ if known else importlib.util.find_spec("pipeline")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if spec and not any((Path(folder) / "api" / "calls.py").is_file() for folder in folders):
        place = spec.origin or ", ".join(folders)
        raise ImportError(
            f"headstart needs its own package 'pipeline', but Python finds another module of that name first: {place}. "
            "Rename that file or folder, or start Python in another folder."
        )


_require_own_package()

from pipeline.api import *  # noqa: E402, F403
from pipeline.api import __all__ as __all__  # noqa: E402
from pipeline.api import __version__ as __version__  # noqa: E402

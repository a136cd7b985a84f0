"""Scripts of experiments/, which is no package."""

import importlib.util
import sys
from pathlib import Path
from typing import Any


def import_file(path: Path) -> Any:
    """The module in `path`, imported once."""
    if path.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[path.stem]

"""Headstart from Python: `import headstart`, which is installed from `entry.py` beside this file.

    import headstart

    result = headstart.compare(reviews, text="review", label="stars", budget="10min")
    print(result.recommendation)
    result.predict(["a warm and funny film"])

What goes wrong is one of the exceptions below, with the text that the command line prints.
"""

from pipeline import __version__
from pipeline.api.calls import compare, load
from pipeline.api.comparison import Comparison, Recommended
from pipeline.errors import (
    BaseModelError,
    ConfigError,
    DataError,
    HeadstartError,
    ServiceError,
    StorageError,
    TrainingError,
    UnequalStartError,
    UserError,
)

__all__ = [
    "BaseModelError",
    "Comparison",
    "ConfigError",
    "DataError",
    "HeadstartError",
    "Recommended",
    "ServiceError",
    "StorageError",
    "TrainingError",
    "UnequalStartError",
    "UserError",
    "__version__",
    "compare",
    "load",
]

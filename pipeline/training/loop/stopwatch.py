"""How long a training takes, whatever happens to the system's clock meanwhile."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stopwatch:
    """Started when it is made. `started_at` is in seconds since 1970, by a clock that can be set back."""

    started_at: float = field(default_factory=time.time)
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the start, by a clock that only goes forward."""
        return time.monotonic() - self._began

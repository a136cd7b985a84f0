"""How often a training is saved, as `train.checkpoint_every` says it: "5min", "200steps" or "never"."""

import re
from dataclasses import dataclass

from pipeline.errors import ConfigError

_FORM = re.compile(r"(\d+(?:\.\d+)?) ?(min|steps)")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Every so many seconds, or steps; never where both are None."""

    seconds: float | None = None
    steps: int | None = None

    def due(self, *, seconds: float, steps: int) -> bool:
        """Whether so much has passed since the last time."""
        late = self.seconds is not None and seconds >= self.seconds
        return late or (self.steps is not None and steps >= self.steps)


def pace_of(text: str) -> Pace:
    """What `text` says.

    Raises:
        ConfigError: it says nothing of that kind.
    """
    if text == "never":
        return Pace()
    parts = _FORM.fullmatch(text)
    if parts and float(parts[1]) > 0:
        if parts[2] == "min":
            return Pace(seconds=60 * float(parts[1]))
        if float(parts[1]).is_integer():
            return Pace(steps=int(float(parts[1])))
    raise ConfigError([f"train.checkpoint_every must be like 5min, 200steps or never, but got {text!r}."])

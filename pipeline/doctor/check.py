"""One line of the doctor's findings."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was looked at and what was found; `problem` is empty where all is well, else it comes with a `remedy`."""

    section: str
    name: str
    value: str
    problem: str = ""
    remedy: str = ""

    @property
    def wrong(self) -> bool:
        """Whether something has to be put right."""
        return bool(self.problem)

"""The test files that take longest, longest first, so that pytest's processes end at about the same time.

    make test ARGS="--durations=0 -vv" | python -m tests.longest_files

writes the list again, from what each file took in that run.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

LIST = Path(__file__).with_suffix(".txt")
_DURATION = re.compile(r"\s*([\d.]+)s (?:setup|call|teardown)\s+(\S+?)::")


def ranks() -> dict[str, int]:
    """The place of each file in the list."""
    return {name: place for place, name in enumerate(LIST.read_text(encoding="utf-8").split())}


def longest(lines: Iterable[str], *, seconds: float = 2.0) -> list[str]:
    """The files that take at least `seconds` by the durations in pytest's output, longest first."""
    taken: Counter[str] = Counter()
    for line in lines:
        if match := _DURATION.match(line):
            taken[match[2]] += float(match[1])  # type: ignore[assignment]
    return [name for name, sum_ in taken.most_common() if sum_ >= seconds]


if __name__ == "__main__":
    LIST.write_text("".join(f"{name}\n" for name in longest(sys.stdin)), encoding="utf-8")

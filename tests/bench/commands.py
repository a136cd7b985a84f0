"""Commands that only show something."""

from pathlib import Path

from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run

BAR = 1.5  # seconds
_COMMANDS = {
    "--help": (*HEADSTART, "--help"),
    "make help": ("make", "help"),
    "--cfg job": (*HEADSTART, "train", "--cfg", "job"),
}


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Wall time of each, in turn, in new processes; one run beforehand fills the disk cache."""
    seconds: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for number in range(options.repetitions + 1):
        for name, command in _COMMANDS.items():
            used = run(command)
            if number:
                seconds[name].append(used.seconds)
    return [bench.under(name, found, "s", BAR) for name, found in seconds.items()]

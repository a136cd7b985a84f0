"""A study that is finished, run again."""

from pathlib import Path

from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run

BAR = 5.0  # seconds


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Wall time of the quickstart study once its cells are finished; the first run, untimed, trains what is missing."""
    command = [*HEADSTART, "study", "experiments=quickstart", *options.quickstart]
    print("The quickstart study must be finished first; what is missing is trained now.", flush=True)
    run(command)
    seconds = [run(command).seconds for _ in range(options.repetitions)]
    return [bench.under("replay of a finished quickstart", seconds, "s", BAR, " ".join(options.quickstart))]

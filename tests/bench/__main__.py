"""`python -m tests.bench`: every benchmark against its bar, to outputs/bench.json and a table."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.hardware.machine import describe
from tests.bench import (
    accuracy,
    checkpoints,
    commands,
    ddp,
    evaluate,
    gpu,
    language,
    memory,
    overhead,
    replay,
    scale,
    serving,
    startup,
    sweeps,
    tables,
    training,
    trials,
)
from tests.bench.options import Options, parse
from tests.bench.rows import Bench, Row, record, show

BENCHMARKS: dict[str, Callable[[Options, Bench, Path], list[Row]]] = {
    "commands": commands.measure,
    "startup": startup.measure,
    "overhead": overhead.measure,
    "scale": scale.measure,
    "memory": memory.measure,
    "tables": tables.measure,
    "replay": replay.measure,
    "serving": serving.measure,
    "trials": trials.measure,
    "sweeps": sweeps.measure,
    "training": training.measure,
    "language": language.measure,
    "ddp": ddp.measure,
    "checkpoints": checkpoints.measure,
    "evaluate": evaluate.measure,
    "gpu": gpu.measure,
    "accuracy": accuracy.measure,
}


def main(arguments: list[str]) -> int:
    """Run the chosen benchmarks one after the other; 0 if every bar holds, else 1."""
    options = parse(arguments, tuple(BENCHMARKS))
    rows: list[Row] = []
    for name in options.only:
        bench = Bench(command=_command(name, arguments), machine=_machine())
        with tempfile.TemporaryDirectory(prefix="headstart-bench-") as folder:
            found = BENCHMARKS[name](options, bench, Path(folder))
        record(found, options.output)
        rows += found
    show(rows)
    print(f"Written to {options.output}")
    return 0 if all(row.holds is not False for row in rows) else 1


def _command(name: str, arguments: list[str]) -> str:
    """The command that makes these rows again, with whatever was set apart from the choice of benchmarks."""
    kept: list[str] = []
    skipping = False
    for argument in arguments:
        skipping = argument == "--only" or (skipping and not argument.startswith("--"))
        kept += [] if skipping else [argument]
    return " ".join(["python -m tests.bench --only", name, *kept])


def _machine() -> str:
    """The machine, its memory and the versions that matter for speed."""
    from importlib.metadata import version

    import psutil

    memory = f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    return f"{describe()}, {memory}; torch {version('torch')}, transformers {version('transformers')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the command line of the benchmark chooses."""

import argparse
from dataclasses import dataclass
from pathlib import Path

REPETITIONS = 7


@dataclass(frozen=True, kw_only=True)
class Options:
    """`only` names the benchmarks to run; the others are for trying things out on less."""

    only: tuple[str, ...]
    repetitions: int
    examples: int
    epochs: float
    test_items: int
    seeds: int
    sampler_seeds: int
    cells: int
    rows: int
    quickstart: tuple[str, ...]
    output: Path


def parse(arguments: list[str], names: tuple[str, ...]) -> Options:
    """The options; unknown ones end the program with exit code 2, as argparse does."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed and memory against their bars.")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="which benchmarks (all)")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help=f"of each, in turn ({REPETITIONS})")
    both = "training, accuracy:"
    parser.add_argument("--examples", type=int, default=960, help=f"{both} sentences of the train subset (960)")
    parser.add_argument("--epochs", type=float, default=3.0, help=f"{both} passes over them (3)")
    parser.add_argument(
        "--test-items", type=int, default=1500, help="training, accuracy, evaluate: held-out sentences (1500)"
    )
    parser.add_argument("--seeds", type=int, default=14, help="accuracy: trainings on either side (14)")
    parser.add_argument("--sampler-seeds", type=int, default=5, help="sweeps: searches of each kind (5)")
    parser.add_argument("--cells", type=int, default=10_000, help="scale: synthetic cells (10000)")
    parser.add_argument("--rows", type=int, default=2_000_000, help="tables: rows of the CSV (2000000)")
    parser.add_argument("--quickstart", nargs="*", default=[], help="replay: overrides of the quickstart study")
    parser.add_argument("--output", type=Path, default=Path("outputs/bench.json"), help="outputs/bench.json")
    given = parser.parse_args(arguments)
    if given.repetitions < 1:
        parser.error(f"--repetitions must be at least 1, but got {given.repetitions}")
    return Options(
        only=tuple(given.only),
        repetitions=given.repetitions,
        examples=given.examples,
        epochs=given.epochs,
        test_items=given.test_items,
        seeds=given.seeds,
        sampler_seeds=given.sampler_seeds,
        cells=given.cells,
        rows=given.rows,
        quickstart=tuple(given.quickstart),
        output=given.output,
    )

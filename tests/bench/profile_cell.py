"""Where a training's time goes: torch's profiler over about twenty steps of a real cell, on one thread.

python -m tests.bench.profile_cell [overrides]
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.records import TrajectoryPoint
from pipeline.study.plan import Plan, plan_cell
from pipeline.study.run import run_context
from pipeline.training.job import Job

# Validation so small, and so rare, that next to nothing but training is seen; 640 examples in batches of 32.
_CELL = (
    "train.size=640",
    "train.epochs=1",
    "train.min_steps=0",
    "train.eval_every=64",
    "task.data.validation_size=16",
    "task.data.test_size=16",
    "~task.out_of_domain.imdb",
    "train.keep=none",
    "tracking=none",
    "hardware.threads=1",
)
_KINDS = {
    "matrix products": ("mm", "addmm", "bmm", "baddbmm", "mkldnn_linear", "mkldnn_matmul", "_addmm_activation"),
    "dropout's random numbers": ("bernoulli_", "native_dropout", "rand", "random_"),
    "casts and copies": ("copy_", "_to_copy", "clone", "contiguous", "cat", "index_select"),
    "fills": ("fill_", "zero_", "zeros", "new_zeros", "ones"),
    "optimizer and clipping": ("_fused_adamw_", "linalg_vector_norm", "_foreach_norm", "_foreach_mul_", "stack"),
    "activations and norms": (
        "gelu", "gelu_backward", "tanh", "tanh_backward", "_softmax", "_softmax_backward_data", "_log_softmax",
        "_log_softmax_backward_data", "native_layer_norm", "native_layer_norm_backward",
    ),
    "element by element": ("add", "add_", "mul", "mul_", "div", "div_", "sub", "where", "masked_fill", "sum", "all"),
    "embeddings": ("embedding", "embedding_dense_backward"),
}  # fmt: skip


def shares(events: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Each kind's share of the time, in [0, 1], largest first.

    Args:
        events: names of operations as the profiler gives them, and their own time in any unit, callees excluded.
    """
    kinds = {f"aten::{name}": kind for kind, names in _KINDS.items() for name in names}
    total: dict[str, float] = defaultdict(float)
    for name, own in events:
        kind = "optimizer and clipping" if name.startswith("Optimizer.") else kinds.get(name, "other")
        total[kind] += own
    whole = sum(total.values())
    return {kind: own / whole for kind, own in sorted(total.items(), key=lambda pair: -pair[1])}


def profile(plan: Plan) -> list[tuple[str, float]]:
    """Own seconds of every operation from the first step to the last of the plan's one cell."""
    import torch

    from pipeline.training.loop.fit import fit

    job = _job(plan)
    torch.set_num_threads(job.hardware.threads)
    profiler: Any = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU])

    def report(point: TrajectoryPoint) -> None:
        if point.step == 0:
            profiler.start()

    fit(job, report)
    profiler.stop()
    return [(event.key, event.self_cpu_time_total / 1e6) for event in profiler.key_averages()]


def _job(plan: Plan) -> Job:
    from pipeline.training.setup.preflight import preflight

    cell_id, cell = next(iter(plan.cells.items()))
    ready = preflight(
        [cell],
        plan.located,
        data_fingerprint=plan.data_fingerprint,
        evaluated=plan.evaluated,
        hardware=plan.hardware,
        root=plan.root,
    )
    return run_context(plan, ready).assignment(cell_id, cell).job


def main(overrides: Sequence[str]) -> int:
    """Profile the cell and print the shares, then the operations that take most."""
    with tempfile.TemporaryDirectory(prefix="headstart-profile-") as folder:
        found = profile(plan_cell([*_CELL, f"paths.root={Path(folder)}", *overrides]))
    table = Table(title="One thread's time in training", title_justify="left")
    table.add_column("kind")
    table.add_column("share", justify="right")
    for kind, share in shares(found).items():
        table.add_row(kind, f"{share:.1%}")
    console = Console(highlight=False)
    console.print(table)
    for name, seconds in sorted(found, key=lambda pair: -pair[1])[:15]:
        console.print(f"{seconds:8.3f} s  {name}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

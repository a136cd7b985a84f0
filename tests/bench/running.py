"""Runs commands as a person would, in processes of their own, and says what they took."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.errors import HeadstartError
from pipeline.files import write_text
from pipeline.records import from_json, to_json
from tests.bench.peer import PeerJob, PeerResult

PROJECT = Path(__file__).parents[2]
HEADSTART = (sys.executable, "-m", "pipeline")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a finished command took: seconds of wall time, and the peak resident memory of its own process in bytes."""

    seconds: float
    peak_bytes: int
    output: str


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Usage:
    """Run `command` in the project's folder to its end.

    Raises:
        HeadstartError: it failed; the message holds the end of what it printed.
    """
    started = time.perf_counter()
    process = start(command, environment=environment)
    output = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise HeadstartError(f"{' '.join(command)} ended with exit code {process.returncode}:\n{output[-2000:]}")
    return Usage(seconds=seconds, peak_bytes=used.ru_maxrss * 1024, output=output)


def run_peer(job: PeerJob, folder: Path) -> tuple[PeerResult, npt.NDArray[np.bool_]]:
    """One fine-tuning by the peer, in a process whose threads are fixed before torch is imported.

    Args:
        folder: where job and result are written, in the place of those before.

    Returns:
        What it took, and whether each test item was right: bool [N], empty where nothing was to be tested.
    """
    files = [folder / name for name in ("peer-job.json", "peer-result.json", "peer-correct.npy")]
    write_text(files[0], to_json(job))
    threads = {"OMP_NUM_THREADS": str(job.setting.threads)}
    run([sys.executable, "-m", "tests.bench.peer", *map(str, files)], environment=threads)
    result = from_json(PeerResult, files[1].read_text(encoding="utf-8"), str(files[1]))
    return result, np.load(files[2], allow_pickle=False)


def start(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start `command` in the project's folder; its output comes through one pipe."""
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env=clean_environment() | dict(environment or {}),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def clean_environment() -> dict[str, str]:
    """This process's environment without telemetry, and without settings of threads: commands choose them."""
    kept = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

"""The programs of a SLURM in miniature, to be put in front of PATH."""

import os
import sys
from pathlib import Path

import pytest

from tests import fake_slurm


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put sbatch and its like on PATH; the folder of their jobs, each by its number."""
    programs, jobs = folder / "bin", folder / "jobs"
    for place in (programs, jobs):
        place.mkdir(parents=True)
    for name in ("sbatch", "srun", "scontrol", "scancel", "sacct"):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {fake_slurm.__file__} {name} {jobs} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), os.environ["PATH"]]))
    return jobs

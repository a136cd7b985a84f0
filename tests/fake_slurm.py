"""As much of SLURM as jobs of one node use: sbatch, srun, scontrol requeue, scancel and sacct, by way of a folder.

A job is told to end as SLURM does it: its processes by SIGTERM, and half a minute later by SIGKILL.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

KILL_WAIT = 30.0  # seconds, as SLURM's default


def sbatch(jobs: Path, *arguments: str) -> None:
    """Queue the script, which starts at once."""
    number = str(len(list(jobs.iterdir())) + 1)
    (jobs / number).mkdir()
    said = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, __file__, "serve", str(jobs), number, str(Path(arguments[-1]).absolute())]
    subprocess.Popen(command, start_new_session=True, **said)  # type: ignore[call-overload]
    print(f"Submitted batch job {number}")


def serve(jobs: Path, number: str, script: str) -> None:
    """Run the script, and once more each time that it is requeued."""
    folder, count = jobs / number, 0
    here = {"SLURM_JOB_ID": number, "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0"}
    while True:
        (folder / "requeue").unlink(missing_ok=True)
        again = {"SLURM_RESTART_COUNT": str(count)} if count else {}
        with (folder / "batch.log").open("a") as log:
            batch = subprocess.Popen(
                ["bash", script], env=os.environ | here | again, start_new_session=True, stdout=log, stderr=log
            )
        (folder / "session").write_text(str(batch.pid))
        batch.wait()
        end(jobs, str(batch.pid))
        if not (folder / "requeue").exists():
            (folder / "over").touch()
            return
        count += 1


def srun(_: Path, *arguments: str) -> None:
    """Run the one task of this step in place of this process."""
    given, out = list(arguments), {"--output": 1, "--error": 2}
    while given[0].startswith("--"):
        handle = out.get(given.pop(0))
        if handle:
            name = given.pop(0).replace("%j", os.environ["SLURM_JOB_ID"]).replace("%t", "0")
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), handle)
    os.execvpe(given[0], given, os.environ | {"SLURM_PROCID": "0", "SLURM_LOCALID": "0"})


def scontrol(jobs: Path, _: str, number: str) -> None:
    """Requeue the job: it is ended here, and started again."""
    (jobs / number / "requeue").touch()
    scancel(jobs, number)


def scancel(jobs: Path, *arguments: str) -> None:
    """End the job's steps; who asked for it may be one of them."""
    session = (jobs / arguments[-1] / "session").read_text()
    subprocess.Popen([sys.executable, __file__, "end", str(jobs), session], start_new_session=True)


def sacct(jobs: Path, *_: str) -> None:
    """The state of every job."""
    print("JobID|State|NodeList")
    for folder in jobs.iterdir():
        print(f"{folder.name}|{'COMPLETED' if (folder / 'over').exists() else 'RUNNING'}|here")


def tell(folder: Path, number: signal.Signals) -> None:
    """Send a signal to the processes of the job, without the shell that runs its script."""
    _tell(int((folder / "session").read_text()), number)


def end(_: Path, session: str) -> None:
    """What scancel does, in a process of its own."""
    _tell(int(session), signal.SIGTERM)
    latest = time.monotonic() + KILL_WAIT
    while _members(int(session)) and time.monotonic() < latest:
        time.sleep(0.1)
    _tell(int(session), signal.SIGKILL)


def _tell(session: int, number: signal.Signals) -> None:
    for each in _members(session):
        with suppress(ProcessLookupError):
            os.kill(each, number)


def _members(session: int) -> list[int]:
    found = []
    for each in (int(path.name) for path in Path("/proc").glob("[0-9]*")):
        with suppress(ProcessLookupError, FileNotFoundError):
            if os.getsid(each) == session != each and "\nState:\tZ" not in Path(f"/proc/{each}/status").read_text():
                found.append(each)
    return found


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])

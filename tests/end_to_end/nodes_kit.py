"""Two machines in miniature: network namespaces on this one, with a cable between them. Needs root and `ip`."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

TORCHRUN = str(Path(sys.executable).with_name("torchrun"))
DEVICE = "cable"  # its end on either machine


@dataclass(frozen=True)
class Machine:
    """A namespace, and its address on the cable."""

    name: str
    address: str

    def torchrun(self, head: "Machine", arguments: Sequence[str], log: Path) -> "subprocess.Popen[str]":
        """An agent of one process, that goes on alone where the other is gone."""
        host = int(self == head)  # torchrun would tell by the host's name, which both machines have
        agent = [
            TORCHRUN, "--nnodes=1:2", "--nproc-per-node=1", "--max-restarts=3", "--rdzv-backend=c10d", "--rdzv-id=test",
            f"--rdzv-endpoint={head.address}:29500", f"--local-addr={self.address}",
            f"--rdzv-conf=last_call_timeout=3,is_host={host}",
            "-m", "pipeline", *arguments,
        ]  # fmt: skip
        environment = os.environ | {"GLOO_SOCKET_IFNAME": DEVICE, "OMP_NUM_THREADS": "1"}
        with log.open("w") as out:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.name, *agent],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                text=True,
                start_new_session=True,
            )

    def cut_off(self) -> None:
        """Pull the cable."""
        _ip("-n", self.name, "link", "set", DEVICE, "down")


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Skips the test where namespaces cannot be made."""
    if shutil.which("ip") is None or os.geteuid():
        pytest.skip("network namespaces need root and the program ip")
    mark = uuid.uuid4().hex[:6]
    machines = tuple(Machine(f"hs-{mark}-{i}", f"10.77.0.{i + 1}") for i in range(2))
    ends = [f"v{mark}{i}" for i in range(2)]
    if subprocess.run(["ip", "netns", "add", machines[0].name], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces cannot be made here")
    try:
        _ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for machine, cable in zip(machines, ends, strict=True):
            if machine != machines[0]:
                _ip("netns", "add", machine.name)
            _ip("link", "set", cable, "netns", machine.name, "name", DEVICE)
            _ip("-n", machine.name, "address", "add", f"{machine.address}/24", "dev", DEVICE)
            for device in ("lo", DEVICE):
                _ip("-n", machine.name, "link", "set", device, "up")
        yield machines[0], machines[1]
    finally:
        for machine in machines:
            subprocess.run(["ip", "netns", "del", machine.name], check=False, capture_output=True)


def end(agent: "subprocess.Popen[str]") -> None:
    """Kill an agent and all it has started."""
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(agent.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    agent.kill()
    agent.wait()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)

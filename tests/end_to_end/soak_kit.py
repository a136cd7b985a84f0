"""A study that is killed again and again, and what is watched of it meanwhile."""

import os
import random
import statistics
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from command_kit import start, wait_until

WORKER_SECONDS, COORDINATOR_SECONDS = 5.0, 60.0  # between two kills
MARK = "HEADSTART_SOAK"  # in the environment of every process that is begun here


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A process while workers train, at most so old as coordinators become."""

    descriptors: int
    mebibytes: float


@dataclass(kw_only=True)
class Soak:
    """Commands under fire. `coordinators` and `servers` hold the samples of each life, oldest first."""

    root: Path
    temporary: Path
    chance: random.Random
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    workers_killed: int = 0
    coordinators_killed: int = 0
    commands: int = 0
    struck: float = field(default_factory=time.monotonic)  # when a coordinator was killed last, or the soak began
    coordinators: list[list[Sample]] = field(default_factory=list)
    servers: list[list[Sample]] = field(default_factory=list)
    shared: frozenset[str] = field(default_factory=lambda: frozenset(os.listdir("/dev/shm")))

    def to_the_end(self, words: Sequence[str], until: float) -> int:
        """Begin the command anew until it comes to its end by itself; killed until the clock says `until`."""
        while True:
            code = self._one_life(words, until)
            if code == 0:
                return code
            assert code in (1, -9), code  # cells whose worker was killed, or it was itself

    def _one_life(self, words: Sequence[str], until: float) -> int:
        process = start(*words, TMPDIR=str(self.temporary), **{MARK: self.mark})
        self.commands += 1
        self.coordinators.append([])
        self.servers.append([])
        began, struck = time.monotonic(), None
        while process.poll() is None:
            time.sleep(0.2)
            now = time.monotonic()
            training = self._training(process)
            struck = now if struck is None and training else struck  # or the last cell would be killed as it begins
            if now < until and now - self.struck > COORDINATOR_SECONDS:
                self.coordinators_killed += 1
                self.struck = now
                process.kill()
                process.wait()
            elif training and struck is not None and now - struck > WORKER_SECONDS:
                struck = now
                if now - began <= COORDINATOR_SECONDS:
                    self._sample(process)
                self.workers_killed += now < until and self._strike(training)
        wait_until(lambda: list(self.alive()) == [], 120)  # what the mirror was told last is still recorded
        said = process.communicate()
        assert "Traceback" not in said[1], said
        assert list(self.temporary.iterdir()) == [], "a file is left in TMPDIR"
        return process.returncode

    def alive(self) -> Iterator[psutil.Process]:
        """Every process that was begun here and still lives, in whatever session."""
        for process in psutil.process_iter():
            try:
                ours = process.environ().get(MARK) == self.mark
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
            except psutil.Error:
                continue

    def _training(self, coordinator: "subprocess.Popen[str]") -> list[psutil.Process]:
        """The workers that train."""
        try:
            return [p for p in psutil.Process(coordinator.pid).children(recursive=True) if self._trains(p)]
        except psutil.Error:
            return []

    def _strike(self, training: Sequence[psutil.Process]) -> bool:
        """Kill one of them; whether it was still there."""
        try:
            self.chance.choice(training).kill()
        except psutil.Error:
            return False
        return True

    def _trains(self, process: psutil.Process) -> bool:
        """Whether it holds the lock of a cell."""
        try:
            return any(file.path.startswith(str(self.root / "locks")) for file in process.open_files())
        except psutil.Error:
            return False

    def _sample(self, process: "subprocess.Popen[str]") -> None:
        def seen(of: psutil.Process) -> Sample:
            return Sample(descriptors=of.num_fds(), mebibytes=of.memory_info().rss / 2**20)

        try:
            coordinator = psutil.Process(process.pid)
            self.coordinators[-1].append(seen(coordinator))
            servers = [c for c in coordinator.children() if "forkserver" in " ".join(c.cmdline())]
            self.servers[-1].extend(seen(server) for server in servers)
        except psutil.Error:
            return


def first_and_last(lives: Sequence[Sequence[Sample]], what: str) -> tuple[float, float]:
    """The median of the lives in the first third of the time, and in the last, each at its largest."""
    largest = [max(getattr(sample, what) for sample in life) for life in lives if life] or [0]
    third = max(1, len(largest) // 3)
    return statistics.median(largest[:third]), statistics.median(largest[-third:])


def begun_and_old(lives: Sequence[Sequence[Sample]], what: str) -> tuple[float, float]:
    """The median of the first samples of all lives that have several, and of their last."""
    several = [life for life in lives if len(life) > 1] or [[Sample(descriptors=0, mebibytes=0.0)]]
    return tuple(statistics.median(getattr(life[at], what) for life in several) for at in (0, -1))  # type: ignore[return-value]

"""Cells on the machines that torchrun has started this command on: each of its processes trains one rank of each.

The first process coordinates as everywhere. The others follow: they hear which cell comes next. Where a rank is lost,
all processes end with 1, torchrun starts them again, and the cell goes on from where it was saved.
"""

import time
from dataclasses import dataclass
from functools import cache
from multiprocessing.process import BaseProcess

from pipeline.errors import RanksError
from pipeline.execution.assignment import CRAMPED, PRUNED, UNWRITABLE, Assignment, Notify
from pipeline.execution.local import LocalExecutor, Running, context, free_port, warm_up
from pipeline.execution.rendezvous import LOOK_AGAIN, Rendezvous, join_session, open_session
from pipeline.execution.worker import Place, work
from pipeline.hardware.launched import Launched
from pipeline.hardware.machine import cores, gpus_of
from pipeline.records import from_json, to_json

_GRACE = 20.0  # seconds between the ends of a cell's ranks


@dataclass(frozen=True, kw_only=True)
class Next:
    """The cell that all processes train next, and where its ranks find each other."""

    assignment: Assignment
    port: int


@cache
def session(place: Launched) -> Rendezvous:
    """This process's, the first one's, for as long as it lives."""
    return open_session(place)


class TorchrunExecutor(LocalExecutor):
    """See `Executor`. One cell at a time; this process trains its rank 0."""

    cells = 0  # of all executors of this process, one after the other

    def __init__(self, place: Launched, *, timeout_seconds: float) -> None:
        super().__init__(workers=1, timeout_seconds=timeout_seconds)
        self.place, self.rendezvous = place, session(place)

    def places(self, cell: Running) -> list[Place]:
        """This process's own; the others are told of theirs."""
        port = free_port()
        TorchrunExecutor.cells += 1
        self.rendezvous.tell(f"cell/{self.cells}", to_json(Next(assignment=cell.assignment, port=port)))
        return [_place(self.place, cell.assignment, port)]

    def again(self, cell: Running) -> bool:
        """No: the others are processes of torchrun's, which know the assignment as it is."""
        return False

    def settled(self, cell: Running, notify: Notify) -> bool:
        """See LocalExecutor.

        Raises:
            RanksError: a rank was lost, here or elsewhere; nothing is said of the cell, which goes on another time.
        """
        if self.rendezvous.told("lost") or _is_lost(cell.processes[0]):
            raise RanksError("A process of this cell was lost. Where torchrun has restarts left it starts all again.")
        over = super().settled(cell, notify)
        if over:
            self.rendezvous.tell(f"over/{self.cells}")
        return over


def follow(place: Launched) -> int:
    """Train this process's rank of each cell until there are no more; 0, or 1 where the rank was lost."""
    rendezvous, number = join_session(place), 1
    warm_up(max(1, cores() // place.here))
    while _comes(rendezvous, f"cell/{number}"):
        coming = from_json(Next, rendezvous.read(f"cell/{number}"))
        process = context().Process(
            target=work, args=(coming.assignment, _place(place, coming.assignment, coming.port)), daemon=True
        )
        process.start()
        if not _to_its_end(process, rendezvous, f"over/{number}"):
            rendezvous.tell("lost")
            return 1
        number += 1
    return 0 if rendezvous.told("end") else 1


def end(place: Launched) -> None:
    """Tell those who follow that there are no more cells."""
    session(place).tell("end")


def _comes(rendezvous: Rendezvous, name: str) -> bool:
    """Wait for the word; False where there are no more, or the first process has begun anew without this one."""
    while not rendezvous.told(name):
        if rendezvous.told("end") or rendezvous.is_over:
            return False
        time.sleep(LOOK_AGAIN)
    return True


def _to_its_end(process: BaseProcess, rendezvous: Rendezvous, over: str) -> bool:
    """Until the cell is over everywhere; False where this rank was lost, or failed alone."""
    failed_at: float | None = None
    while not rendezvous.told(over):
        process.join(LOOK_AGAIN)
        if process.exitcode is None:
            continue
        failed_at = failed_at or time.monotonic()
        alone = process.exitcode not in (0, PRUNED) and time.monotonic() - failed_at > _GRACE
        if _is_lost(process) or alone or rendezvous.is_over:
            return False
        time.sleep(LOOK_AGAIN)
    process.join(_GRACE)
    process.kill()
    process.join()
    return True


def _is_lost(process: BaseProcess) -> bool:
    """Whether it ended otherwise than by its own doing: see the exit codes of `work`."""
    return process.exitcode is not None and process.exitcode not in (0, 1, PRUNED, UNWRITABLE, CRAMPED)


def _place(place: Launched, assignment: Assignment, port: int) -> Place:
    gpus = gpus_of(0, place.here) if assignment.job.hardware.accelerator == "gpu" else None
    return Place(
        rank=place.rank, local_rank=place.local_rank, node=place.node, address=place.address, port=port, gpus=gpus
    )

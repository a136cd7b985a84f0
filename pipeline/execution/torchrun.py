"""Cells on the machines that torchrun has started this command on: each of its processes trains one rank of each.

The first process coordinates as everywhere. The others follow: through torchrun's own store they hear which cell comes
next. Where a rank is lost, all processes end with 1, torchrun starts them again, and the cell goes on from where it was
saved.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from pipeline.errors import RanksError
from pipeline.execution.assignment import LEFT, LOST, Assignment, Notify
from pipeline.execution.local import LocalExecutor, Running, context, free_port, warm_up
from pipeline.execution.worker import Place, work
from pipeline.hardware.launched import Launched
from pipeline.hardware.machine import cores, gpus_of
from pipeline.records import from_json, to_json

_PATIENCE = timedelta(minutes=2)  # for the store to answer
_LOOK_AGAIN = 0.2  # seconds
_GRACE = 20.0  # seconds for a rank to end once the cell is over


@dataclass(frozen=True, kw_only=True)
class Next:
    """The cell that all processes train next, and where its ranks find each other."""

    assignment: Assignment
    port: int


class Board:
    """Words that the processes of one start leave for each other."""

    def __init__(self, place: Launched) -> None:
        from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

        store = TCPStore(place.address, place.port, is_master=False, timeout=_PATIENCE)
        self._store: Any = PrefixStore(f"headstart/{place.restarts}", store)

    def tell(self, name: str, text: str = "") -> None:
        """Leave a word."""
        self._store.set(name, text)

    def told(self, name: str) -> bool:
        """Whether it was left."""
        return bool(self._store.check([name]))

    def read(self, name: str) -> str:
        """What was left."""
        return str(self._store.get(name), "utf-8")

    def number(self) -> int:
        """1, 2, ... for each call by any process."""
        return int(self._store.add("cells", 1))


class TorchrunExecutor(LocalExecutor):
    """See `Executor`. One cell at a time; this process trains its rank 0."""

    def __init__(self, place: Launched, *, timeout_seconds: float) -> None:
        super().__init__(workers=1, timeout_seconds=timeout_seconds)
        self.place, self.board, self.cell = place, Board(place), 0

    def places(self, cell: Running) -> list[Place]:
        """This process's own; the others are told of theirs."""
        port, self.cell = free_port(), self.board.number()
        self.board.tell(f"cell/{self.cell}", to_json(Next(assignment=cell.assignment, port=port)))
        return [_place(self.place, cell.assignment, port)]

    def settled(self, cell: Running, notify: Notify) -> bool:
        """See LocalExecutor.

        Raises:
            RanksError: a rank was lost, here or elsewhere.
        """
        lost = self.board.told("lost") or _is_lost(cell.processes[0])
        over = super().settled(cell, notify)
        if lost:
            raise RanksError("A process of this cell was lost. Where torchrun has restarts left it starts all again.")
        if over:
            self.board.tell(f"over/{self.cell}")
        return over


def follow(place: Launched) -> int:
    """Train this process's rank of each cell until there are no more; 0, or 1 where the rank was lost."""
    board, number = Board(place), 1
    warm_up(max(1, cores() // place.here))
    while _await(board, f"cell/{number}"):
        coming = from_json(Next, board.read(f"cell/{number}"))
        process = context().Process(
            target=work, args=(coming.assignment, _place(place, coming.assignment, coming.port)), daemon=True
        )
        process.start()
        if not _to_its_end(process, board, f"over/{number}"):
            board.tell("lost")
            return 1
        number += 1
    return 0


def end(place: Launched) -> None:
    """Tell those who follow that there are no more cells."""
    Board(place).tell("end")


def _await(board: Board, name: str) -> bool:
    """Until there is such a word; False where there will be none."""
    while not board.told(name):
        if board.told("end"):
            return False
        time.sleep(_LOOK_AGAIN)
    return True


def _to_its_end(process: BaseProcess, board: Board, over: str) -> bool:
    """Until the cell is over everywhere; False where this rank was lost."""
    while not board.told(over):
        process.join(_LOOK_AGAIN)
        if _is_lost(process):
            return False
        if process.exitcode is not None:
            time.sleep(_LOOK_AGAIN)
    process.join(_GRACE)
    process.kill()
    process.join()
    return True


def _is_lost(process: BaseProcess) -> bool:
    code = process.exitcode
    return code is not None and (code < 0 or code in (LEFT, LOST))


def _place(place: Launched, assignment: Assignment, port: int) -> Place:
    gpus = gpus_of(0, place.here) if assignment.job.hardware.accelerator == "gpu" else None
    return Place(
        rank=place.rank, local_rank=place.local_rank, node=place.node, address=place.address, port=port, gpus=gpus
    )

"""What the processes of one cell owe each other: to hold the same, and to be there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
import torch

from pipeline.data.sets import Prepared
from pipeline.errors import LostRankError, RanksError, first_line
from pipeline.records import StartLine, encode
from pipeline.training.job import Job

# What gloo and NCCL say, in small letters.
_BROKEN_OFF = ("connection closed by peer", "connection reset by peer", "broken pipe", "remote process exited")
# The second is said by the operations that were pending when gloo closed its connections after the first.
_WAITED_TOO_LONG = ("timed out", "application timeout")


class Agreement(pl.Callback):
    """Before the first step: every process holds the same cell, data, base and libraries as the first one.

    Lightning gives all of them the first one's weights, so unequal ones would train on without a word.
    """

    def __init__(self, job: Job, prepared: Prepared, line: StartLine) -> None:
        self.held = {"cell": job.cell_id, "base": job.base_fingerprint}
        self.held |= {f"data.{name}": encoded.fingerprint for name, encoded in prepared.sets.items()}
        for name, value in encode(line).items():
            inner = value if isinstance(value, dict) else {"": value}
            self.held |= {f"{name}.{key}".strip("."): str(each) for key, each in inner.items()}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Compare what all of them hold.

        Raises:
            RanksError: on every rank, where one differs from the first.
        """
        if trainer.world_size == 1:
            return
        held: list[Any] = [None] * trainer.world_size
        torch.distributed.all_gather_object(held, self.held)
        for rank, theirs in enumerate(held):
            names = [name for name in {**held[0], **theirs} if held[0].get(name) != theirs.get(name)]
            if names:
                unequal = "; ".join(f"{name} is {theirs.get(name)} and not {held[0].get(name)}" for name in names)
                raise RanksError(
                    f"Process {rank} of this cell holds other things than process 0: {unequal}. "
                    "All of them need the same settings, data, base and library versions."
                )


def longest_wait(job: Job) -> timedelta:
    """How long a process waits for the others of its cell."""
    return timedelta(minutes=job.hardware.timeout_minutes)


@contextmanager
def together(job: Job) -> Iterator[None]:
    """What the processes of a cell do together; says in words that one of them waited for too long, or lost another.

    Raises:
        LostRankError: another one was not there within `hardware.timeout_minutes`, or broke off.
    """
    try:
        yield
    except RuntimeError as error:
        said = str(error).lower()
        if job.hardware.devices > 1 and any(word in said for word in _BROKEN_OFF):
            raise LostRankError(f"Another process of this cell broke off ({first_line(error)}).") from error
        if job.hardware.devices == 1 or not any(word in said for word in _WAITED_TOO_LONG):
            raise
        raise LostRankError(
            f"A process of this cell waited {job.hardware.timeout_minutes:g} minutes for the others and gave up: one "
            "of them hangs or never came. Look into its log; if it is only slow, raise hardware.timeout_minutes."
        ) from error

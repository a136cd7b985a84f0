"""Gradients of the processes of one machine, averaged through memory that they share instead of a socket."""

import mmap
import os
import secrets
import sys

import torch
import torch.distributed as dist
from pytorch_lightning.strategies import DDPStrategy
from torch.distributed import GradBucket  # type: ignore[attr-defined]
from torch.nn.parallel import DistributedDataParallel

from pipeline.training.memory.limits import averaged_in


class SharedMemoryDDP(DDPStrategy):
    """DDP on the processors of one machine. Where the system shares no memory, gloo sends the gradients as ever."""

    def configure_ddp(self) -> None:
        """As any DDP, and what averages its gradients."""
        super().configure_ddp()
        assert isinstance(self.model, DistributedDataParallel)
        gradients = sum(p.numel() * p.element_size() for p in self.model.parameters() if p.requires_grad)
        shared = open_shared(averaged_in(gradients, dist.get_world_size()))
        if shared is not None:
            self.model.register_comm_hook(shared, _average)


class SharedMemory:
    """Memory that all processes of the group see: `slots[r, o]` are bytes of process r for process o."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        each = len(memory) // self.world**2 // 8 * 8  # whole numbers of any type
        flat = torch.frombuffer(memory, dtype=torch.uint8)[: self.world**2 * each]
        self.slots = flat.view(self.world, self.world, each)
        self.here = torch.zeros(1)

    def average(self, values: torch.Tensor) -> None:
        """Put into `values` [N], in place, the mean of what all processes hold there; all of them call this alike."""
        slots = self.slots.view(values.dtype)
        for part in torch.split(values, slots.shape[-1] * self.world):
            self._average(part, slots)

    def _average(self, values: torch.Tensor, slots: torch.Tensor) -> None:
        """Each process sums a share of `values` for all: it reads its share of theirs, and they read the mean.

        A slot is written again only after its reader has come to the next meeting, so two of them are enough.
        """
        shares = values.tensor_split(self.world)
        others = [(rank, share) for rank, share in enumerate(shares) if rank != self.rank]
        for rank, share in others:
            slots[self.rank, rank, : len(share)].copy_(share)
        self._meet()
        own = shares[self.rank]
        for rank, _ in others:
            own.add_(slots[rank, self.rank, : len(own)])
        slots[self.rank, self.rank, : len(own)].copy_(own.div_(self.world))
        self._meet()
        for rank, share in others:
            share.copy_(slots[rank, rank, : len(share)])

    def _meet(self) -> None:
        """Wait for all; gloo notices who is gone or late."""
        dist.all_reduce(self.here)


def open_shared(size: int) -> SharedMemory | None:
    """Memory of `size` bytes for the processes of the group, or nothing where one of them cannot have it.

    The first process keeps it nameless, so that none is left behind however they end.
    """
    name = f"gradients-{secrets.token_hex(8)}"
    handle = _nameless(name, size) if dist.get_rank() == 0 else None
    places = [name, f"/proc/{os.getpid()}/fd/{handle}"]
    dist.broadcast_object_list(places)
    memory = _mapped(places[0], places[1], size)
    all_have_it = torch.tensor(memory is not None, dtype=torch.int)
    dist.all_reduce(all_have_it, dist.ReduceOp.MIN)
    if handle is not None:
        os.close(handle)
    return SharedMemory(memory) if memory is not None and all_have_it else None


def _nameless(name: str, size: int) -> int | None:
    """A file in memory that no folder lists, all of it taken at once; nothing where there is no room."""
    if sys.platform != "linux":
        return None
    try:
        handle = os.memfd_create(name)
    except OSError:
        return None
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError:
        os.close(handle)
        return None
    return handle


def _mapped(name: str, place: str, size: int) -> mmap.mmap | None:
    try:
        if name not in os.readlink(place):  # another process's file, where processes do not see each other's numbers
            return None
        with open(place, "r+b") as file:
            return mmap.mmap(file.fileno(), size)
    except (OSError, ValueError):
        return None


def _average(shared: SharedMemory, bucket: GradBucket) -> torch.futures.Future[torch.Tensor]:
    shared.average(bucket.buffer())
    done: torch.futures.Future[torch.Tensor] = torch.futures.Future()
    done.set_result(bucket.buffer())
    return done

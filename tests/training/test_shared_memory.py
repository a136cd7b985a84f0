"""What processes of one machine average through shared memory is what gloo makes of it.

The processes assert; what fails in any of them is raised here. They are forks, so that torch is imported once.
"""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from pipeline.training.distributed.shared_memory import open_shared

SIZE = 4096  # bytes; less than most of what is averaged through it
LENGTHS = (1, 2, 7, 100, 1023, 5000)


def _compare(rank: int, world: int, meeting: str) -> None:
    _meet(rank, world, meeting)
    shared = open_shared(SIZE)
    assert shared is not None
    draw = torch.Generator().manual_seed(rank)
    for length in LENGTHS * 3:
        for dtype in (torch.float32, torch.bfloat16, torch.float64):
            mine = torch.randn(length, generator=draw).to(dtype)
            by_gloo = mine.clone()
            dist.all_reduce(by_gloo)
            shared.average(mine)
            torch.testing.assert_close(mine, by_gloo / world, rtol=0, atol=0.05 if dtype == torch.bfloat16 else 1e-6)
            everyones = [torch.empty_like(mine) for _ in range(world)]
            dist.all_gather(everyones, mine)
            assert all(torch.equal(theirs, mine) for theirs in everyones)
    dist.destroy_process_group()


def _refuse(rank: int, world: int, meeting: str) -> None:
    _meet(rank, world, meeting)
    for refusing, call in ((0, "os.memfd_create"), (0, "os.posix_fallocate"), (1, "os.readlink"), (1, "mmap.mmap")):
        with pytest.MonkeyPatch.context() as patch:
            if rank == refusing:
                patch.setattr(call, _no_memory)
            assert open_shared(SIZE) is None, call
    assert open_shared(SIZE) is not None
    dist.destroy_process_group()


def _meet(rank: int, world: int, meeting: str) -> None:
    torch.set_num_threads(1)  # a fork has none of its parent's threads
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)


def _no_memory(*_: object) -> int:
    raise OSError("No memory to share.")


def test_values_averaged_through_shared_memory_are_the_mean_and_alike_everywhere(tmp_path: Path) -> None:
    mp.start_processes(_compare, args=(3, str(tmp_path / "meeting")), nprocs=3, start_method="fork")


def test_where_one_process_has_no_memory_to_share_all_of_them_do_without(tmp_path: Path) -> None:
    mp.start_processes(_refuse, args=(2, str(tmp_path / "meeting")), nprocs=2, start_method="fork")

"""What torchrun tells a process that it has started."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Launched:
    """One of `world` processes on `nodes` machines."""

    rank: int
    local_rank: int
    node: int
    world: int
    nodes: int
    address: str  # of the machine of rank 0
    port: int  # of torchrun's own store there

    @property
    def here(self) -> int:
        """Processes on each machine."""
        return self.world // self.nodes


def launched() -> Launched | None:
    """As the environment says; None where torchrun has not started this process."""
    environment = os.environ
    if "TORCHELASTIC_RUN_ID" not in environment:
        return None
    return Launched(
        rank=int(environment["RANK"]),
        local_rank=int(environment["LOCAL_RANK"]),
        node=int(environment["GROUP_RANK"]),
        world=int(environment["WORLD_SIZE"]),
        nodes=int(environment["GROUP_WORLD_SIZE"]),
        address=environment["MASTER_ADDR"],
        port=int(environment["MASTER_PORT"]),
    )

"""Words that the processes started together by torchrun leave for each other, in torchrun's own store.

The store outlives a start: where torchrun starts the processes again, the words of before are still there. So the
first process opens a session each time, and goes on once all the others have signed it; they follow a session that
holds their own signature, and no other.
"""

import json
import time
import uuid
from datetime import timedelta
from typing import Any

from pipeline.hardware.launched import Launched

_PATIENCE = timedelta(minutes=2)  # for the store to answer
LOOK_AGAIN = 0.2  # seconds


class Rendezvous:
    """One session as one process sees it."""

    def __init__(self, store: Any, session: str) -> None:
        self._store, self.session = store, session

    def tell(self, name: str, text: str = "") -> None:
        """Leave a word."""
        self._store.set(f"{self.session}/{name}", text)

    def told(self, name: str) -> bool:
        """Whether it was left."""
        return bool(self._store.check([f"{self.session}/{name}"]))

    def read(self, name: str) -> str:
        """What was left; waits for it."""
        return str(self._store.get(f"{self.session}/{name}"), "utf-8")

    @property
    def is_over(self) -> bool:
        """Whether another session was opened since."""
        return _latest(self._store) != self.session


def open_session(place: Launched) -> Rendezvous:
    """By the first process; returns once all the others have signed."""
    rendezvous = Rendezvous(_store(place), uuid.uuid4().hex)
    rendezvous._store.set("session", rendezvous.session)
    crew = {str(rank): rendezvous.read(f"signed/{rank}") for rank in _awaited(rendezvous, place)}
    rendezvous.tell("crew", json.dumps(crew))
    return rendezvous


def join_session(place: Launched) -> Rendezvous:
    """By another process; returns once the first one has counted it in."""
    store, mine = _store(place), uuid.uuid4().hex
    while True:
        rendezvous = Rendezvous(store, _latest(store) or "")
        if rendezvous.session and not rendezvous.told(f"signed/{place.rank}"):
            rendezvous.tell(f"signed/{place.rank}", mine)
        if (
            rendezvous.session
            and rendezvous.told("crew")
            and json.loads(rendezvous.read("crew")).get(str(place.rank)) == mine
        ):
            return rendezvous
        time.sleep(LOOK_AGAIN)


def _awaited(rendezvous: Rendezvous, place: Launched) -> list[int]:
    others = list(range(1, place.world))
    while not all(rendezvous.told(f"signed/{rank}") for rank in others):
        time.sleep(LOOK_AGAIN)
    return others


def _latest(store: Any) -> str | None:
    return str(store.get("session"), "utf-8") if store.check(["session"]) else None


def _store(place: Launched) -> Any:
    from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]

    return PrefixStore("headstart", TCPStore(place.address, place.port, is_master=False, timeout=_PATIENCE))

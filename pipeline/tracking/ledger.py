"""What a store has already been told: for each file of events, its run and how far the file was applied."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StorageError
from pipeline.files import safe_name, write_bytes
from pipeline.records import decode, encode
from pipeline.tracking import lines
from pipeline.tracking.spool import STUDY_FILE, spool
from pipeline.tracking.store import Store


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of events in one store. `offset` counts the bytes that were applied."""

    file: str
    experiment_id: str
    run_id: str
    offset: int


class Ledger:
    """The entries of one study in one store; each change is one line appended to a file."""

    def __init__(self, store: Store, study_id: str) -> None:
        self.study_id = study_id
        self.path = store.ledger / f"{safe_name(study_id, 'A study id')}.jsonl"
        self.entries: dict[str, Entry] = {}
        self._lines = 0
        self._load(store)

    def _load(self, store: Store) -> None:
        forgotten = store.address is None and not store.database.exists()
        if forgotten or not self.path.is_file():
            return
        for line in lines.read(self.path):
            self._lines += 1
            entry = _entry(line)
            if entry:
                self.entries[entry.file] = entry

    def note(self, entry: Entry) -> None:
        """Record how far a file was applied."""
        self.entries[entry.file] = entry
        lines.append(self.path, encode(entry))

    def forget(self, file: str) -> None:
        """The store lost this file's run: it is to be told everything again."""
        old = self.entries.pop(file, None)
        if old:
            lines.append(self.path, encode(Entry(file=file, experiment_id="", run_id="", offset=0)))

    def offset(self, file: str) -> int:
        """How many bytes of the file were applied."""
        entry = self.entries.get(file)
        return entry.offset if entry else 0

    def shorten(self) -> None:
        """Rewrite a long file with one line per entry. Only its single writer may call this."""
        if self._lines > 200 + 4 * len(self.entries):
            write_bytes(self.path, b"".join(lines.dump(encode(entry)) for entry in self.entries.values()))
            self._lines = len(self.entries)


def register(store: Store, study_id: str) -> None:
    """Let this store be told of the study. A server hears of no study that was not run with it."""
    path = store.ledger / f"{safe_name(study_id, 'A study id')}.jsonl"
    if not path.exists():
        write_bytes(path, b"")


def forget_lost(store: Store) -> None:
    """Where the local store's file is gone, forget that it was told anything: the next one hears everything again."""
    if not store.database.exists():
        for path in store.ledger.glob("*.jsonl"):
            path.unlink()


def studies(store: Store) -> list[str]:
    """The studies that this store is told of: every one for the local store, the registered ones for a server."""
    known = sorted(path.name for path in spool(store.root).glob("*") if path.is_dir())
    if store.address is None:
        return known
    return [name for name in known if (store.ledger / f"{name}.jsonl").exists()]


def waiting(store: Store, study_id: str, ledger: Ledger) -> list[tuple[Path, int]]:
    """The study's files with events that the store has not been told, and the offset to read each from."""
    folder = spool(store.root) / study_id
    logs = []
    for path in sorted(folder.glob("*.jsonl")):
        offset = ledger.offset(path.name)
        if path.stat().st_size > offset:
            logs.append((path, offset))
    return logs


def count_waiting(store: Store) -> int:
    """The number of events that the store has not been told."""
    return sum(
        sum(1 for _ in lines.read(path, offset))
        for study_id in studies(store)
        for path, offset in waiting(store, study_id, Ledger(store, study_id))
    )


def experiments(store: Store) -> Iterator[tuple[str, str]]:
    """Study and experiment id of every study that the store knows, the one recorded last first."""
    known = sorted(studies(store), key=lambda name: -_changed(spool(store.root) / name))
    for study_id in known:
        entries = Ledger(store, study_id).entries
        entry = entries.get(STUDY_FILE) or next(iter(entries.values()), None)
        if entry and entry.experiment_id:
            yield study_id, entry.experiment_id


def _changed(folder: Path) -> float:
    study = folder / STUDY_FILE
    return study.stat().st_mtime if study.exists() else folder.stat().st_mtime


def _entry(line: lines.Line) -> Entry | None:
    try:
        return decode(Entry, line.value) if line.value else None
    except StorageError:
        return None

"""Damage of any kind to a sealed folder is noticed, also where size and time of the file stay the same."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.files import SEAL, require_intact, seal


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    folder = tmp_path / "cell"
    (folder / "weights").mkdir(parents=True)
    (folder / "scores.npy").write_bytes(bytes(range(200)))
    (folder / "weights" / "w.bin").write_bytes(b"weights")
    seal(folder)
    return folder


def flipped(data: bytes) -> bytes:
    return data[:3] + bytes([data[3] ^ 1]) + data[4:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "one bit is another": flipped,
    "zeros": lambda data: bytes(len(data)),
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "longer": lambda data: data + b"\n",
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("name", ["scores.npy", "weights/w.bin", SEAL])
def test_damage_is_named_with_its_remedy_though_the_time_is_the_same(sealed: Path, name: str, kind: str) -> None:
    require_intact(sealed)
    path = sealed / name
    before = path.stat()
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    if name == SEAL and kind == "longer":
        return require_intact(sealed)  # a line end after the digests says nothing else
    with pytest.raises(StorageError, match=r"is damaged: .* Delete the folder .*cell and run the same command again"):
        require_intact(sealed)


def test_only_the_files_that_are_read_are_asked_for(sealed: Path) -> None:
    (sealed / "weights" / "w.bin").write_bytes(b"others")
    require_intact(sealed, "scores.npy")
    with pytest.raises(StorageError, match=r"w\.bin is damaged"):
        require_intact(sealed, "scores.npy", "weights/w.bin")


def test_what_was_deleted_is_left_to_its_reader(sealed: Path) -> None:
    (sealed / "weights" / "w.bin").unlink()
    require_intact(sealed)


def test_a_file_that_was_added_is_not_what_was_written(sealed: Path) -> None:
    (sealed / "weights" / "more.bin").write_bytes(b"")
    with pytest.raises(StorageError, match=r"more\.bin is damaged"):
        require_intact(sealed, "weights/more.bin")


def test_a_folder_of_an_earlier_version_has_no_seal_and_passes(sealed: Path) -> None:
    (sealed / SEAL).unlink()
    (sealed / "scores.npy").write_bytes(b"")
    require_intact(sealed)


def test_a_folder_that_is_sealed_again_is_intact(sealed: Path) -> None:
    (sealed / "scores.npy").write_bytes(b"")
    seal(sealed)
    require_intact(sealed)

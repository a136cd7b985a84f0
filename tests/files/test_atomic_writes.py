"""A reader sees the old content or the new, never half, and nothing is left behind."""

import errno
import fcntl
import multiprocessing
import os
import re
import stat
import string
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import files
from pipeline.errors import StorageError, UserError
from pipeline.files import (
    clear_abandoned,
    digest,
    is_locked,
    lock,
    safe_name,
    sha256,
    staged_directory,
    write_bytes,
    write_text,
)

FULL = OSError(errno.ENOSPC, "No space left on device")


def failing(error: OSError) -> Any:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def everything_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.text(), second=st.text())
def test_a_file_holds_what_was_written_last(first: str, second: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "a.txt"
    try:
        first.encode("utf-8"), second.encode("utf-8")
    except UnicodeEncodeError:
        return
    write_text(path, first)
    write_text(path, second)
    assert path.read_bytes() == second.encode("utf-8")
    assert everything_in(path.parent) == ["a.txt"]


@pytest.mark.parametrize("step", ["os.replace", "os.fsync"])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FULL, "The disk is full: .*a.txt was not written. Free some space"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written to. Choose another folder with paths.root"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written to. Choose another folder"),
        (OSError(errno.EIO, "Input/output error"), "could not be written: .*Input/output error"),
    ],
)
def test_a_failure_leaves_the_old_content_and_nothing_else(
    step: str, error: OSError, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(step, failing(error))
    with pytest.raises(StorageError, match=said):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert everything_in(tmp_path) == ["a.txt"]


def test_content_is_on_the_disk_before_its_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (order.append(name), real(*a))[1])
    write_bytes(tmp_path / "a.bin", b"x")
    assert order == ["fsync", "replace"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_said_to_be_full_and_holds_no_half_file(small_disk: Path) -> None:
    write_text(small_disk / "a.txt", "old")
    with pytest.raises(StorageError, match="The disk is full"):
        write_bytes(small_disk / "a.txt", b"x" * 200_000)
    with pytest.raises(StorageError, match="The disk is full"), staged_directory(small_disk / "cell") as folder:
        (folder / "weights").write_bytes(b"x" * 200_000)
    assert everything_in(small_disk) == ["a.txt"]
    assert (small_disk / "a.txt").read_text() == "old"


def test_a_read_only_directory_is_named_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:
        folder.chmod(0o500)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("a directory cannot be made read-only for this user")
        with pytest.raises(
            StorageError, match=r"locked cannot be written to. Choose another folder with paths.root=FOLDER"
        ):
            write_text(folder / "a.txt", "x")
        with pytest.raises(StorageError, match="cannot be written to"), staged_directory(folder / "cell"):
            pass
        with pytest.raises(StorageError, match="cannot be written to"), lock(folder / "a.lock"):
            pass
    finally:
        subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def test_a_file_where_a_folder_should_be_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StorageError):
        write_text(tmp_path / "a" / "b.txt", "x")


def test_a_staged_directory_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "cells" / "one"
    with staged_directory(target) as folder:
        (folder / "weights").mkdir()
        (folder / "weights" / "w.bin").write_bytes(b"w")
        assert not target.exists()
        assert folder.parent == target.parent, "on the same file system, so that the rename is one step"
    assert everything_in(tmp_path / "cells") == ["one", "one/weights", "one/weights/w.bin"]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_a_block_that_ends_badly_leaves_nothing_and_its_own_error(error: BaseException, tmp_path: Path) -> None:

    def fill() -> None:
        with staged_directory(tmp_path / "one") as folder:
            (folder / "a").write_text("x")
            raise error

    with pytest.raises(type(error)):
        fill()
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("step", ["fsync", "rename", "mkdir"])
def test_a_full_disk_leaves_no_directory(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, step, failing(FULL))
    with pytest.raises(StorageError, match="The disk is full"), staged_directory(tmp_path / "one") as folder:
        (folder / "a").write_text("x")
    assert everything_in(tmp_path) == []


def test_the_first_writer_wins(tmp_path: Path) -> None:
    with staged_directory(tmp_path / "one") as slow:
        (slow / "a").write_text("slow")
        with staged_directory(tmp_path / "one") as fast:
            (fast / "a").write_text("fast")
    assert (tmp_path / "one" / "a").read_text() == "fast"
    assert everything_in(tmp_path) == ["one", "one/a"]


def test_of_many_writers_at_once_one_wins_whole(tmp_path: Path) -> None:
    gate = threading.Barrier(8)

    def write(number: int) -> None:
        gate.wait()
        with staged_directory(tmp_path / "one") as folder:
            (folder / "a").write_text(str(number))
            (folder / "b").write_text(str(number))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "one" / "a").read_text() == (tmp_path / "one" / "b").read_text()
    assert everything_in(tmp_path) == ["one", "one/a", "one/b"]


def hold(path: str, held: Any, end: Any) -> None:
    with lock(Path(path)):
        held.set()
        end.wait()


def test_a_lock_is_seen_by_others_and_freed_when_its_holder_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))  # commands run in this process took it off the path
    path = tmp_path / "locks" / "cell.lock"
    assert not is_locked(path)
    context = multiprocessing.get_context("spawn")
    held, end = context.Event(), context.Event()
    holder = context.Process(target=hold, args=(str(path), held, end))
    holder.start()
    assert held.wait(60)
    assert is_locked(path)
    holder.kill()
    holder.join()
    assert not is_locked(path)


def test_asking_whether_it_is_locked_does_not_lock_it(tmp_path: Path) -> None:
    with lock(tmp_path / "a.lock"):
        assert is_locked(tmp_path / "a.lock")
    assert not is_locked(tmp_path / "a.lock")
    assert not is_locked(tmp_path / "a.lock")
    with lock(tmp_path / "a.lock"):
        pass


@given(st.text(max_size=120) | st.text("ab1._-/", max_size=5))
def test_a_safe_name_stays_in_its_folder_and_is_unchanged(name: str) -> None:
    safe = all(c in string.ascii_letters + string.digits + "._-" for c in name) and not name.startswith((".", "-"))
    if safe and 0 < len(name) <= 100 and any(c.isalnum() for c in name):
        assert safe_name(name, "It") == name
        assert os.path.normpath(f"/a/b/{name}") == f"/a/b/{name}"
    else:
        with pytest.raises(UserError, match=re.escape(repr(name))):
            safe_name(name, "It")


@pytest.mark.parametrize("name", ["a", "quickstart", "data_efficiency-2", "0123456789abcdef", "v1.2", "A" * 100])
def test_an_ordinary_name_is_safe(name: str) -> None:
    assert safe_name(name, "It") == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/b", "a\\b", "a\0", "a\n", " a", "é", "a b", "~a", "$HOME", "-rf", "A" * 101, "\u0663"],
)  # fmt: skip
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"^study.name must be letters, digits"):
        safe_name(name, "study.name")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=100))
def test_a_fingerprint_follows_the_content(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(data + b"x")
    assert sha256(tmp_path / "a") != sha256(tmp_path / "b")
    assert len(sha256(tmp_path / "a")) == 64


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_texts_have_one_digest_exactly_when_they_are_the_same_in_the_same_parts(
    one: list[str], other: list[str]
) -> None:
    try:
        assert (digest(*one) == digest(*other)) == (one == other)
    except UnicodeEncodeError:
        return


def test_the_known_digest_of_nothing() -> None:
    assert files.digest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_full_quota_is_said_like_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "fsync", failing(OSError(errno.EDQUOT, "Disk quota exceeded")))
    with pytest.raises(StorageError, match=r"The disk is full: .*a\.txt was not written"):
        write_text(tmp_path / "a.txt", "x")


def test_a_file_system_without_locks_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.fcntl, "flock", failing(OSError(errno.ENOLCK, "No locks available")))
    said = r"must be on a file system with file locks, but got: No locks available.*paths\.root=FOLDER"
    with pytest.raises(StorageError, match=said) as refused, lock(tmp_path / "lock"):
        pytest.fail("the block must not be entered")
    assert refused.value.exit_code == 2


def test_a_lock_that_nfs_refuses_is_held_by_somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").touch()
    monkeypatch.setattr(files.fcntl, "flock", failing(PermissionError(errno.EACCES, "Permission denied")))
    assert is_locked(tmp_path / "lock")


def test_folders_that_cannot_be_flushed_are_filled_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = os.fsync

    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        flush(handle)

    monkeypatch.setattr(files.os, "fsync", only_files)
    with staged_directory(tmp_path / "made") as folder:
        (folder / "a.txt").write_text("x")
    assert (tmp_path / "made" / "a.txt").read_text() == "x"


def _write_forever(path: Path) -> None:
    while True:
        write_text(path, "x" * 3_000_000)


def test_what_a_killed_writer_left_is_removed_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    abandoned, held = tmp_path / "deep" / ".a.txt.1.tmp", tmp_path / ".b.txt.2.tmp"
    for path in (abandoned, held):
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
        os.utime(path, (0, 0))
    begun = tmp_path / ".c.txt.3.tmp"
    begun.write_text("half")
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        clear_abandoned(tmp_path)
    assert everything_in(tmp_path) == [".b.txt.2.tmp", ".c.txt.3.tmp", "deep"]


def test_a_writer_that_is_killed_leaves_what_can_be_removed(tmp_path: Path) -> None:
    writer = multiprocessing.get_context("fork").Process(target=_write_forever, args=(tmp_path / "a.txt",))
    writer.start()
    while not list(tmp_path.glob(".*.tmp")):
        time.sleep(0.001)
    writer.kill()
    writer.join()
    for path in tmp_path.glob(".*.tmp"):
        os.utime(path, (0, 0))
    clear_abandoned(tmp_path)
    assert list(tmp_path.glob(".*.tmp")) == []

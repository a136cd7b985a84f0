"""Atomic writes, locks and seals: a reader never sees half a file, a crash never leaves one, damage is noticed."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import StorageError, UnwritableError, UserError

NO_FOLDER = (errno.EEXIST, errno.ENOTDIR, errno.EROFS)  # a file in the way (twice), read-only
SEAL = "digests.json"
UNWRITABLE = (errno.EPERM, errno.EACCES, *NO_FOLDER)
_JUST_BEGUN = 2.0  # seconds
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_OFFERED = (errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)  # by some network file systems


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step; on failure the old content stands."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step, flushed to disk before the rename.

    Raises:
        StorageError: the directory is read-only or the disk is full.
    """
    staged = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(staged, "wb") as file:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.replace(staged, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise storage_error(path, error) from error


def clear_abandoned(folder: Path) -> None:
    """Remove the files below `folder` that `write_bytes` had begun when its process was killed.

    A file that is being written is locked, but for the moment before; so one that is seconds old is left alone.
    """
    for staged in folder.rglob(".*.tmp"):
        with contextlib.suppress(OSError), open(staged, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(file.fileno()).st_mtime > _JUST_BEGUN:
                staged.unlink()


def remove(path: Path) -> None:
    """Delete the file, if it is there.

    Raises:
        StorageError: it cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error


@contextlib.contextmanager
def staged_directory(target: Path) -> Iterator[Path]:
    """A directory to fill; when the block ends well it is flushed and renamed to `target`, else removed.

    If `target` came to exist meanwhile, it stays and the new one is dropped: the first writer wins.
    """
    staged = target.parent / f".staged-{target.name}-{uuid.uuid4().hex}"
    try:
        staged.mkdir(parents=True)
        yield staged
        _flush_tree(staged)
        _rename_unless_there(staged, target)
    except OSError as error:
        raise storage_error(target, error) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _rename_unless_there(staged: Path, target: Path) -> None:
    try:
        os.rename(staged, target)
    except OSError:
        if not target.is_dir():
            raise
    _flush(target.parent)


def _flush_tree(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            _flush(Path(folder) / name)
        _flush(Path(folder))


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NOT_OFFERED or not path.is_dir():  # some file systems do not flush folders
            raise
    finally:
        os.close(handle)


def seal(folder: Path) -> None:
    """Write down the digest of every file in `folder`, so that a later change of any of them is noticed."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / SEAL]
    write_text(folder / SEAL, json.dumps({str(path.relative_to(folder)): sha256(path) for path in files}, indent=1))


def require_intact(folder: Path, *names: str) -> None:
    """Check the files called `names`, or all that are there, against the seal of `folder`.

    A folder that has no seal, since an earlier version wrote it, passes.

    Raises:
        StorageError: the content of a file is not what was written: the disk lost it, or somebody changed it.
    """
    try:
        written = json.loads((folder / SEAL).read_bytes())
        changed = [n for n in names or written if (folder / n).exists() and sha256(folder / n) != written.get(n)]
    except FileNotFoundError:
        return
    except (OSError, ValueError, AttributeError, TypeError):
        changed = [SEAL]
    if changed:
        raise StorageError(
            f"{folder / changed[0]} is damaged: its content is not what was written there. Delete the folder {folder} "
            "and run the same command again."
        )


@contextlib.contextmanager
def lock(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[None]:
    """Hold a lock on `path`; it is freed by the kernel when its holder dies.

    Args:
        path: a file, which is made if it is not there.
        shared: whether others may hold it too that ask for it so.
        wait: for others to free it.

    Raises:
        BlockingIOError, PermissionError: somebody holds it, and `wait` is false.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        flock(handle, path, wait=wait, shared=shared)
        yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock on `path`."""
    if not path.is_file():
        return False
    with open(path, "r+b") as file:  # over NFS, a lock wants a file that is open for writing
        try:
            flock(file.fileno(), path, wait=False)
        except (BlockingIOError, PermissionError):  # the latter over NFS
            return True
    return False


def flock(handle: int, path: Path, *, wait: bool = True, shared: bool = False) -> None:
    """Lock the open file `handle`, at `path`, until it is closed: for this process alone, or shared with others.

    Raises:
        UnwritableError: its file system has no locks.
        BlockingIOError, PermissionError: somebody holds it, and `wait` is false.
    """
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        raise UnwritableError(
            f"{path.parent} must be on a file system with file locks, but got: {error.strerror}. Choose another "
            "folder with paths.root=FOLDER, or have its file system mounted with locks (NFS without nolock)."
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def state(path: Path) -> str:
    """What the file system knows of a file's content: it is another once the file was written to or replaced.

    It holds the time of the inode's last change, which cannot be set, unlike that of the last write. The file is
    opened, since over NFS only that asks the server.
    """
    with open(path, "rb") as file:
        known = os.fstat(file.fileno())
    return f"{known.st_dev} {known.st_ino} {known.st_size} {known.st_ctime_ns}"


def digest(*parts: str) -> str:
    """The SHA-256 of several texts, unambiguous in where each ends."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8")
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def safe_name(name: str, what: str) -> str:
    """`name`, if it can be a file's name as it stands.

    Raises:
        UserError: it is empty, too long, starts with `.` or `-`, or holds more than letters, digits and `. _ -`.
    """
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    if plain.isalnum() and not name.startswith((".", "-")) and len(name) <= 100 and name.isascii():
        return name
    raise UserError(
        f"{what} must be letters, digits, '.', '_' and '-' alone, not starting with '.' or '-', but got {name!r}."
    )


def storage_error(path: Path, error: OSError) -> StorageError:
    """The OSError as one sentence with its remedy."""
    if error.errno in _FULL:
        return StorageError(
            f"The disk is full: {path} was not written. Free some space and run the same command again."
        )
    if error.errno in UNWRITABLE:
        return UnwritableError(f"{path.parent} cannot be written to. Choose another folder with paths.root=FOLDER.")
    if error.errno == errno.EFBIG:
        return StorageError(f"{path} was not written: it is larger than a file may be here. Raise that with ulimit -f.")
    return StorageError(f"{path} could not be written: {error}.")

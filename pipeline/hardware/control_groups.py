"""Limits of the control groups that this process belongs to: of its container, its job or its service.

A group is limited by every group above it as well, so the least of their limits counts. Linux has two versions of
control groups, often both at once: version 2 is one tree of groups, version 1 has a tree for each resource.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")  # of the system's files
_NO_LIMIT = 1 << 60  # bytes; version 1 writes a number of this size where there is no limit


def core_limit() -> float | None:
    """Processor time in cores, 1.5 for example; None without a limit."""
    limits = [limit for group in _groups("cpu") if (limit := _cores_of(group)) is not None]
    return min(limits, default=None)


def memory_limit() -> int | None:
    """Bytes that all processes of the group may use together; None without a limit."""
    limits = [limit for group in _groups("memory") for limit in _memory_limits(group)]
    return min(limits, default=None)


def memory_left() -> int | None:
    """Bytes of memory that can still be had within all limits, at least 0; None without a limit."""
    left = [limit - _memory_used(group) for group in _groups("memory") for limit in _memory_limits(group)]
    return max(0, min(left)) if left else None


def _cores_of(group: Path) -> float | None:
    quota, period = [*_words(group / "cpu.max"), "", ""][:2]
    if not quota:
        quota, period = (_text(group / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _memory_limits(group: Path) -> list[int]:
    """Above memory.high the system slows a group down so much that it counts as a limit too."""
    texts = [_text(group / name) for name in ("memory.max", "memory.high", "memory.limit_in_bytes")]
    return [int(text) for text in texts if text.isdecimal() and int(text) < _NO_LIMIT]


def _memory_used(group: Path) -> int:
    """Without the cached files that the system gives back when memory is needed."""
    used = _text(group / "memory.current") or _text(group / "memory.usage_in_bytes") or "0"
    words = _words(group / "memory.stat")
    stat = dict(zip(words[::2], words[1::2], strict=False))
    return int(used) - int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))


def _groups(resource: str) -> Iterator[Path]:
    """The folders of this process's groups that can limit `resource`, each followed by those above it."""
    for line in _text(ROOT / "proc/self/cgroup").splitlines():
        _, resources, path = line.split(":", 2)
        if not resources or resource in resources.split(","):  # version 2 names no resources
            for top, mounted in _mounts(resource if resources else ""):
                inside = os.path.relpath(path, mounted)
                group = top if inside.startswith("..") else top / inside  # outside: only the mount can be seen
                yield from [folder for folder in (group, *group.parents) if folder.is_relative_to(top)]


def _mounts(resource: str) -> Iterator[tuple[Path, str]]:
    """Where groups are mounted, and the group that is mounted there; `resource` is empty for version 2."""
    for line in _text(ROOT / "proc/self/mountinfo").splitlines():
        mount, _, system = line.partition(" - ")
        kind, _, options = system.split(" ", 2)
        if (kind == "cgroup2" and not resource) or (kind == "cgroup" and resource in options.split(",")):
            _, _, _, mounted, place, *_ = mount.split(" ")
            yield ROOT / place.lstrip("/"), mounted


def _words(file: Path) -> list[str]:
    return _text(file).split()


def _text(file: Path) -> str:
    """The stripped content; empty where there is no such file, or it cannot be read."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="utf-8").strip()
    return ""

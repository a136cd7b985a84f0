"""What a container leaves of a machine's cores and memory, read from a made-up root of the system's files."""

import os
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from pipeline.config.compose import compose
from pipeline.config.schema import Hardware
from pipeline.doctor.machine import choice_checks, hardware_checks
from pipeline.hardware import control_groups, machine, resolve

GIB = 1 << 30
UNIFIED = "30 23 0:26 {mounted} /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
SEPARATE = (
    "33 31 0:30 {mounted} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 {mounted} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
)


@pytest.fixture
def within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that puts this process, on a machine of 64 cores, into a group with these files."""

    def become(groups: str, mounts: str, files: Mapping[str, str]) -> None:
        for name, content in {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n", encoding="utf-8")
        monkeypatch.setattr(control_groups, "ROOT", tmp_path)
        monkeypatch.setattr(machine, "_cores_seen", lambda: 64)
        monkeypatch.setattr(machine, "gpus", lambda: ())

    return become


def unified(within, files: Mapping[str, str], *, group: str = "/", mounted: str = "/") -> None:
    within(f"0::{group}", UNIFIED.format(mounted=mounted), {f"sys/fs/cgroup/{k}": v for k, v in files.items()})


def separate(within, files: Mapping[str, str], *, group: str = "/", mounted: str = "/") -> None:
    groups = f"9:name=systemd:/\n4:memory:{group}\n2:cpu,cpuacct:{group}\n0::/"
    within(groups, SEPARATE.format(mounted=mounted), {f"sys/fs/cgroup/{k}": v for k, v in files.items()})


def test_under_a_limit_of_one_and_a_half_cores_doctor_and_plan_say_two_workers_at_most(within) -> None:
    unified(within, {"cpu.max": "150000 100000"})
    found = resolve(Hardware(), precision="fp32", workers=None)
    assert found.workers * found.threads <= 2
    assert f"workers={found.workers}: " in found.reasons[1]
    assert "2 cores (a container's limit of 1.5 on 64)" in " ".join(found.reasons)
    said = " ".join(f"{check.name} {check.value}" for check in [*hardware_checks(), *choice_checks(compose([]))])
    assert "2 cores (a container's limit of 1.5 on 64)" in said
    assert "64 workers" not in said


@pytest.mark.parametrize(
    ("limit", "given", "threads"), [("150000", None, "2"), ("150000", "5", "5"), ("max", None, None)]
)
def test_libraries_start_no_more_threads_than_the_limit_has_time_for(
    within, monkeypatch: pytest.MonkeyPatch, limit: str, given: str | None, threads: str | None
) -> None:
    unified(within, {"cpu.max": f"{limit} 100000"})
    monkeypatch.delenv("OMP_NUM_THREADS")
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    machine.limit_threads()
    assert os.environ.get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "max 100000"}, 64),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "400000 100000"}, 4),
        ({"cpu.max": "9900000 100000"}, 64),
        ({"cpu.max": "gibberish"}, 64),
        ({}, 64),
    ],
)
def test_cores_are_those_that_the_limit_leaves(within, files: Mapping[str, str], cores: int) -> None:
    unified(within, files)
    assert machine.cores() == cores


def test_the_least_limit_of_a_group_and_of_those_above_it_counts(within) -> None:
    group = "/kubepods.slice/pod1.slice/mine.scope"
    files = {
        "kubepods.slice/cpu.max": "1000000 100000",
        "kubepods.slice/pod1.slice/cpu.max": "300000 100000",
        "kubepods.slice/pod1.slice/mine.scope/cpu.max": "800000 100000",
        "kubepods.slice/pod2.slice/cpu.max": "100000 100000",
    }
    unified(within, files, group=group)
    assert machine.cores() == 3, "not the neighbour's one"


def test_version_1_has_a_tree_for_each_resource(within) -> None:
    files = {
        "cpu,cpuacct/docker/a1/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/docker/a1/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/docker/cpu.cfs_quota_us": "600000",
        "cpu,cpuacct/docker/cpu.cfs_period_us": "100000",
        "memory/docker/a1/memory.limit_in_bytes": str(3 * GIB),
        "memory/docker/a1/memory.usage_in_bytes": str(2 * GIB),
        "memory/docker/a1/memory.stat": f"inactive_file 7\ntotal_inactive_file {GIB}",
        "memory/memory.limit_in_bytes": str((1 << 63) - 4096),
        "memory/memory.usage_in_bytes": str(9 * GIB),
    }
    separate(within, files, group="/docker/a1")
    assert machine.cores() == 6
    assert machine.total_memory() == min(3 * GIB, psutil.virtual_memory().total)
    assert control_groups.memory_left() == 2 * GIB, "cached files are given back"


@pytest.mark.parametrize("group", ["/docker/a1", "/docker/a1/../../elsewhere"])
def test_in_a_container_its_own_group_is_the_mount_whatever_the_path_outside(within, group: str) -> None:
    unified(within, {"cpu.max": "200000 100000"}, group=group, mounted="/docker/a1")
    assert machine.cores() == 2


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"memory.max": "4000", "memory.current": "1500", "memory.stat": "anon 1000\ninactive_file 400"}, 2900),
        ({"memory.max": "1000", "memory.current": "1500", "memory.stat": "anon 1000\ninactive_file 400"}, 0),
        ({"memory.max": "max", "memory.high": "4000", "memory.current": "1500"}, 2500),
        ({"memory.max": "max", "memory.high": "max", "memory.current": "1500"}, None),
    ],
)
def test_a_container_has_no_more_memory_than_its_limit_leaves(
    within, files: Mapping[str, str], left: int | None
) -> None:
    unified(within, files)
    found = machine.available_memory()
    assert found == left if left is not None else found > 1 << 20


def test_a_group_above_can_have_less_memory_left_than_ones_own(within) -> None:
    files = {
        "job/memory.max": str(4 * GIB),
        "job/memory.current": str(3 * GIB),
        "job/step/memory.max": str(2 * GIB),
        "job/step/memory.current": "0",
    }
    unified(within, files, group="/job/step")
    assert control_groups.memory_left() == GIB
    assert control_groups.memory_limit() == 2 * GIB


def test_doctor_says_the_memory_of_the_container(within) -> None:
    unified(within, {"memory.max": str(GIB), "memory.current": str(GIB // 2)})
    (memory,) = [check for check in hardware_checks() if check.name == "Memory"]
    assert memory.value == "1.0 GiB, 0.5 GiB free"
    assert memory.wrong

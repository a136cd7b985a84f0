"""What a hardware preset becomes on machines of several kinds."""

import dataclasses
import os
import resource

import pytest

from pipeline.config.schema import Hardware
from pipeline.errors import ConfigError
from pipeline.hardware import Resolved, at_most, machine, resolve


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch):
    """A function that makes this a machine of so many cores and GPUs, with or without bf16."""

    def become(*, cores: int = 8, gpus: int = 0, cpu_bf16: bool = False, gpu_bf16: bool = True) -> None:
        monkeypatch.setattr(machine, "cores", lambda: cores)
        monkeypatch.setattr(machine, "available_memory", lambda: 1 << 40)
        monkeypatch.setattr(machine, "open_files", lambda: 1 << 16)
        monkeypatch.setattr(machine, "gpus", lambda: tuple(f"GPU {i}" for i in range(gpus)))
        monkeypatch.setattr(machine, "cpu_has_bf16", lambda: cpu_bf16)
        monkeypatch.setattr(machine, "gpu_has_bf16", lambda: gpus > 0 and gpu_bf16)

    return become


def resolved(*, precision: str = "auto", workers: int | None = None, **hardware: object) -> Resolved:
    return resolve(dataclasses.replace(Hardware(), **hardware), precision=precision, workers=workers)


def test_without_a_gpu_auto_is_the_processor_with_one_cell_a_core(on) -> None:
    on(cores=4)
    found = resolved()
    assert (found.accelerator, found.workers, found.threads, found.precision) == ("cpu", 4, 1, "fp32")


@pytest.mark.parametrize(
    ("cores", "gpus", "workers", "threads"), [(16, 1, 4, 4), (16, 2, 8, 2), (8, 2, 4, 2), (4, 4, 4, 1), (1, 1, 1, 1)]
)
def test_with_gpus_auto_is_the_gpus_each_with_as_many_cells_as_the_cores_can_serve(
    on, cores: int, gpus: int, workers: int, threads: int
) -> None:
    on(cores=cores, gpus=gpus)
    found = resolved()
    assert (found.accelerator, found.workers, found.threads) == ("gpu", workers, threads)
    assert found.precision == "bf16"


def test_a_cell_of_several_gpus_has_them_for_itself(on) -> None:
    on(cores=64, gpus=4)
    assert resolved(devices=2, strategy="ddp").workers == 2


def test_auto_takes_the_processor_where_gpus_are_too_few_for_one_cell(on) -> None:
    on(cores=4, gpus=1)
    found = resolved(devices=2, strategy="ddp")
    assert (found.accelerator, found.workers) == ("cpu", 2)
    assert "1 GPUs for 2 devices" in found.reasons[0]


def test_cpu_leaves_the_gpus_alone(on) -> None:
    on(cores=4, gpus=2)
    assert resolved(accelerator="cpu").accelerator == "cpu"


@pytest.mark.parametrize(
    ("cores", "devices", "workers", "threads"), [(8, 2, 4, 1), (2, 2, 1, 1), (1, 2, 1, 1), (1, 1, 1, 1), (6, 4, 1, 1)]
)
def test_cells_times_devices_times_threads_never_exceed_the_cores_there_are(
    cores: int, devices: int, workers: int, threads: int, on
) -> None:
    on(cores=cores)
    found = resolved(accelerator="cpu", strategy="ddp", devices=devices)
    assert (found.workers, found.threads) == (workers, threads)
    assert found.workers * found.devices * found.threads <= max(cores, devices)


def test_fewer_workers_have_more_threads_each(on) -> None:
    on(cores=8)
    found = resolved(workers=2)
    assert (found.workers, found.threads) == (2, 4)


def test_threads_asked_for_are_given(on) -> None:
    on(cores=8)
    assert resolved(threads=3).threads == 3


@pytest.mark.parametrize(("have", "needed"), [(0, 1), (1, 2)])
def test_gpus_that_are_not_there_are_refused_with_both_numbers(have: int, needed: int, on) -> None:
    on(gpus=have)
    with pytest.raises(ConfigError, match=f"needs {needed} GPUs, but {have} were found. Use hardware=cpu"):
        resolved(name="mine", accelerator="gpu", devices=needed, strategy="ddp")


def test_bf16_is_chosen_where_the_processor_has_it(on) -> None:
    on(cpu_bf16=True)
    assert resolved().precision == "bf16"
    assert resolved(precision="fp32").precision == "fp32"


def test_bf16_is_refused_where_it_would_be_emulated(on) -> None:
    on(cpu_bf16=False)
    with pytest.raises(ConfigError, match=r"train.precision=bf16 needs a device that computes in it.*Use fp32"):
        resolved(precision="bf16")


def test_a_gpu_without_bf16_gets_fp32_even_if_the_processor_has_it(on) -> None:
    on(gpus=1, gpu_bf16=False, cpu_bf16=True)
    assert resolved().precision == "fp32"


def test_every_choice_comes_with_its_reason(on) -> None:
    on(cores=4)
    found = resolved()
    assert [r.partition("=")[0] for r in found.reasons] == ["accelerator", "workers", "threads", "precision"]
    assert f"workers={found.workers}:" in found.reasons[1]
    assert "no GPU was found" in found.reasons[0]
    assert "asked for" in resolved(accelerator="cpu", workers=3).reasons[1]


def test_threads_asked_for_are_said_to_be_so(on) -> None:
    on(cores=8)
    assert resolved(threads=3).reasons[2] == "threads=3 per process: asked for"


def test_cores_are_those_this_process_may_use() -> None:
    assert 1 <= machine.cores() <= len(os.sched_getaffinity(0))


def test_flags_of_the_processor_decide_on_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, expected in (({"avx512_bf16"}, True), ({"amx_bf16", "avx2"}, True), ({"bf16"}, True), ({"avx2"}, False)):
        monkeypatch.setattr(machine, "cpu_flags", lambda flags=flags: frozenset(flags))
        assert machine.cpu_has_bf16() is expected


def test_the_machine_is_described_in_one_line() -> None:
    assert f"{machine.cores()} cores" in machine.describe()
    assert "\n" not in machine.describe()


def test_where_memory_is_short_fewer_cells_run_with_more_threads_each(on) -> None:
    on(cores=8)
    fewer = at_most(resolved(), 2)
    assert (fewer.workers, fewer.threads) == (2, 4)
    assert "memory for no more" in fewer.reasons[-1]
    assert at_most(resolved(), 20) == resolved()


@pytest.mark.parametrize(
    ("gpus", "visible", "devices", "seen"),
    [
        (4, None, 1, ["0", "1", "2", "3", "0"]),
        (4, None, 2, ["0,1", "2,3", "0,1", "2,3", "0,1"]),
        (2, "5,7", 1, ["5", "7", "5", "7", "5"]),
        (3, None, 2, ["0,1", "0,1", "0,1", "0,1", "0,1"]),
        (1, None, 1, ["0", "0", "0", "0", "0"]),
    ],
)
def test_cells_at_the_same_time_have_gpus_of_their_own_as_long_as_there_are_any(
    on, monkeypatch: pytest.MonkeyPatch, gpus: int, visible: str | None, devices: int, seen: list[str]
) -> None:
    on(gpus=gpus)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [machine.gpus_of(slot, devices) for slot in range(5)] == seen


@pytest.mark.parametrize(
    ("settings", "accelerator", "precision", "threads"),
    [
        ({"accelerator": "gpu"}, "gpu", "bf16", 4),
        ({"accelerator": "gpu", "threads": 7}, "gpu", "bf16", 7),
        ({}, "cpu", "fp32", 1),
    ],
)
def test_machines_of_a_cluster_are_taken_to_have_what_is_asked_for(
    on, settings: dict[str, object], accelerator: str, precision: str, threads: int
) -> None:
    on(cores=16)
    found = resolve(Hardware(**settings), precision="auto", workers=None, elsewhere=True)  # type: ignore[arg-type]
    assert (found.accelerator, found.precision, found.threads) == (accelerator, precision, threads)
    assert at_most(found, 1) == found, "memory here says nothing of memory there"


def test_torchrun_and_its_preset_need_each_other(on, monkeypatch: pytest.MonkeyPatch) -> None:
    on(cores=4)
    with pytest.raises(ConfigError, match="must be started by torchrun"):
        resolved(launcher="torchrun", strategy="ddp")
    around = {"RUN_ID": "x", "RESTART_COUNT": "0"}
    names = {f"TORCHELASTIC_{name}": value for name, value in around.items()}
    names |= {"RANK": "3", "LOCAL_RANK": "1", "GROUP_RANK": "1", "WORLD_SIZE": "4", "GROUP_WORLD_SIZE": "2"}
    for name, value in (names | {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}).items():
        monkeypatch.setenv(name, value)
    found = resolved(launcher="torchrun", strategy="ddp")
    assert (found.devices, found.nodes, found.workers, found.threads) == (4, 2, 1, 2)
    with pytest.raises(ConfigError, match="Under torchrun, hardware=auto cannot be used"):
        resolved()
    with pytest.raises(ConfigError, match=r"--nproc-per-node takes the place of hardware\.devices=2"):
        resolved(launcher="torchrun", strategy="ddp", devices=2)


def test_deepspeed_without_its_package_is_refused_with_the_extra_that_brings_it(
    on, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(gpus=2)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install -c constraints.txt '.\[deepspeed\]'"):
        resolved(devices=2, strategy="deepspeed")


def test_layers_are_compiled_for_gpus_alone(on) -> None:
    on(gpus=1)
    assert resolved(compile=True).compile
    on(gpus=0)
    with pytest.raises(ConfigError, match=r"hardware\.compile=true is for GPUs"):
        resolved(compile=True)


def test_no_more_workers_than_the_coordinator_may_watch(on, monkeypatch: pytest.MonkeyPatch) -> None:
    on(cores=256)
    monkeypatch.setattr(machine, "open_files", lambda: 256)
    found = resolved()
    assert (found.workers, found.threads) == (39, 6)
    assert "no more than 256 files may be open at once" in found.reasons[1]


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        machine.allow_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (machine.open_files(), hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

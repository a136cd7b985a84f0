"""The same cells on a GPU: `python -m pytest tests/gpu`. Without one they are skipped."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from cell_kit import job, outcome, small, trained

from pipeline.cli import main
from pipeline.records import CellResult, TrajectoryPoint
from pipeline.storage.results import ResultStore
from pipeline.training.loop.checkpoint_callback import Left
from pipeline.training.loop.finish import finish
from pipeline.training.loop.fit import fit
from tests import tiny

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")

ARMS = ("pretrained", "scratch", "frozen", "lora")
STEPS = 24


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    given = [a for a in small(tiny_base, reviews, tmp_path) if "min_steps" not in a]
    more = [f"train.min_steps={STEPS}", "train.eval_every=80", "train.checkpoint_every=never", "hardware=gpu"]
    return [*given, *more]


@pytest.fixture
def deterministic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As a worker does it for hardware.deterministic=true."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def result_of(settings: list[str], root: Path) -> CellResult:
    """The one cell that the command leaves below `root`."""
    assert main(["train", *settings]) == 0
    store = ResultStore(root)
    (name,) = store.ids()
    return store.result(name)


def losses(points: Sequence[TrajectoryPoint]) -> list[float | None]:
    return [point.train_loss for point in points[1:]]


@pytest.mark.parametrize("arm", ARMS)
def test_a_gpu_trains_to_the_loss_curve_of_the_processor(overrides: list[str], tmp_path: Path, arm: str) -> None:
    exact = [*overrides, f"arm={arm}", "train.dropout=0"]
    gpu = trained(exact)
    processor = trained([*exact, "hardware=cpu", f"paths.root={tmp_path / 'cpu'}"])
    assert gpu.job.cell_id == processor.job.cell_id
    assert {p.device.type for p in gpu.network.model.parameters()} == {"cuda"}, "tests would be computed elsewhere"
    one, two = gpu.trajectory.points, processor.trajectory.points
    np.testing.assert_allclose(losses(one), losses(two), rtol=1e-3)
    (_, scores), (_, expected) = finish(gpu), finish(processor)
    np.testing.assert_allclose(scores["loss"], expected["loss"], rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("arm", ARMS)
def test_a_deterministic_training_gives_the_same_bits_again_and_after_an_interruption(
    overrides: list[str], tmp_path: Path, deterministic: None, arm: str
) -> None:
    settings = [*overrides, f"arm={arm}", "train.dropout=0.1"]
    given = job(settings)
    asked = iter(range(1, STEPS + 1))
    with pytest.raises(Left, match="after 7 steps"):
        fit(given, lambda _: False, lambda: next(asked) == 7)
    resumed = outcome(fit(given, lambda _: False))
    undisturbed = [outcome(trained([*settings, f"paths.root={tmp_path / name}"])) for name in ("a", "b")]
    assert [resumed, resumed] == undisturbed


@pytest.mark.parametrize("strategy", ["fsdp", "deepspeed"])
def test_shards_on_one_gpu_have_the_loss_curve_of_the_whole(
    overrides: list[str], tmp_path: Path, strategy: str
) -> None:
    if strategy == "deepspeed":
        pytest.importorskip("deepspeed")
    exact = [*overrides, "train.dropout=0"]
    one, two = (
        result_of([*exact, f"hardware.strategy={name}", f"paths.root={tmp_path / name}"], tmp_path / name)
        for name in ("single", strategy)
    )
    assert one.cell_id == two.cell_id
    np.testing.assert_allclose(losses(one.trajectory), losses(two.trajectory), rtol=1e-3)


@pytest.mark.parametrize(
    "more", [(), ("arm=lora",), ("hardware.gradient_checkpointing=true",), ("hardware.strategy=fsdp",)]
)
def test_compiled_layers_have_the_loss_curve_of_the_others(
    overrides: list[str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    exact = [*overrides, "train.dropout=0", *more]
    one, two = (
        result_of([*exact, f"hardware.compile={name}", f"paths.root={tmp_path / name}"], tmp_path / name)
        for name in ("false", "true")
    )
    assert one.cell_id == two.cell_id
    np.testing.assert_allclose(losses(one.trajectory), losses(two.trajectory), rtol=1e-3)


def test_where_the_gpu_runs_out_of_memory_fewer_texts_at_a_time_go_on(
    overrides: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = tiny.write_base(tmp_path / "wide", layers=6, width=256)
    exact = [*overrides, f"base.path={wide}", "train.dropout=0", "train.lr=1e-4"]
    exact += ["train.batch=128", "train.size=128", "train.eval_every=512"]
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    undisturbed = trained(exact)
    room = 0.7 * torch.cuda.max_memory_reserved() / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(room)
    try:
        scarce = trained(exact)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert scarce.measured.micro_batch is not None
    assert "Out of memory: going on with" in capsys.readouterr().err
    one, two = undisturbed.trajectory.points, scarce.trajectory.points
    np.testing.assert_allclose(losses(one), losses(two), rtol=1e-3)


def test_a_study_runs_several_cells_at_once_on_one_gpu(
    tiny_base: Path, reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [*tiny.overrides(tiny_base, reviews, tmp_path), *tiny.study(), "hardware=gpu", "executor.workers=3"]
    assert main(["study", *settings]) == 0, capsys.readouterr().out
    findings = json.loads((tmp_path / "studies" / "small" / "findings.json").read_text())
    assert len(findings["cells"]) == 8

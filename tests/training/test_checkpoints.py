"""A training that was interrupted goes on from its last checkpoint, and ends with the bits of one that was not."""

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from cell_kit import job, outcome, small
from safetensors.torch import load_file

from pipeline.errors import StorageError
from pipeline.files import SEAL, seal
from pipeline.records import TrajectoryPoint
from pipeline.storage.checkpoints import CheckpointStore
from pipeline.training.job import Job
from pipeline.training.loop.checkpoint_callback import Left
from pipeline.training.loop.fit import Fitted, fit

STEPS = 24


@pytest.fixture
def overrides(tiny_base: Path, reviews: Path, tmp_path: Path) -> list[str]:
    """Some twenty steps with dropout, evaluated now and then, saved at the moment of an interruption alone."""
    given = [a for a in small(tiny_base, reviews, tmp_path) if "min_steps" not in a]
    more = ["train.eval_every=80", "train.dropout=0.1", "train.checkpoint_every=never"]
    return [*given, f"train.min_steps={STEPS}", *more]


def interrupted(given: Job, step: int) -> None:
    """Train to the end of `step`, and leave."""
    asked = iter(range(1, STEPS + 1))
    with pytest.raises(Left, match=f"after {step} steps"):
        fit(given, lambda _: False, lambda: next(asked) == step)


def undisturbed(overrides: list[str], root: Path) -> Fitted:
    return fit(job([*overrides, f"paths.root={root}"]), lambda _: False)


WITHOUT_LABELS = ("task.kind=masked_language_modelling", "task.metric=top1", "task.data.label=null")


@pytest.mark.parametrize(
    "chosen",
    [
        ("arm=pretrained",),
        ("arm=scratch",),
        ("arm=lora",),
        ("arm=pretrained", "arm.head=probe"),
        ("arm=scratch", *WITHOUT_LABELS),
    ],
)
def test_a_training_interrupted_twice_ends_with_the_same_bits(
    chosen: tuple[str, ...], overrides: list[str], tmp_path: Path
) -> None:
    settings = [*overrides, *chosen]
    given = job(settings)
    interrupted(given, 7)
    saved = CheckpointStore(Path(given.root), given.cell_id).load()
    assert saved is not None
    assert saved.standing.step == 7
    asked = iter(range(8, STEPS + 1))
    with pytest.raises(Left, match="after 19 steps"):
        fit(given, lambda _: False, lambda: next(asked) == 19)
    resumed = fit(given, lambda _: False)
    assert resumed.trajectory.first == 19
    assert outcome(resumed) == outcome(undisturbed(settings, tmp_path / "other"))


@pytest.mark.slow
@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_whichever_step_it_was_interrupted_at(arm: str, overrides: list[str], tmp_path: Path) -> None:
    settings = [*overrides, f"arm={arm}"]
    expected = outcome(undisturbed(settings, tmp_path / "other"))
    for step in random.Random(5).sample(range(1, STEPS), 10):
        given = job([*settings, f"paths.root={tmp_path / str(step)}"])
        interrupted(given, step)
        assert outcome(fit(given, lambda _: False)) == expected


def test_each_example_is_seen_once_an_epoch_whatever_interrupts_it(
    overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.training.setup.inputs import TokenInputs

    given = job(overrides)
    seen: list[int] = []
    collate = TokenInputs.collate

    def noted(self: TokenInputs, items: object, seed: int = 0) -> object:
        if len(self) == 32:  # the train subset
            seen.extend(items)  # type: ignore[call-overload]
        return collate(self, items, seed)  # type: ignore[arg-type]

    monkeypatch.setattr(TokenInputs, "collate", noted)
    interrupted(given, 9)
    del seen[9 * 16 :]  # what was read ahead and not trained on
    fit(given, lambda _: False)
    epochs = [sorted(seen[start : start + 32]) for start in range(0, STEPS * 16, 32)]
    assert epochs == [list(range(32))] * (STEPS // 2)


def test_points_measured_before_are_told_again_and_counted_once(overrides: list[str]) -> None:
    given = job(overrides)
    interrupted(given, 13)
    told: list[TrajectoryPoint] = []
    fitted = fit(given, lambda point: bool(told.append(point)))
    assert told == fitted.trajectory.points
    assert [p.step for p in told] == sorted({p.step for p in told})
    assert told[0].step == 0


def test_checkpoints_come_so_often_and_the_latest_alone_stays(overrides: list[str]) -> None:
    given = job([*overrides, "train.checkpoint_every=5steps"])
    folder = Path(given.root) / "checkpoints"
    interrupted(given, 18)
    assert [p.name for p in folder.iterdir()] == [f"{given.cell_id}-{18:09d}"]
    (store,) = folder.iterdir()
    before = load_file(store / "tensors.safetensors")
    fit(given, lambda _: False)
    (last,) = folder.iterdir()
    assert last.name == f"{given.cell_id}-{23:09d}"
    assert any(not torch.equal(before[n], t) for n, t in load_file(last / "tensors.safetensors").items())


@pytest.mark.parametrize("sealed", [True, False])
def test_a_damaged_checkpoint_is_named_with_its_remedy(sealed: bool, overrides: list[str]) -> None:
    given = job(overrides)
    interrupted(given, 5)
    (folder,) = (Path(given.root) / "checkpoints").iterdir()
    tensors = folder / "tensors.safetensors"
    if not sealed:
        (folder / SEAL).unlink()
    tensors.write_bytes(tensors.read_bytes()[:1000])
    with pytest.raises(StorageError, match=r"(is damaged: |cannot be used ).*Delete (the|that) folder"):
        fit(given, lambda _: False)


def test_one_bit_of_a_checkpoint_that_is_another_is_noticed(overrides: list[str]) -> None:
    given = job(overrides)
    interrupted(given, 5)
    (tensors,) = (Path(given.root) / "checkpoints").glob("*/tensors.safetensors")
    content = bytearray(tensors.read_bytes())
    content[-2] ^= 1
    tensors.write_bytes(content)
    with pytest.raises(StorageError, match=r"tensors\.safetensors is damaged"):
        fit(given, lambda _: False)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cell_id", "0123456789abcdef", "of another cell, 0123456789abcdef"),
        ("format", 0, "by another version of Headstart"),
    ],
)
def test_a_checkpoint_of_another_cell_or_version_is_not_gone_on_from(
    overrides: list[str], field: str, value: object, said: str
) -> None:
    given = job(overrides)
    interrupted(given, 5)
    (standing,) = (Path(given.root) / "checkpoints").glob("*/standing.json")
    standing.write_text(json.dumps(json.loads(standing.read_text()) | {field: value}))
    seal(standing.parent)
    with pytest.raises(StorageError, match=rf"{said}\)\. Delete that folder"):
        fit(given, lambda _: False)


@pytest.fixture
def resizable(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A function that makes a file system of so many kilobytes, or makes it larger."""
    place = tmp_path / "disk" / "checkpoints"
    place.mkdir(parents=True)

    def resize(kilobytes: int) -> Path:
        remount = ["remount,"] if place.is_mount() else [""]
        options = f"{remount[0]}size={kilobytes}k"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True)
        if done.returncode:
            pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.decode().strip()}")
        return place.parent

    yield resize
    if place.is_mount():
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full_leaves_the_checkpoint_before_and_is_gone_on_from(
    overrides: list[str], resizable: Callable[[int], Path], tmp_path: Path
) -> None:
    interrupted(job([*overrides, f"paths.root={tmp_path / 'room'}"]), 5)
    (whole,) = (tmp_path / "room" / "checkpoints").iterdir()
    kilobytes = sum(path.stat().st_size for path in whole.iterdir()) // 1000
    root = resizable(round(1.5 * kilobytes))
    given = job([*overrides, f"paths.root={root}", "train.checkpoint_every=8steps"])
    with pytest.raises(StorageError, match="The disk is full"):
        fit(given, lambda _: False)
    assert [folder.name for folder in (root / "checkpoints").iterdir()] == [f"{given.cell_id}-{8:09d}"]
    resizable(10 * kilobytes)
    resumed = fit(given, lambda _: False)
    assert resumed.trajectory.first == 8
    assert outcome(resumed) == outcome(undisturbed(overrides, tmp_path / "other"))

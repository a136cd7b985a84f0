"""Every arm of one seed starts on the same line; a base that stays fixed is run once for all of them."""

from pathlib import Path

import numpy as np
import pytest
from cell_kit import small, trained

from pipeline.data.sets import EncodedSet
from pipeline.data.subsets import TRAIN_SAMPLE, train_sample
from pipeline.models.build import Network, build
from pipeline.models.checkpoints.locate import locate
from pipeline.records import StartLine
from pipeline.training.loop.finish import finish
from pipeline.training.loop.fit import Fitted
from pipeline.training.loop.inference import answers
from pipeline.training.setup.inputs import TokenInputs
from tests import tiny
from tests.models.tiny_bases import FAMILIES, save_tiny

ARMS = ("pretrained", "scratch", "frozen", "lora", "bag_of_words")
NETWORKS = ARMS[:-1]
COMMON = ("tokenizer", "train_items", "order", "evaluation_grid", "global_batch", "precision", "versions")
OF_NETWORKS = ("architecture", "pooling", "dropout", "parameter_dtype")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def overrides(tiny_base: Path, reviews: Path, root: Path) -> list[str]:
    return [*small(tiny_base, reviews, root), "train.lr=null", "train.epochs=null", "train.min_steps=null"]


@pytest.fixture(scope="module")
def cells(overrides: list[str]) -> dict[str, Fitted]:
    """One cell of each arm, each with its own recipe."""
    return {arm: trained([*overrides, f"arm={arm}", "train.min_steps=8", "train.epochs=2"]) for arm in ARMS}


def test_each_evaluation_has_its_sets_share_of_unknown_tokens(tiny_base: Path, tmp_path: Path) -> None:
    strange = [(f"{text} © ©", label) for text, label in tiny.rows()]
    fitted = trained(small(tiny_base, tiny.write_csv(tmp_path / "strange.csv", strange), tmp_path / "out"))
    result, _ = finish(fitted)
    sets = fitted.prepared.sets
    assert {e.dataset: e.unknown for e in result.evaluations} == {name: each.unknown for name, each in sets.items()}
    assert min(each.unknown for each in sets.values()) > 0.05


@pytest.mark.parametrize("arm", ARMS[1:])
@pytest.mark.parametrize("field", COMMON)
def test_arms_of_one_seed_are_equal_on_the_start_line(cells: dict[str, Fitted], arm: str, field: str) -> None:
    assert getattr(cells[arm].start_line, field) == getattr(cells["pretrained"].start_line, field)


@pytest.mark.parametrize("arm", NETWORKS[1:])
@pytest.mark.parametrize("field", OF_NETWORKS)
def test_networks_of_one_seed_are_equal_on_the_start_line(cells: dict[str, Fitted], arm: str, field: str) -> None:
    assert getattr(cells[arm].start_line, field) == getattr(cells["pretrained"].start_line, field)


def test_what_differs_between_arms_is_declared(cells: dict[str, Fitted]) -> None:
    lines: dict[str, StartLine] = {arm: cell.start_line for arm, cell in cells.items()}
    assert {arm: line.method for arm, line in lines.items()} == {
        "pretrained": "full", "scratch": "full", "frozen": "linear_probe", "lora": "lora",
        "bag_of_words": "bag_of_words",
    }  # fmt: skip
    assert [arm for arm, line in lines.items() if line.base_mode == "eval"] == ["frozen", "bag_of_words"]
    assert [arm for arm, line in lines.items() if line.trained_mode] == ["pretrained", "scratch", "lora"]
    assert lines["scratch"].recipe["lr"] == 2e-4
    assert lines["pretrained"].recipe["lr"] == 1e-4


def test_another_seed_draws_other_examples_in_another_order(overrides: list[str], cells: dict[str, Fitted]) -> None:
    other = trained([*overrides, "train.seed=1", "train.min_steps=2", "train.epochs=1"]).start_line
    first = cells["pretrained"].start_line
    assert other.train_items != first.train_items
    assert other.order != first.order


def test_arms_with_longer_schedules_see_the_same_batches_first(overrides: list[str]) -> None:
    short = trained([*overrides, "train.min_steps=4", "train.epochs=1", "train.dropout=0", "train.decay=constant"])
    long = trained([*overrides, "train.min_steps=9", "train.epochs=3", "train.dropout=0", "train.decay=constant"])
    assert short.start_line.order == long.start_line.order
    assert [p.examples for p in short.trajectory.points[:-1]] == [
        p.examples for p in long.trajectory.points[: len(short.trajectory.points) - 1]
    ]


def test_an_arm_that_ends_within_the_first_epoch_has_the_same_order(
    overrides: list[str], cells: dict[str, Fitted]
) -> None:
    short = trained([*overrides, "arm=scratch", "train.max_steps=2", "train.min_steps=0"])
    assert short.trajectory.points[-1].step == 2
    assert short.start_line.order == cells["scratch"].start_line.order


def test_dropout_of_adapters_is_their_arms_own(overrides: list[str], cells: dict[str, Fitted]) -> None:
    lora = trained([*overrides, "arm=lora", "arm.lora.dropout=0.4", "train.max_steps=1", "train.min_steps=0"])
    assert lora.start_line.dropout == cells["pretrained"].start_line.dropout


def test_texts_read_to_another_length_have_other_features(overrides: list[str], tmp_path: Path) -> None:
    given = [*overrides, "arm=frozen", f"paths.root={tmp_path / 'both'}"]
    trained([*given, "task.max_length=8"])
    second = trained([*given, "task.max_length=32"])
    alone = trained([*given, "task.max_length=32", f"paths.root={tmp_path / 'alone'}"])
    assert np.array_equal(second.trajectory.best_outputs.losses, alone.trajectory.best_outputs.losses)


def test_the_training_score_is_of_all_classes_however_the_file_is_sorted() -> None:
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    sample = train_sample(labels, 3)
    assert len(sample) == TRAIN_SAMPLE
    assert np.bincount(labels[sample]).tolist() == pytest.approx([360, 36, 4], abs=1)
    assert train_sample(labels[:30], 3).tolist() == list(range(30))


def test_the_dropout_asked_for_reaches_every_arm(overrides: list[str]) -> None:
    short = ["train.min_steps=1", "train.epochs=0.1", "train.dropout=0.3"]
    assert {trained([*overrides, *short, f"arm={arm}"]).start_line.dropout for arm in NETWORKS} == {0.3}


def run_directly(fitted: Fitted, encoded: EncodedSet) -> np.ndarray:
    """Logits of the whole network, base included, with the head that `fitted` solved."""
    network: Network = build(fitted.job.cell, locate(fitted.job.cell.base), fitted.prepared.labels, seed=1)
    missing = network.model.load_state_dict(fitted.tensors(), strict=False).unexpected_keys
    assert not missing
    inputs = TokenInputs(encoded, fitted.task, fitted.job.vocabulary)
    return answers(network.model, inputs, fitted.task, classes=len(fitted.prepared.labels), precision="fp32")


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_probe_of_any_architecture_has_the_losses_of_running_the_network(
    family: str, reviews: Path, tmp_path: Path
) -> None:
    base = save_tiny(tmp_path / family, family)
    fitted = trained([*small(base, reviews, tmp_path / "out"), "arm=frozen", "task.max_length=16"])
    encoded = fitted.prepared.test
    direct = fitted.task.outputs(run_directly(fitted, encoded), np.asarray(encoded.labels))
    np.testing.assert_allclose(fitted.outputs(encoded, None).losses, direct.losses, rtol=5e-4, atol=1e-4)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_a_probe_reads_what_the_base_is_pooled_by(overrides: list[str], pooling: str) -> None:
    fitted = trained([*overrides, "arm=frozen", f"base.pooling={pooling}"])
    assert fitted.start_line.pooling == pooling
    encoded = fitted.prepared.test
    direct = fitted.task.outputs(run_directly(fitted, encoded), np.asarray(encoded.labels))
    assert np.abs(fitted.outputs(encoded, None).losses - direct.losses).max() < 1e-4


def test_a_step_costs_the_same_whatever_the_start(cells: dict[str, Fitted]) -> None:
    per_example = {arm: cells[arm].cost.flops / cells[arm].cost.examples for arm in ("pretrained", "scratch")}
    assert per_example["scratch"] == pytest.approx(per_example["pretrained"], rel=0.05)


def test_parameters_of_a_fixed_base_are_still_counted(cells: dict[str, Fitted]) -> None:
    assert cells["frozen"].cost.parameters == cells["pretrained"].cost.parameters
    assert cells["frozen"].cost.trained_parameters == 2 * 32 + 2
    assert cells["pretrained"].cost.trained_parameters == cells["pretrained"].cost.parameters
    assert cells["lora"].cost.trained_parameters < cells["lora"].cost.parameters

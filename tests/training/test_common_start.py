"""Every arm of one seed starts on the same line; a base that stays fixed is run once for all of them."""

from pathlib import Path

import numpy as np
import pytest
from cell_kit import job, small, trained

from pipeline.data.sets import EncodedSet
from pipeline.models.build import Network, build
from pipeline.models.locate import locate
from pipeline.records import StartLine
from pipeline.training.finish import TRAIN_SAMPLE, finish, train_sample
from pipeline.training.fit import Fitted, fit
from pipeline.training.inference import answers
from pipeline.training.inputs import TokenInputs
from tests import tiny
from tests.models.tiny_bases import FAMILIES, save_tiny

ARMS = ("pretrained", "scratch", "frozen", "lora")
COMMON = (
    "architecture", "tokenizer", "train_items", "order", "evaluation_grid", "global_batch", "dropout", "trained_mode",
    "parameter_dtype", "precision", "versions",
)  # fmt: skip


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


def test_what_differs_between_arms_is_declared(cells: dict[str, Fitted]) -> None:
    lines: dict[str, StartLine] = {arm: cell.start_line for arm, cell in cells.items()}
    assert {arm: line.trained for arm, line in lines.items()} == {
        "pretrained": "all", "scratch": "all", "frozen": "head", "lora": "adapters",
    }  # fmt: skip
    assert [arm for arm, line in lines.items() if line.base_mode == "eval"] == ["frozen"]
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
    given = [*overrides, "arm=frozen", "train.max_steps=1", "train.min_steps=0", f"paths.root={tmp_path / 'both'}"]
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
    assert {trained([*overrides, *short, f"arm={arm}"]).start_line.dropout for arm in ARMS} == {0.3}


def run_directly(fitted: Fitted, encoded: EncodedSet) -> np.ndarray:
    """Logits of the whole network, base included, with the head that `fitted` trained."""
    network: Network = build(fitted.job.cell, locate(fitted.job.cell.base), fitted.prepared.labels, seed=1)
    head = {n: p for n, p in fitted.network.model.named_parameters() if p.requires_grad}
    missing = network.model.load_state_dict(head, strict=False).unexpected_keys
    assert not missing
    inputs = TokenInputs(encoded, fitted.task, fitted.job.vocabulary)
    return answers(network.model, inputs, fitted.task, classes=len(fitted.prepared.labels), precision="fp32")


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_cached_features_give_the_logits_of_running_the_base(cells: dict[str, Fitted], name: str) -> None:
    fitted = cells["frozen"]
    encoded = fitted.prepared.sets[name]
    rows = fitted.rows if name == "train" else np.arange(len(encoded))
    cached = answers(fitted.network.model, fitted.inputs.of(encoded, rows), fitted.task, classes=2, precision="fp32")
    assert np.abs(cached - run_directly(fitted, encoded)[rows]).max() < 1e-5


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_head_on_a_fixed_base_of_any_architecture_has_the_logits_of_running_it(
    family: str, reviews: Path, tmp_path: Path
) -> None:
    base = save_tiny(tmp_path / family, family)
    settings = [*small(base, reviews, tmp_path / "out"), "arm=frozen", "task.max_length=16"]
    fitted = fit(job(settings), lambda _: False)
    encoded = fitted.prepared.test
    cached = answers(fitted.network.model, fitted.inputs.of(encoded), fitted.task, classes=2, precision="fp32")
    assert np.abs(cached - run_directly(fitted, encoded)).max() < 1e-5
    assert list((tmp_path / "out" / "features").glob("*/rows.npy")), "the base was run again and again"


def test_features_are_computed_once_for_all_sizes_and_seeds(
    overrides: list[str], root: Path, cells: dict[str, Fitted]
) -> None:
    settings = (["train.size=all"], ["train.size=64"], ["train.seed=1"], ["train.size=16", "train.seed=2"])
    for some in settings:
        trained([*overrides, "arm=frozen", *some, "train.min_steps=2", "train.epochs=0.1"])
    parts = [np.load(path) for path in sorted((root / "features").glob("*/rows.npy"))]
    assert len(parts) == 2  # of the first cell, and of all the rest
    every = np.sort(np.concatenate(parts))
    assert every.tolist() == list(range(sum(len(s) for s in cells["frozen"].prepared.sets.values())))


def test_a_cell_computes_the_features_it_reads_alone(overrides: list[str], tmp_path: Path) -> None:
    fitted = trained([*overrides, f"paths.root={tmp_path}", "arm=frozen", "train.min_steps=2", "train.epochs=0.1"])
    (rows,) = (np.load(path) for path in (tmp_path / "features").glob("*/rows.npy"))
    read = len(fitted.rows) + len(fitted.prepared.validation) + len(fitted.prepared.test)
    assert len(rows) == read < sum(len(s) for s in fitted.prepared.sets.values())


def test_features_of_a_text_are_the_same_bits_in_whatever_company_they_are_computed(
    overrides: list[str], tmp_path: Path
) -> None:
    def features(*some: str, root: Path) -> dict[int, bytes]:
        trained([*overrides, f"paths.root={root}", "arm=frozen", *some, "train.min_steps=2", "train.epochs=0.1"])
        (folder,) = (root / "features").iterdir()
        vectors = np.load(folder / "vectors.npy")
        return {int(n): v.tobytes() for n, v in zip(np.load(folder / "rows.npy"), vectors, strict=True)}

    every = features("train.size=all", root=tmp_path / "every")
    some = features("train.size=16", "train.seed=3", root=tmp_path / "some")
    assert some.items() < every.items()


def test_a_fixed_base_is_charged_its_forward_passes_though_they_are_cached(cells: dict[str, Fitted]) -> None:
    per_example = {arm: cell.cost.flops / cell.cost.examples for arm, cell in cells.items()}
    assert 0.2 < per_example["frozen"] / per_example["pretrained"] < 0.5  # a forward pass is a third of a step
    assert per_example["scratch"] == pytest.approx(per_example["pretrained"])


def test_parameters_of_a_cached_base_are_still_counted(cells: dict[str, Fitted]) -> None:
    assert cells["frozen"].cost.parameters == cells["pretrained"].cost.parameters
    assert cells["frozen"].cost.trained_parameters == 2 * 32 + 2
    assert cells["pretrained"].cost.trained_parameters == cells["pretrained"].cost.parameters
    assert cells["lora"].cost.trained_parameters < cells["lora"].cost.parameters


@pytest.fixture(scope="module")
def mean_pooling(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ModernBERT, whose head reads the mean over every position."""
    import shutil

    import torch
    from transformers import ModernBertConfig, ModernBertModel

    folder = tmp_path_factory.mktemp("modern")
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=200, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, pad_token_id=0, classifier_pooling="mean", reference_compile=False,
    )  # fmt: skip
    ModernBertModel(config).save_pretrained(folder)
    for file in tiny_base.glob("tokenizer*"):
        shutil.copy(file, folder)
    return folder


def test_a_head_that_reads_every_position_gets_the_base_itself(
    mean_pooling: Path, reviews: Path, tmp_path: Path
) -> None:
    overrides = [*small(mean_pooling, reviews, tmp_path), "arm=frozen", "train.min_steps=3", "train.epochs=1"]
    fitted = fit(job(overrides), lambda _: None)
    assert not (tmp_path / "features").exists()
    assert fitted.start_line.base_mode == "eval"
    test = next(e for e in finish(fitted)[0].evaluations if e.dataset == "test")
    direct = fitted.task.outputs(run_directly(fitted, fitted.prepared.test), np.asarray(fitted.prepared.test.labels))
    assert test.metrics["loss"] == pytest.approx(fitted.task.measure(direct)["loss"], abs=1e-5)

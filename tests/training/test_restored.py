"""A cell brought back from its stored weights scores as it did in the worker that trained it."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.data.store import examples_of
from pipeline.errors import StorageError
from pipeline.records import Evaluation
from pipeline.storage.results import ResultStore
from pipeline.tasks import KINDS
from pipeline.training.setup.restored import evaluate_stored, restored
from tests import tiny
from tests.models.tiny_bases import save_tiny
from tests.tiny import reviews, tiny_base
from tests.tiny_kinds import OF_DECODERS, settings, write_table
from tests.training.cell_kit import small, trained
from tests.training.evaluable_kit import difference, twice

__all__ = ["reviews", "tiny_base"]

TOLERANCE = 1e-6  # of a score, a loss or a probability, on the machine that trained the cell; found: 0
ARMS = ("pretrained", "lora", "frozen", "bag_of_words")


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty rows of another domain, with the columns that any kind may read."""
    return write_table(tmp_path_factory.mktemp("far") / "far.csv", tiny.rows(40, seed=7))


@pytest.mark.parametrize("arm", ARMS)
def test_a_set_and_an_audit_give_the_same_from_stored_weights(
    arm: str, tiny_base: Path, reviews: Path, far: Path, tmp_path: Path
) -> None:
    added = [f"+task.out_of_domain.far.{name}" for name in (f"path={far}", "text=review", "label=stars")]
    found = twice([*small(tiny_base, reviews, tmp_path), *added, f"arm={arm}"])
    assert len(found.stored) == 2, "the set, and calibration"
    for number, (record, items) in found.in_worker.items():
        again, rows = found.stored[number]
        assert difference(items, rows) <= TOLERANCE
        assert again == record
    (evaluation,) = [r for r, _ in found.stored.values() if isinstance(r, Evaluation)]
    assert (evaluation.dataset, evaluation.role, evaluation.items) == ("far", "out_of_domain", 40)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "arm"),
    [*((name, "pretrained") for name in KINDS if name != "classification"), ("token_classification", "bag_of_words")],
)
def test_so_do_cells_of_every_kind(kind: str, arm: str, tiny_base: Path, far: Path, tmp_path: Path) -> None:
    base = save_tiny(tmp_path / "llama", "llama") if kind in OF_DECODERS else tiny_base
    columns = {"text": "review", "label": "stars"}
    columns |= dict(s.removeprefix("task.data.").split("=", 1) for s in settings(kind) if ".data." in s)
    own = [*settings(kind), "task.deduplicate=false", "train.size=16", "task.data.validation_size=4"]
    added = [f"+task.out_of_domain.far.{name}={value}" for name, value in {"path": far, **columns}.items()]
    found = twice([*small(base, far, tmp_path / "out"), *own, *added, f"arm={arm}"])
    assert found.stored.keys() == found.in_worker.keys()
    for number, (record, items) in found.in_worker.items():
        again, rows = found.stored[number]
        assert difference(items, rows) <= TOLERANCE
        assert again == record


@pytest.mark.parametrize("arm", ["pretrained", "frozen", "bag_of_words"])
def test_a_probe_is_read_as_the_cell_reads_its_own_texts(
    arm: str, tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    fitted = trained([*small(tiny_base, reviews, tmp_path), f"arm={arm}"])
    test = fitted.sets["test"]
    probe = fitted.probe("mine", list(examples_of(test)))
    assert np.array_equal(probe.labels, test.labels)
    asked, own = (fitted.outputs(encoded).probabilities for encoded in (probe, test))
    assert np.abs(asked - own).max() <= TOLERANCE
    assert fitted.outputs(probe, np.arange(3)).probabilities == pytest.approx(own[:3], abs=1e-5)


def test_what_was_measured_is_not_measured_again_and_half_of_one_is_none(
    tiny_base: Path, reviews: Path, tmp_path: Path
) -> None:
    found = twice(small(tiny_base, reviews, tmp_path))
    job, store = found.fitted.job, ResultStore(tmp_path)
    there, (number,) = store.evaluations(job.cell_id), found.stored
    written = (there.folder(number) / "record.json").stat().st_mtime_ns
    evaluate_stored(job)
    assert (there.folder(number) / "record.json").stat().st_mtime_ns == written
    (there.folder(number) / "record.json").unlink()
    assert not there.has(number)
    store.drop_weights(job.cell_id)
    with pytest.raises(StorageError, match=r"weights of cell .* are gone"):
        restored(job)

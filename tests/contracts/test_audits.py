"""What every audit promises, run against each one in AUDITS."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.audits import AUDITS, Audit, audits_of
from pipeline.errors import ConfigError
from pipeline.records import AuditResult
from pipeline.study.plan import plan_cell
from pipeline.tasks import KINDS, kind
from tests import tiny
from tests.tiny import reviews, tiny_base
from tests.tiny_kinds import settings, write_table
from tests.training.cell_kit import small, trained
from tests.training.evaluable_kit import Twice, difference, twice

__all__ = ["reviews", "tiny_base"]

Found = tuple[AuditResult, np.ndarray]
TOLERANCE = 1e-6  # of what an audit finds while the network is there and from stored weights; found: 0


# Of metrics, which are alike, one of classes and one of sums.
NEEDS = {"decay": ["task.data.time=day"]}
EACH = [name for name, audit in AUDITS.items() if audit.measure.metric in (None, "macro_f1", "span_f1")]


@pytest.fixture(params=EACH)
def audit(request: pytest.FixtureRequest) -> Audit:
    """Each of them."""
    return AUDITS[request.param]


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Audit], Twice]:
    """A cell of the first kind that an audit can examine, examined by it in the worker and from its weights."""
    known: dict[str, Twice] = {}

    def of(audit: Audit) -> Twice:
        if audit.name not in known:
            root = tmp_path_factory.mktemp(audit.name)
            base, data = tiny.write_base(root / "base"), write_table(root / "rows.csv", tiny.rows())
            known[audit.name] = twice([*small(base, data, root / "out"), *asked(audit)])
        return known[audit.name]

    return of


def able(audit: Audit) -> str:
    """The first kind that it can examine."""
    return next(name for name in KINDS if audit.unable(kind(name)) is None)


def asked(audit: Audit) -> list[str]:
    """Overrides that have it run on cells of this kind, on a table of `write_table`."""
    return [*settings(able(audit)), *NEEDS.get(audit.name, ()), f"study.audits=[{audit.name}]"]


def test_its_name_is_the_one_it_is_asked_by(audit: Audit) -> None:
    assert AUDITS[audit.name] is audit
    assert audit.name.isidentifier()
    assert audit.version >= 1


def test_it_says_of_each_kind_whether_it_can_examine_it(audit: Audit) -> None:
    reasons = {name: audit.unable(kind(name)) for name in KINDS}
    assert None in reasons.values()
    for name, why in reasons.items():
        if why is None:
            assert audit.name in audits_of(kind(name), [audit.name])
        else:
            assert name in why
            with pytest.raises(ConfigError, match=f"study.audits={audit.name}: "):
                audits_of(kind(name), [audit.name])


def test_what_it_finds_are_finite_numbers_and_a_row_for_each_item(
    audit: Audit, examined: Callable[[Audit], Twice]
) -> None:
    record, items = only(audit, examined(audit).in_worker)
    assert (record.audit, record.version, record.items) == (audit.name, audit.version, len(items))
    assert items.dtype == np.float32
    assert items.shape == (record.items, len(record.columns))
    assert len(set(record.columns)) == len(record.columns)
    assert record.items > 0
    assert audit.measure.column in record.columns
    assert np.isfinite(items).all()
    assert record.numbers
    assert np.isfinite(list(record.numbers.values())).all()


def assert_the_same(audit: Audit, one: Found, other: Found) -> None:
    """That two found the same; where it is a time, that there are the same items and numbers."""
    (record, rows), (again, more) = one, other
    if audit.measure.timed:
        assert (rows.shape, set(record.numbers)) == (more.shape, set(again.numbers))
        return
    assert difference(rows, more) <= TOLERANCE
    assert record.numbers == pytest.approx(again.numbers, abs=TOLERANCE)


def test_it_finds_the_same_from_stored_weights(audit: Audit, examined: Callable[[Audit], Twice]) -> None:
    found = examined(audit)
    assert_the_same(audit, only(audit, found.in_worker), only(audit, found.stored))


def test_it_finds_the_same_of_a_stored_bag_of_words(audit: Audit, tiny_base: Path, tmp_path: Path) -> None:
    if audit.unable(kind("classification")) is None:
        data = write_table(tmp_path / "rows.csv", tiny.rows())
        found = twice([*small(tiny_base, data, tmp_path), *asked(audit), "arm=bag_of_words"])
        assert_the_same(audit, only(audit, found.in_worker), only(audit, found.stored))


def test_it_leaves_the_network_as_it_is_and_finds_the_same_again(
    audit: Audit, examined: Callable[[Audit], Twice]
) -> None:
    fitted = examined(audit).fitted
    before = {name: values.clone() for name, values in fitted.tensors().items()}
    modes = [m.training for m in fitted.network.model.modules()] if fitted.network else []
    first, second = audit.examine(fitted), audit.examine(fitted)
    if not audit.measure.timed:
        assert np.array_equal(first.items, second.items)
        assert dict(first.numbers) == dict(second.numbers)
    assert all(torch.equal(values, before[name]) for name, values in fitted.tensors().items())
    assert modes == ([m.training for m in fitted.network.model.modules()] if fitted.network else [])


def test_it_is_no_part_of_a_trainings_identity(audit: Audit, tiny_base: Path, tmp_path: Path) -> None:
    data = write_table(tmp_path / "rows.csv", tiny.rows())
    overrides = [*small(tiny_base, data, tmp_path), *asked(audit)]
    with_it, without = plan_cell(overrides), plan_cell([*overrides, "study.audits=[]"])
    assert list(with_it.cells) == list(without.cells)
    assert audit.name in with_it.audits


def test_an_audit_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'calibration'"):
        audits_of(kind("classification"), ["calibrations"])


def test_those_that_are_run_on_every_cell_are_left_out_where_they_cannot_be() -> None:
    assert audits_of(kind("classification")) == ("calibration",)
    assert audits_of(kind("translation")) == ()


def test_calibration_is_measured_on_the_test_set(tiny_base: Path, reviews: Path, tmp_path: Path) -> None:
    fitted = trained(small(tiny_base, reviews, tmp_path))
    found = AUDITS["calibration"].examine(fitted)
    out = fitted.outputs(fitted.sets["test"])
    assert found.columns == ("confidence", "correct", "brier")
    assert np.array_equal(found.items[:, 0], out.probabilities.max(axis=1))
    assert np.array_equal(found.items[:, 1], out.scores)
    truth = np.eye(2)[out.labels]
    assert found.numbers["brier"] == pytest.approx(((out.probabilities - truth) ** 2).sum(axis=1).mean(), rel=1e-6)


def only(audit: Audit, measured: dict[str, tuple[object, np.ndarray]]) -> Found:
    """What this audit found, among all that was measured."""
    found = [(r, items) for r, items in measured.values() if isinstance(r, AuditResult) and r.audit == audit.name]
    (one,) = found
    return one

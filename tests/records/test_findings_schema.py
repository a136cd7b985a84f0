"""docs/findings.schema.json is the schema of what `to_json` writes of findings, and of nothing else."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from pipeline.config.schema import Base, Claim, Study, Task
from pipeline.records import Findings, from_json, to_json
from pipeline.study.finding.findings import Basis, find
from tests.records.findings_schema import FILE, misfits, text
from tests.study.synthetic_cells import loader, synthetic_cells


@pytest.fixture(scope="module")
def written() -> str:
    """findings.json of a study with claims of several kinds, one of them open, one without data."""
    arms, sizes = ("pretrained", "scratch"), (25, 100, 400)
    cells = synthetic_cells(arms, sizes, range(3), 200, np.random.default_rng(0), out_of_domain=("imdb",))
    claims = {
        "score": Claim(size=100),
        "labels": Claim(metric="label_multiplier", size=25, delta=2.0),
        "compute": Claim(metric="compute_multiplier", size=100, delta=2.0),
        "nowhere": Claim(dataset="nowhere"),
    }
    study = Study(name="s", arms=arms, sizes=sizes, seeds=(0, 1, 2), target=0.7, claims=claims)
    results = [result for result, _ in cells]
    basis = Basis(study=study, base=Base(name="minilm"), task=Task(name="sentiment"))
    return to_json(find(basis, results, loader(cells)))


def test_the_committed_schema_is_that_of_the_records() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "python -m tests.records.findings_schema > docs/…"


def test_findings_fit_it(written: str) -> None:
    assert misfits(written) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verdict": "proven"}, "findings.verdicts[0].verdict is 'proven'"),
        ({"sentence": "Supported."}, "findings.verdicts[0] has sentence"),
        ({"estimate": 0.1}, "findings.verdicts[0].estimate is 0.1"),
        ({"look": "1"}, "findings.verdicts[0].look is '1', no integer"),
    ],
)
def test_what_is_no_finding_does_not(written: str, change: dict[str, Any], said: str) -> None:
    found = json.loads(written)
    found["verdicts"][0] |= change
    assert any(said in problem for problem in misfits(json.dumps(found)))


def test_a_field_that_is_missing_is_named(written: str) -> None:
    found = json.loads(written)
    del found["looks"]
    assert misfits(json.dumps(found)) == ["findings lacks looks"]


def test_infinite_numbers_fit(written: str) -> None:
    found = from_json(Findings, written)
    endless = dataclasses.replace(found.multipliers[0].estimate, high=float("inf"))
    changed = dataclasses.replace(found, multipliers=(dataclasses.replace(found.multipliers[0], estimate=endless),))
    assert misfits(to_json(changed)) == []

"""Families of claims: whose intervals hold together, which sets claims mean, and what cells they need."""

import dataclasses

import pytest

from pipeline.config.claim_sets import with_sets_named
from pipeline.config.schema import Claim, Data, Study, Task
from pipeline.study.looks import ahead, family_of, looks_of, needed
from tests.study.test_planned_looks import LOOKS, SPEND, study_of


def families(rows: int, *, contrasts: int = 1) -> Study:
    """A study of so many rows, each of so many contrasts."""
    claims = {f"r{row}_{i}": Claim(size=100, family=f"r{row}") for row in range(rows) for i in range(contrasts)}
    return study_of(claims)


def errors(study: Study, claim: str) -> list[float]:
    return [1 - look.level for look in looks_of(study, claim)]


@pytest.mark.parametrize("rows", [1, 3, 14])
def test_a_row_uses_its_whole_error_whatever_the_number_of_rows(rows: int) -> None:
    assert errors(families(rows), "r0_0") == pytest.approx([0.05 * share for share in SPEND])
    assert sum(errors(families(rows), "r0_0")) == pytest.approx(0.05)


def test_contrasts_of_a_row_share_its_error() -> None:
    study = families(4, contrasts=2)
    assert family_of(study, "r2_1") == ("r2_0", "r2_1")
    row = [sum(errors(study, name)) for name in family_of(study, "r2_1")]
    assert sum(row) == pytest.approx(0.05)


def test_all_claims_hold_together_where_that_is_asked_for_or_none_names_a_family() -> None:
    study = families(7, contrasts=2)
    together = dataclasses.replace(study, family="all")
    assert errors(together, "r0_0") == pytest.approx([0.05 / 14 * share for share in SPEND])
    unnamed = dataclasses.replace(study, claims={name: Claim(size=100) for name in study.claims})
    assert errors(unnamed, "r0_0") == errors(together, "r0_0")
    assert looks_of(unnamed) == looks_of(together, "r0_0")


def test_with_until_read_only_what_claims_read_is_trained_from_the_start() -> None:
    study = dataclasses.replace(families(1), until="read")
    first = needed(study, ("scratch",), ahead(study, ()))
    assert first == {(arm, 100, seed) for arm in ("pretrained", "scratch") for seed in range(LOOKS[0])}


def test_a_set_is_named_by_its_role() -> None:
    sets = {"elsewhere": Data(), "portuguese": Data(language="pt"), "english": Data(language="en")}
    claims = {role: Claim(dataset=role) for role in ("other_domain", "other_language", "test", "english")}
    task = Task(data=Data(language="en"), out_of_domain=sets)
    found = with_sets_named(study_of(claims), task).claims
    assert {name: claim.dataset for name, claim in found.items()} == {
        "other_domain": "elsewhere", "other_language": "portuguese", "test": "test", "english": "english",
    }  # fmt: skip
    alone = with_sets_named(study_of(claims), Task(out_of_domain={"portuguese": Data(language="pt")})).claims
    assert alone["other_domain"].dataset == "other_domain", "left as it is, and the plan leaves the claim out"
    assert alone["other_language"].dataset == "portuguese"

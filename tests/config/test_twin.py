"""The mutable twins of the records say the same as the records."""

import dataclasses

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import ValidationError

from pipeline.config.schema import Config, Study
from pipeline.config.structured_config import twin
from pipeline.records import decode, encode


def test_a_twins_defaults_are_the_records() -> None:
    tree = OmegaConf.to_container(OmegaConf.structured(twin(Config)))
    assert decode(Config, tree) == Config()
    assert tree == encode(Config())


def test_a_twin_has_the_records_fields_in_their_order() -> None:
    assert [f.name for f in dataclasses.fields(twin(Study))] == [f.name for f in dataclasses.fields(Study)]


def test_two_twins_share_no_default() -> None:
    one, other = twin(Config)(), twin(Config)()
    one.study.seeds.append(3)
    assert other.study.seeds == []


def test_a_twin_can_be_changed_and_refuses_a_wrong_type() -> None:
    tree = OmegaConf.structured(twin(Config))
    tree.train.batch = 8
    with pytest.raises(ValidationError):
        tree.train.batch = "many"

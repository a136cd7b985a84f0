"""What a base must show on real texts before the first cell."""

import json
from pathlib import Path

import pytest
import transformers
from cell_kit import job, small

from pipeline.errors import BaseModelError, ConfigError
from pipeline.models import batch_independence
from pipeline.training.setup import first_passes
from tests.models.tiny_architectures import tiny_architecture
from tests.models.tiny_bases import tiny_tokenizer


def on(folder: Path, model_type: str, reviews: Path, *more: str) -> list[str]:
    """Overrides of a cell on a tiny base of this architecture."""
    transformers.AutoModel.from_config(tiny_architecture(model_type)).save_pretrained(folder / "base")
    tiny_tokenizer().save_pretrained(folder / "base")
    return [*small(folder / "base", reviews, folder / "out"), *more]


def test_an_unlisted_base_whose_answers_depend_on_the_batch_is_refused(
    reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(batch_independence.DEPENDENT, "fnet")
    with pytest.raises(
        BaseModelError, match=r"\(fnet\) must answer .*beside a longer text its numbers .* change by 0\."
    ):
        job(on(tmp_path, "fnet", reviews))


def test_an_unlisted_base_whose_answers_do_not_is_taken(
    reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_passes, "INDEPENDENT", frozenset())
    assert job(on(tmp_path, "electra", reviews, "arm=frozen", "train.dropout=0.3")).cell.train.dropout == 0.3


def test_dropout_that_would_do_nothing_is_refused(reviews: Path, tmp_path: Path) -> None:
    with pytest.raises(
        BaseModelError, match=r"train\.dropout=0\.3 does nothing on base 'tiny'.*qwen3_next.*dropout=null"
    ):
        job(on(tmp_path, "qwen3_next", reviews, "train.dropout=0.3"))


def test_texts_may_not_be_longer_than_the_positions_whatever_the_tokenizer_says(reviews: Path, tmp_path: Path) -> None:
    given = on(tmp_path, "roberta", reviews, "task.max_length=64")
    stated = tmp_path / "base" / "tokenizer_config.json"
    stated.write_text(json.dumps(json.loads(stated.read_text()) | {"model_max_length": 512}))
    with pytest.raises(ConfigError, match=r"task\.max_length must be at most 63, the positions of base 'tiny', .* 64"):
        job(given)


def test_texts_may_not_be_longer_than_the_tokenizer_says_whatever_the_configuration(
    reviews: Path, tmp_path: Path
) -> None:
    given = on(tmp_path, "bert", reviews, "task.max_length=65")
    stated = tmp_path / "base" / "config.json"
    stated.write_text(json.dumps(json.loads(stated.read_text()) | {"max_position_embeddings": 1024}))
    with pytest.raises(ConfigError, match=r"task\.max_length must be at most 64, what the base takes, but got 65\."):
        job(given)
    assert not list((tmp_path / "out").rglob("*.npy"))

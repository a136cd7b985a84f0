"""Hub data without a network: what is cached is used at its commit, anything else says how to use a local copy."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.schema import Data
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
from tests.contracts import sources_kit as kit


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_without_network_a_name_that_is_not_cached_says_how_to_use_a_local_copy() -> None:
    with pytest.raises(DataError, match=r"owner/other could not be fetched .*task\.data\.source=local") as caught:
        data_fingerprint(kit.task(Data(source="hub", path="owner/other")))
    assert "save_to_disk" in str(caught.value)


def test_a_commit_that_is_not_cached_is_not_replaced_by_another(tmp_path: Path) -> None:
    kit.write_hub_cache(tmp_path / "cache", kit.rows())
    data = Data(source="hub", path="owner/name", revision=kit.COMMIT[::-1])
    with pytest.raises(DataError, match=f"only {kit.COMMIT} is cached here"):
        read(data, task_name="reviews")


def test_without_network_the_cached_commit_stands_for_the_main_branch(tmp_path: Path) -> None:
    pinned = kit.write_hub_cache(tmp_path / "cache", kit.rows())
    assert data_fingerprint(kit.task(replace(pinned, revision=None))) == data_fingerprint(kit.task(pinned))
    assert len(read(replace(pinned, revision=None), task_name="reviews").train) == 60


def test_without_network_a_branch_that_was_asked_for_is_not_guessed(tmp_path: Path) -> None:
    pinned = kit.write_hub_cache(tmp_path / "cache", kit.rows())
    with pytest.raises(DataError, match="could not be fetched"):
        data_fingerprint(kit.task(replace(pinned, revision="cleaned")))


def test_a_full_commit_is_read_from_the_cache_without_importing_datasets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = kit.write_hub_cache(tmp_path / "cache", kit.rows())
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert read(pinned, task_name="reviews").labels == ("0", "1")


def test_an_unknown_split_of_hub_data_names_the_nearest(tmp_path: Path) -> None:
    pinned = kit.write_hub_cache(tmp_path / "cache", kit.rows())
    with pytest.raises(DataError, match=r"task\.data\.test must name a split.*'trains'.*Did you mean 'train'"):
        read(replace(pinned, test="trains"), task_name="reviews")


@pytest.mark.parametrize("name", ["../evil", "owner/../evil", "/tmp", "owner/name/more", "script.py", "owner\\name"])
def test_a_name_that_could_be_a_path_or_a_script_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="must be a hub name"):
        data_fingerprint(kit.task(Data(source="hub", path=name)))


def test_a_folder_of_the_same_name_is_not_read_in_place_of_hub_data(tmp_path: Path) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    with pytest.raises(DataError, match=r"source=local"):
        data_fingerprint(kit.task(Data(source="hub", path="owner/name")))


def test_the_token_is_not_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("401 for token hf_secret123")

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", refuse)
    with pytest.raises(DataError) as caught:
        data_fingerprint(kit.task(Data(source="hub", path="owner/name", token="hf_secret123")))
    assert "hf_secret123" not in str(caught.value)
    assert "401 for token ***" in str(caught.value)

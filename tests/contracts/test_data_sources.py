"""One contract for every source of data: the same rows give the same examples, and a changed byte is seen."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.fingerprint import data_fingerprint, set_fingerprints
from pipeline.data.prepare import Prepared, prepare
from pipeline.data.readers.sources import read
from pipeline.data.store import stored_examples
from pipeline.errors import DataError
from tests.contracts import sources_kit as kit
from tests.contracts.sources_hub_server import COMMIT, hub
from tests.examples_kit import texts_of


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return kit.word_tokenizer()


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "source"))
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(params=list(kit.WRITERS))
def writer(request: pytest.FixtureRequest) -> kit.Writer:
    return kit.WRITERS[request.param]


def prepared(data: Data, tokenizer: object, root: Path, **settings: object) -> Prepared:
    task = kit.task(data, **settings)
    return prepare(
        task,
        tokenizer,
        tokenizer_fingerprint="t",
        data_fingerprint=data_fingerprint(task),
        root=root,
        evaluated=set_fingerprints(task),
    )


def edit_in_place(folder: Path, old: bytes, new: bytes) -> None:
    """Change bytes of the same number in every file that has them, keeping size and modification time."""
    assert len(old) == len(new)
    changed = 0
    for path in (p for p in folder.rglob("*") if p.is_file() and old in p.read_bytes()):
        before = path.stat()
        path.write_bytes(path.read_bytes().replace(old, new, 1))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
        changed += 1
    assert changed


def test_the_same_rows_give_the_same_sets_from_every_source(
    writer: kit.Writer, tokenizer: object, tmp_path: Path
) -> None:
    table = kit.rows()
    found = prepared(writer(tmp_path / "source", table), tokenizer, tmp_path / "out")
    expected = prepared(kit.write_csv(tmp_path / "expected", table), tokenizer, tmp_path / "out")
    assert found.labels == expected.labels == ("0", "1")
    for name, rows in expected.sets.items():
        assert found.sets[name].fingerprint == rows.fingerprint
        np.testing.assert_array_equal(found.sets[name].ids, rows.ids)
        np.testing.assert_array_equal(found.sets[name].labels, rows.labels)
    assert found.report == expected.report


def test_a_class_directory_holds_the_same_rows_as_a_table(tokenizer: object, tmp_path: Path) -> None:
    table = sorted(kit.rows(), key=lambda row: row[1])  # a directory lists one class after the other
    folder = kit.write_package_folder(tmp_path / "folder", table)
    found = prepared(folder, tokenizer, tmp_path / "out")
    expected = prepared(kit.write_csv(tmp_path / "expected", table), tokenizer, tmp_path / "out")
    assert {n: s.fingerprint for n, s in found.sets.items()} == {n: s.fingerprint for n, s in expected.sets.items()}


@pytest.mark.parametrize("name", sorted(set(kit.WRITERS) - {"hub cache"}))  # which counts by its commit
def test_the_fingerprint_changes_with_the_content_at_equal_size_and_modification_time(
    name: str, tmp_path: Path
) -> None:
    task = kit.task(kit.WRITERS[name](tmp_path / "source", kit.rows()))
    before = data_fingerprint(task)
    edit_in_place(tmp_path / "source", b"row17", b"row71")
    assert data_fingerprint(task) != before


def test_the_fingerprint_is_the_same_when_asked_again(writer: kit.Writer, tmp_path: Path) -> None:
    task = kit.task(writer(tmp_path / "source", kit.rows()))
    assert data_fingerprint(task) == data_fingerprint(task)


def test_a_new_commit_of_hub_data_changes_the_fingerprint(tmp_path: Path) -> None:
    data = Data(source="hub", path="owner/name", revision=kit.COMMIT)
    newer = replace(data, revision=kit.COMMIT[::-1])
    assert data_fingerprint(kit.task(data)) != data_fingerprint(kit.task(newer))


@pytest.mark.parametrize("name", ["csv", "tsv", "json lines", "parquet", "local directory"])
def test_the_fingerprint_does_not_depend_on_where_the_files_lie(name: str, tmp_path: Path) -> None:
    data = kit.WRITERS[name](tmp_path / "source", kit.rows())
    moved = replace(data, path=str(data.path).replace("source", "moved"))
    before = data_fingerprint(kit.task(data))
    shutil.move(tmp_path / "source", tmp_path / "moved")
    assert data_fingerprint(kit.task(moved)) == before


@pytest.mark.parametrize(
    "change",
    [{"label_names": {"0": "bad"}}, {"where": {"label": "0"}}, {"test_size": 7}, {"validation_size": 7}],
    ids=lambda change: next(iter(change)),
)
def test_the_fingerprint_changes_with_a_setting_that_decides_the_examples(
    writer: kit.Writer, change: dict[str, object], tmp_path: Path
) -> None:
    data = writer(tmp_path / "source", kit.rows())
    assert data_fingerprint(kit.task(replace(data, **change))) != data_fingerprint(kit.task(data))  # type: ignore[arg-type]


def test_a_licence_does_not_change_the_fingerprint(writer: kit.Writer, tmp_path: Path) -> None:
    data = writer(tmp_path / "source", kit.rows())
    assert data_fingerprint(kit.task(replace(data, licence="MIT"))) == data_fingerprint(kit.task(data))


def test_data_that_changes_while_it_is_read_is_refused(writer: kit.Writer, tokenizer: object, tmp_path: Path) -> None:
    task = kit.task(writer(tmp_path / "source", kit.rows()))
    with pytest.raises(DataError, match="changed while it was being read"):
        prepare(task, tokenizer, tokenizer_fingerprint="t", data_fingerprint="other", root=tmp_path / "out")
    assert not list((tmp_path / "out" / "data").glob("[!.]*"))


def test_data_prepared_once_is_used_without_its_source(writer: kit.Writer, tokenizer: object, tmp_path: Path) -> None:
    task = kit.task(writer(tmp_path / "source", kit.rows()))
    known = data_fingerprint(task)
    first = prepare(task, tokenizer, tokenizer_fingerprint="t", data_fingerprint=known, root=tmp_path / "out")
    shutil.rmtree(tmp_path / "source")
    again = prepare(task, None, tokenizer_fingerprint="t", data_fingerprint=known, root=tmp_path / "out")
    assert again.folder == first.folder
    assert texts_of(stored_examples(again, "test")) == texts_of(stored_examples(first, "test"))


def test_item_i_is_the_encoding_of_text_i(writer: kit.Writer, tokenizer: object, tmp_path: Path) -> None:
    found = prepared(writer(tmp_path / "source", kit.rows()), tokenizer, tmp_path / "out")
    for name, rows in found.sets.items():
        encoded = tokenizer(texts_of(stored_examples(found, name)), truncation=True, max_length=16)["input_ids"]  # type: ignore[operator]
        assert [rows.item(i).tolist() for i in range(len(rows))] == encoded
        assert rows.lengths.tolist() == [len(row) for row in encoded]


def test_rows_without_a_text_are_dropped_and_counted(writer: kit.Writer, tokenizer: object, tmp_path: Path) -> None:
    table: Sequence[kit.Row] = [("", 0), ("  ", 1), ("nan", 0), *kit.rows()]
    found = prepared(writer(tmp_path / "source", table), tokenizer, tmp_path / "out")
    assert found.report.dropped_empty == 3
    assert sum(found.report.rows.values()) == 60


def test_a_missing_column_is_named_with_the_nearest_one(writer: kit.Writer, tokenizer: object, tmp_path: Path) -> None:
    data = replace(writer(tmp_path / "source", kit.rows()), text="txt", label="lable")
    with pytest.raises(DataError, match=r"task\.data\.text asks for a column 'txt'.*Did you mean 'text'") as caught:
        prepared(data, tokenizer, tmp_path / "out")
    assert "Did you mean 'label'" in str(caught.value)


def test_classes_can_be_renamed_and_merged(writer: kit.Writer, tokenizer: object, tmp_path: Path) -> None:
    data = writer(tmp_path / "source", kit.rows(count=90, classes=3))
    named = replace(data, label_names={"0": "bad", "1": "good", "2": "good"})
    found = prepared(named, tokenizer, tmp_path / "out")
    assert found.labels == ("bad", "good")
    totals = np.bincount(np.concatenate([s.labels for s in found.sets.values()]))
    assert totals.tolist() == [30, 60]


def test_where_keeps_matching_rows_and_names_the_nearest_value(
    writer: kit.Writer, tokenizer: object, tmp_path: Path
) -> None:
    data = writer(tmp_path / "source", kit.rows(count=90, classes=3))
    with pytest.raises(DataError, match="two classes at least"):
        prepared(replace(data, where={"label": "2"}), tokenizer, tmp_path / "out")
    assert prepared(replace(data, where={"label": "0|2"}), tokenizer, tmp_path / "out").labels == ("0", "2")
    with pytest.raises(DataError, match=r"task\.data\.where\.label=7 must match some rows.*Valid: 0, 1, 2"):
        prepared(replace(data, where={"label": "0|7|2"}), tokenizer, tmp_path / "out")
    with pytest.raises(DataError, match=r"task\.data\.where\.label=7 must match some rows.*Valid: 0, 1, 2"):
        prepared(replace(data, where={"label": "7"}), tokenizer, tmp_path / "out")


def test_an_out_of_domain_set_is_a_fixed_stratified_sample_with_the_classes_of_the_task(
    writer: kit.Writer, tokenizer: object, tmp_path: Path
) -> None:
    data = writer(tmp_path / "source", kit.rows())
    other = kit.write_csv(tmp_path / "other", kit.rows(count=100, seed=1))
    found = prepared(data, tokenizer, tmp_path / "out", out_of_domain={"other": other}, out_of_domain_size=20)
    assert found.out_of_domain["other"].role == "out_of_domain"
    assert np.bincount(found.out_of_domain["other"].labels).tolist() == [10, 10]
    assert found.labels == ("0", "1")


def test_an_empty_path_is_refused_for_every_source() -> None:
    for source in ("package", "file", "hub", "local"):
        with pytest.raises(DataError, match=r"task\.data\.path must say where the data is"):
            data_fingerprint(kit.task(Data(source=source)))


ASK_THE_HUB = """
import json
from pipeline.config.schema import Data, Task
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.readers.sources import read
from pipeline.errors import DataError
data = Data(source="hub", path="owner/name", token="hf_secret123")
def labels(data):
    return read(data, task_name="reviews").train.table.column("label").to_pylist()
answer = {"fingerprint": data_fingerprint(Task(data=data)), "labels": labels(data)}
try:
    answer["script"] = labels(Data(source="hub", path="owner/script"))
except DataError as error:
    answer["script"] = str(error)
print("ANSWER" + json.dumps(answer))
"""


def ask_the_hub(home: Path, endpoint: str, offline: str) -> dict[str, object]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_OFFLINE": offline}
    environment |= {"HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", ASK_THE_HUB]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=90, check=False)
    assert "ANSWER" in done.stdout, done.stderr
    found: dict[str, object] = json.loads(done.stdout.split("ANSWER")[1])
    return found


def test_hub_data_is_fetched_pinned_to_its_commit_and_read_again_without_network(tmp_path: Path) -> None:
    path = Path(str(kit.write_csv(tmp_path, kit.rows()).path))
    with hub(path.read_bytes()) as endpoint:
        fetched = ask_the_hub(tmp_path / "home", endpoint, offline="0")
    cached = ask_the_hub(tmp_path / "home", endpoint, offline="1")
    assert fetched["labels"] == cached["labels"] == [str(label) for _, label in kit.rows()]
    pinned = Data(source="hub", path="owner/name", revision=COMMIT)
    assert fetched["fingerprint"] == cached["fingerprint"] == data_fingerprint(Task(data=pinned))
    assert "owner/script could not be fetched" in str(fetched["script"])
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file() and b"hf_secret123" in p.read_bytes()]


def test_numbers_in_parquet_are_called_by_the_names_that_datasets_notes_there(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
    path = tmp_path / "reviews.parquet"
    Dataset.from_dict({"text": ["dull", "fine"], "label": [0, 1]}, features=features).to_parquet(path)
    assert read(Data(path=str(path)), task_name="t").labels == ("bad", "good")

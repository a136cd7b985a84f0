"""What is said when the data cannot serve, and that nothing half-written is left."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.fingerprint import data_fingerprint, set_fingerprints
from pipeline.data.prepare import prepare
from pipeline.data.readers.sources import read
from pipeline.data.store import stored_examples
from pipeline.errors import UserError
from tests.contracts import sources_kit as kit
from tests.examples_kit import read_from, texts_of


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return kit.word_tokenizer()


def refused(task: Task, tokenizer: object, root: Path) -> str:
    """The message; nothing must stand under `root` but locks."""
    with pytest.raises(UserError) as caught:
        prepare(
            task,
            tokenizer,
            tokenizer_fingerprint="t",
            data_fingerprint=data_fingerprint(task),
            root=root,
            evaluated=set_fingerprints(task),
        )
    assert not [p for p in root.rglob("*") if p.is_file() and p.suffix != ".lock"]
    return str(caught.value)


def refused_file(content: bytes, name: str, tokenizer: object, folder: Path) -> str:
    (folder / name).write_bytes(content)
    return refused(kit.task(Data(source="file", path=str(folder / name))), tokenizer, folder / "out")


def test_a_missing_file_names_the_nearest_and_the_setting(tokenizer: object, tmp_path: Path) -> None:
    kit.write_csv(tmp_path, kit.rows())
    task = kit.task(Data(source="file", path=str(tmp_path / "revews.csv")))
    message = refused(task, tokenizer, tmp_path / "out")
    assert "Did you mean 'reviews.csv'?" in message
    assert "Set task.data.path=PATH" in message


def test_an_unknown_source_names_the_nearest(tokenizer: object, tmp_path: Path) -> None:
    assert "Did you mean 'file'?" in refused(kit.task(Data(source="fil", path="x.csv")), tokenizer, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"  \n\n"])
def test_an_empty_file_is_refused(content: bytes, tokenizer: object, tmp_path: Path) -> None:
    assert "is empty" in refused_file(content, "reviews.csv", tokenizer, tmp_path)


def test_a_heading_with_nothing_below_is_refused(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file(b"text,label\n", "reviews.csv", tokenizer, tmp_path)
    assert "a heading and nothing below it" in message


def test_one_class_only_is_refused(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows(classes=1))
    assert "column 'label' holds '0' alone" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_labels_that_are_all_unique_look_like_an_id(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows(classes=60))
    message = refused(kit.task(data), tokenizer, tmp_path / "out")
    assert "60 different values in 60 rows: it looks like an id or a number to predict" in message


def test_nearly_unique_labels_look_like_an_id_too(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows(classes=40))
    assert "looks like an id" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_a_class_with_too_few_examples_is_named(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, [*kit.rows(), ("a lone example of its class", 9)])
    assert "'9' has 1" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_hundreds_of_classes_with_too_few_examples_are_counted_not_listed(tokenizer: object, tmp_path: Path) -> None:
    lines = "".join(f"sentence number {i} of them,class {i % 150}\n" for i in range(300))
    message = refused_file(f"text,label\n{lines}".encode(), "reviews.csv", tokenizer, tmp_path)
    assert "'class 0' has 2" in message
    assert "and 140 more classes have too few" in message
    assert len(message) < 600


def test_bytes_that_are_not_utf8_are_located(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file(b"text,label\ngood,1\ncaf\xe9,0\n", "reviews.csv", tokenizer, tmp_path)
    assert "byte 0xe9 on line 3 (byte offset 21)" in message
    assert "iconv -f WINDOWS-1252" in message


def test_damaged_utf16_is_refused(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file("text,label\ngood,1\n".encode("utf-16")[:-1], "reviews.csv", tokenizer, tmp_path)
    assert "reviews.csv begins as UTF-16, but cannot be read as that" in message


def test_a_zeroed_block_is_refused(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file(b"text,label\ngood,1\n" + bytes(512), "reviews.csv", tokenizer, tmp_path)
    assert "holds zero bytes from byte 18 on (line 3)" in message


def test_a_row_with_too_many_fields_is_located(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file(b"text,label\ngood,1\nbad, really bad,0\n", "reviews.csv", tokenizer, tmp_path)
    assert "line 3 of reviews.csv has 3 fields where the first line has 2" in message


def test_a_separator_behind_the_last_field_is_none_too_many(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text('text,label\ngood,1,\n"bad, really",0,\nfine,1\n', encoding="utf-8")
    found = read(Data(path=str(path)), task_name="t").train
    assert [(e.text, e.label) for e in read_from(found) if e] == [("good", "1"), ("bad, really", "0"), ("fine", "1")]


def test_a_quote_that_never_ends_is_refused(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file(b'text,label\n"good,1\nbad,0\n', "reviews.csv", tokenizer, tmp_path)
    assert "cannot be read (unexpected end of data)" in message


@pytest.mark.parametrize("line", [b'{"text": "torn', b"[" * 100_000])
def test_a_torn_json_line_is_located(line: bytes, tokenizer: object, tmp_path: Path) -> None:
    content = b'{"text": "good", "label": 1}\n\n' + line
    assert "line 3 of reviews.jsonl is not valid JSON" in refused_file(content, "reviews.jsonl", tokenizer, tmp_path)


def test_a_json_line_that_is_no_object_is_located(tokenizer: object, tmp_path: Path) -> None:
    assert "line 1 of reviews.jsonl must be a JSON object" in refused_file(b"3\n", "reviews.jsonl", tokenizer, tmp_path)


def test_several_labels_a_text_are_refused_with_the_kind_that_reads_them(tokenizer: object, tmp_path: Path) -> None:
    message = refused_file(b'{"text": "good", "label": [1, 2]}\n', "reviews.jsonl", tokenizer, tmp_path)
    assert "For several labels a text: task=multi_label_classification." in message


@pytest.mark.parametrize("cut", [10, 400])
def test_a_torn_parquet_file_is_refused(cut: int, tokenizer: object, tmp_path: Path) -> None:
    path = Path(str(kit.write_parquet(tmp_path, kit.rows()).path))
    message = refused_file(path.read_bytes()[:-cut], "reviews.parquet", tokenizer, tmp_path)
    assert "cannot be read as Parquet" in message


def test_another_content_than_the_declared_hash_is_refused(tokenizer: object, tmp_path: Path) -> None:
    data = replace(kit.write_csv(tmp_path, kit.rows()), sha256="0" * 64)
    assert "task.data.sha256 says 000" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_a_label_of_the_test_set_that_training_lacks_is_named(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows())
    test = kit.write_csv(tmp_path / "test", kit.rows(classes=3, seed=1))
    message = refused(kit.task(replace(data, test=test.path)), tokenizer, tmp_path / "out")
    assert (
        "Every label of the test set of task 'reviews' must be a class of the training data, but '2' is not" in message
    )


def test_a_test_set_equal_to_train_leaves_nothing_to_train_on(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows())
    message = refused(kit.task(replace(data, test=data.path)), tokenizer, tmp_path / "out")
    assert "also stands in test" in message


def test_renaming_a_label_that_does_not_occur_names_the_nearest(tokenizer: object, tmp_path: Path) -> None:
    data = replace(kit.write_csv(tmp_path, kit.rows()), label_names={"1.5": "good"})
    assert "Did you mean '1'?" in refused(kit.task(data), tokenizer, tmp_path / "out")


@pytest.mark.parametrize("name", ["reviews.pkl", "reviews.py", "reviews.pt", "reviews.npy"])
def test_a_file_that_could_run_code_is_refused_unread(name: str, tokenizer: object, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    message = refused_file(f"open({str(marker)!r}, 'w')".encode(), name, tokenizer, tmp_path)
    assert "could run code when it is read" in message
    assert not marker.exists()


def test_a_directory_with_a_loading_script_is_refused_and_the_script_does_not_run(
    tokenizer: object, tmp_path: Path
) -> None:
    folder = tmp_path / "script"
    folder.mkdir()
    (folder / "script.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    message = refused(kit.task(Data(source="local", path=str(folder))), tokenizer, tmp_path / "out")
    assert "It holds a script (script.py), and scripts are never run" in message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("path", ["../other/data.csv", "/etc/hostname.csv", "sample/../../data.csv"])
def test_a_path_out_of_a_package_is_refused(
    path: str, tokenizer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    data = replace(kit.write_package(tmp_path / "source", kit.rows()), path=path)
    assert "must lie inside the package" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_a_link_out_of_a_package_is_refused(tokenizer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    data = kit.write_package_folder(tmp_path / "source", kit.rows())
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    folder = tmp_path / "source" / "site" / str(data.path) / "0"
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert "is a link out of" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_a_package_that_is_not_installed_says_how_to_install_it(tokenizer: object, tmp_path: Path) -> None:
    data = Data(source="package", package="no-such-package==3.1", path="a.csv")
    assert "pip install --no-deps no-such-package==3.1" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_another_version_of_a_package_is_refused(
    tokenizer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    data = kit.write_package(tmp_path / "source", kit.rows())
    newer = replace(data, package=str(data.package).replace("==1.0", "==2.0"))
    assert "but version 1.0 is installed" in refused(kit.task(newer), tokenizer, tmp_path / "out")


def test_a_saved_directory_cannot_name_files_outside_itself(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_local(tmp_path / "source", kit.rows())
    state = Path(str(data.path)) / "train" / "state.json"
    state.write_text(state.read_text(encoding="utf-8").replace("data-0", "../../data-0"), encoding="utf-8")
    assert "leads out of its directory" in refused(kit.task(data), tokenizer, tmp_path / "out")


def test_an_unknown_split_names_the_nearest(tokenizer: object, tmp_path: Path) -> None:
    data = replace(kit.write_local(tmp_path / "source", kit.rows()), train_split="trian")
    assert "Did you mean 'train'?" in refused(kit.task(data), tokenizer, tmp_path / "out")


@pytest.mark.parametrize("name", ["../escape", "a/b", "test"])
def test_an_out_of_domain_set_cannot_take_a_path_or_a_name_in_use(name: str, tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows())
    other = kit.write_csv(tmp_path / "other", kit.rows(seed=1))
    assert name in refused(kit.task(data, out_of_domain={name: other}), tokenizer, tmp_path / "out")
    assert not (tmp_path / "escape.ids.npy").exists()


def test_half_a_character_in_json_does_not_stop_anything(tokenizer: object, tmp_path: Path) -> None:
    lines = [f'{{"text": "row {i} \\ud83d end", "label": {i % 2}}}' for i in range(40)]
    (tmp_path / "reviews.jsonl").write_text("\n".join(lines), encoding="utf-8")
    task = kit.task(Data(source="file", path=str(tmp_path / "reviews.jsonl")), deduplicate=False)
    known = data_fingerprint(task)
    found = prepare(task, tokenizer, tokenizer_fingerprint="t", data_fingerprint=known, root=tmp_path / "out")
    assert all("?" in text for text in texts_of(stored_examples(found, "train")))

"""Preparing: what is removed and counted, what is stored, and that several processes do the work once."""

import csv
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.examples import examples
from pipeline.data.fingerprint import data_fingerprint, set_fingerprints
from pipeline.data.prepare import Prepared, load, prepare
from pipeline.data.report import data_report
from pipeline.data.store import stored_examples
from pipeline.data.subsets import nested_subset
from pipeline.data.unknown import UnknownTokens
from pipeline.errors import DataError, StorageError
from tests.contracts import sources_kit as kit
from tests.examples_kit import texts_of
from tests.models.tiny_bases import tiny_tokenizer

LONG = " ".join(f"long{i}" for i in range(30))


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return kit.word_tokenizer()


def prepared(task: Task, tokenizer: object, root: Path, tokenizer_fingerprint: str = "t") -> Prepared:
    known = data_fingerprint(task)
    return prepare(
        task,
        tokenizer,
        tokenizer_fingerprint=tokenizer_fingerprint,
        data_fingerprint=known,
        root=root,
        evaluated=set_fingerprints(task),
    )


def with_test_set(folder: Path, train: list[kit.Row], test: list[kit.Row]) -> Data:
    data = kit.write_csv(folder, train)
    return replace(data, test=kit.write_csv(folder / "test", test).path)


def test_what_stands_in_the_test_set_is_removed_from_train_and_counted(tokenizer: object, tmp_path: Path) -> None:
    test = [*kit.rows(seed=1), (LONG, 1)]
    train = [*kit.rows(), (test[0][0].upper() + "!", 0), (LONG + " more", 1)]
    found = prepared(kit.task(with_test_set(tmp_path, train, test)), tokenizer, tmp_path / "out")
    held = [overlap for pair, overlap in found.report.overlaps.items() if pair.endswith("/test")]
    assert (sum(o.exact for o in held), sum(o.folded for o in held), sum(o.near for o in held)) == (0, 1, 1)
    assert sum(found.report.removed.values()) == 2
    assert all(LONG + " more" not in texts_of(stored_examples(found, name)) for name in ("train", "validation"))
    assert any("found in test" in s and "removed" in s for s in found.report.sentences)


def test_without_deduplication_overlaps_are_counted_but_kept(tokenizer: object, tmp_path: Path) -> None:
    test = kit.rows(seed=1)
    task = kit.task(with_test_set(tmp_path, [*kit.rows(), *test[:8]], test), deduplicate=False)
    found = prepared(task, tokenizer, tmp_path / "out")
    assert sum(overlap.exact for pair, overlap in found.report.overlaps.items() if pair.endswith("/test")) == 8
    assert found.report.removed == {"validation": 0, "train": 0}
    assert found.report.rows["train"] + found.report.rows["validation"] == 68


def test_a_set_that_is_only_evaluated_removes_nothing_and_what_stands_in_both_is_counted(
    tokenizer: object, tmp_path: Path
) -> None:
    data = kit.write_csv(tmp_path, kit.rows())
    other = kit.write_csv(tmp_path / "other", kit.rows()[:40])
    alone = prepared(kit.task(data), tokenizer, tmp_path / "out")
    found = prepared(kit.task(data, out_of_domain={"other": other}), tokenizer, tmp_path / "out")
    assert found.folder == alone.folder
    there = set(texts_of(stored_examples(found, "other")))
    for name in ("train", "validation"):
        assert texts_of(stored_examples(found, name)) == texts_of(stored_examples(alone, name))
        seen = len(there & set(texts_of(stored_examples(found, name))))
        assert found.report.overlaps[f"{name}/other"].exact == seen > 0
        assert any(s.startswith(f"Rows of {name} also found in other: {seen} ") for s in found.report.sentences)


def test_what_is_to_be_translated_in_a_test_is_not_learnt_with_another_translation(tmp_path: Path) -> None:
    learnt = [(text, f"first of {number}") for number, (text, _) in enumerate(kit.rows())]
    told = [(text, f"second of {number}") for number, (text, _) in enumerate(kit.rows()[:5])]
    data = replace(with_test_set(tmp_path, learnt, told), second="label", label=None)
    found = examples(kit.task(data, kind="translation", metric="chrf"))
    assert found.compared.removed["train"] + found.compared.removed["validation"] == 5
    sources = {name: {e.text for e in rows.examples} for name, rows in found.sets.items()}
    assert not (sources["train"] | sources["validation"]) & sources["test"]


US = ("US", "the US", "a US film of note")


@pytest.mark.parametrize("settings", [{}, {"kind": "multi_label_classification", "metric": "micro_f1"}])
def test_a_text_that_differs_in_case_and_in_its_label_is_no_repeat(settings: dict[str, str], tmp_path: Path) -> None:
    train = [*kit.rows(), *((text, 0) for text in US), *((text.lower(), 1) for text in US)]
    data = with_test_set(tmp_path, train, [*kit.rows(seed=1), *((text.lower() + "!", 0) for text in US)])
    names = {"0": "country", "1": "people"}
    data = replace(data, label=None, labels="label", label_names=names) if settings else data
    found = examples(kit.task(data, **settings))
    overlaps = [overlap for pair, overlap in found.compared.overlaps.items() if pair.endswith("/test")]
    assert (sum(o.folded for o in overlaps), sum(o.relabelled for o in overlaps)) == (3, 3)
    left = {e.text for name in ("train", "validation") for e in found.sets[name].examples}
    assert left >= {text.lower() for text in US}
    assert not left & set(US)
    assert any("they count as different texts" in s for s in data_report(found, {}, {}, max_length=16).sentences)


@pytest.mark.parametrize(("swapped", "removed", "known"), [(True, 30, 0), (False, 0, 30)])
def test_a_pair_is_found_in_train_in_either_order_and_half_of_it_is_counted(
    swapped: bool, removed: int, known: int, tmp_path: Path
) -> None:
    pairs = [(f"is {i} the question", f"{i} it is", i % 2) for i in range(120)]
    tested = [(b, a, label) if swapped else (a, f"nothing of {i}", label) for i, (a, b, label) in enumerate(pairs[:30])]
    for name, rows in {"train": pairs, "test": tested}.items():
        with open(tmp_path / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "reply", "label"), *rows])
    paths = {"path": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv")}
    data = Data(**paths, second="reply", validation_size=12)
    compared = examples(kit.task(data, kind="pair_classification")).compared
    assert sum(compared.removed.values()) == removed
    assert (compared.known_halves["test"] > 0) == bool(known)


def test_punctuation_that_decides_the_class_makes_another_text(tmp_path: Path) -> None:
    rows = [(f"{text}{'.?'[label]}", label) for text, _ in kit.rows() for label in (0, 1)]
    data = examples(kit.task(kit.write_csv(tmp_path, rows)))
    assert sum(len(one) for one in data.sets.values()) == len(rows)
    assert sum(data.compared.removed.values()) == 0
    assert data.counts.repeats.relabelled == len(rows) / 2


def test_short_texts_in_a_script_without_spaces_are_not_taken_for_each_other(tmp_path: Path) -> None:
    rows = [(f"{('很无聊的电影', '很好看的电影')[i % 2]}第{i}部", i % 2) for i in range(120)]
    data = examples(kit.task(kit.write_csv(tmp_path, rows)))
    assert sorted(e.text for one in data.sets.values() for e in one.examples) == sorted(text for text, _ in rows)


def test_a_class_of_one_row_in_a_hundred_stands_in_every_set_and_subset(tmp_path: Path) -> None:
    rows = [(text, int(i % 100 == 0)) for i, (text, _) in enumerate(kit.rows(1200))]
    data = replace(kit.write_csv(tmp_path, rows), validation_size=100, test_size=300)
    sets = examples(kit.task(data)).sets
    assert {name: int(one.labels.sum()) for name, one in sets.items()} == {"train": 7, "validation": 2, "test": 3}
    assert sets["train"].labels[nested_subset(sets["train"].labels, 25, 0)].sum() == 1


def test_another_translation_does_not_make_a_source_in_other_case_another(tmp_path: Path) -> None:
    learnt = [(text.upper(), f"first of {number}") for number, (text, _) in enumerate(kit.rows())]
    told = [(text, f"second of {number}") for number, (text, _) in enumerate(kit.rows()[:5])]
    data = replace(with_test_set(tmp_path, learnt, told), second="label", label=None)
    found = examples(kit.task(data, kind="translation", metric="chrf"))
    assert sum(overlap.folded for pair, overlap in found.compared.overlaps.items() if pair.endswith("/test")) == 5
    assert sum(found.compared.removed.values()) == 5


def test_a_text_longer_than_the_limit_is_truncated_and_counted(tokenizer: object, tmp_path: Path) -> None:
    test = [*kit.rows(seed=1), (" ".join(["word"] * 100_000), 1)]
    found = prepared(kit.task(with_test_set(tmp_path, kit.rows(), test)), tokenizer, tmp_path / "out")
    assert found.test.truncated == found.report.truncated["test"] == 1
    assert found.test.lengths.max() == 16
    assert any("truncated" in sentence for sentence in found.report.sentences)


def test_texts_with_different_labels_are_counted(tokenizer: object, tmp_path: Path) -> None:
    table = kit.rows()
    found = prepared(kit.task(kit.write_csv(tmp_path, [*table, (table[0][0], 1)])), tokenizer, tmp_path / "out")
    assert (found.report.repeats.exact, found.report.repeats.conflicting) == (1, 1)


def test_whole_numbers_are_ordered_as_numbers_and_words_as_words(tokenizer: object, tmp_path: Path) -> None:
    found = prepared(kit.task(kit.write_csv(tmp_path, kit.rows(count=240, classes=11))), tokenizer, tmp_path / "out")
    assert found.labels == tuple(str(i) for i in range(11))


def test_the_split_seed_changes_what_is_held_out(tokenizer: object, tmp_path: Path) -> None:
    data = kit.write_csv(tmp_path, kit.rows())
    one, other = (prepared(kit.task(data, split_seed=s), tokenizer, tmp_path / "out") for s in (0, 1))
    assert one.folder != other.folder
    assert one.test.fingerprint != other.test.fingerprint


def test_another_tokenizer_or_length_is_stored_apart(tokenizer: object, tmp_path: Path) -> None:
    task = kit.task(kit.write_csv(tmp_path, kit.rows()))
    folders = {
        prepared(task, tokenizer, tmp_path / "out").folder,
        prepared(task, tokenizer, tmp_path / "out", tokenizer_fingerprint="other").folder,
        prepared(replace(task, max_length=8), tokenizer, tmp_path / "out").folder,
    }
    assert len(folders) == 3


def test_arrays_are_mapped_read_only_and_load_back_as_written(tokenizer: object, tmp_path: Path) -> None:
    found = prepared(kit.task(kit.write_csv(tmp_path, kit.rows())), tokenizer, tmp_path / "out")
    again = load(found.folder)
    assert isinstance(again.train.ids.base, np.memmap)
    assert not again.train.ids.flags.writeable
    assert (again.train.ids.dtype, again.train.offsets.dtype, again.train.labels.dtype) == ("int32", "int64", "int32")
    assert again.report == found.report


@pytest.mark.parametrize("part", ["train.ids.npy", "test.offsets.npy", "meta.json"])
def test_a_damaged_store_is_refused_with_its_remedy(part: str, tokenizer: object, tmp_path: Path) -> None:
    found = prepared(kit.task(kit.write_csv(tmp_path, kit.rows())), tokenizer, tmp_path / "out")
    (found.folder / part).write_bytes((found.folder / part).read_bytes()[:-40])
    with pytest.raises(StorageError):
        load(found.folder)


@pytest.mark.parametrize("kept", [0, 40, 0.5, -200])
def test_a_damaged_table_of_examples_is_refused_with_its_remedy(kept: float, tokenizer: object, tmp_path: Path) -> None:
    found = prepared(kit.task(kit.write_csv(tmp_path, kit.rows())), tokenizer, tmp_path / "out")
    path = found.folder / "train.examples.arrow"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(StorageError, match=r"'train' in .* is damaged .* Delete that folder"):
        stored_examples(found, "train")


def test_a_pickled_array_in_the_store_is_refused(tokenizer: object, tmp_path: Path) -> None:
    found = prepared(kit.task(kit.write_csv(tmp_path, kit.rows())), tokenizer, tmp_path / "out")
    np.save(found.folder / "train.ids.npy", np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(StorageError, match="Delete that folder"):
        load(found.folder)


def test_texts_of_an_unknown_set_name_the_nearest(tokenizer: object, tmp_path: Path) -> None:
    found = prepared(kit.task(kit.write_csv(tmp_path, kit.rows())), tokenizer, tmp_path / "out")
    with pytest.raises(DataError, match="Did you mean 'test'"):
        stored_examples(found, "tset")


def test_the_share_of_unknown_tokens_is_kept_of_each_set_and_said(tokenizer: object, tmp_path: Path) -> None:
    test = [(f"zzz qqq {text}", label) for text, label in kit.rows(seed=1)]
    task = kit.task(with_test_set(tmp_path, kit.rows(), test))
    known = replace(task, data=with_test_set(tmp_path / "known", kit.rows(), kit.rows(seed=1)))
    found, other = (prepared(each, tokenizer, tmp_path / "out") for each in (task, known))
    share = 2 * len(test) / len(found.test.ids)  # [CLS] and [SEP] are no special tokens of this tokenizer
    assert found.test.unknown == found.report.unknown["test"] == pytest.approx(share)
    assert found.train.unknown == 0 == other.test.unknown
    assert f"Tokens that the base's tokenizer does not know: {share:.1%} of test." in found.report.sentences
    assert not any("does not know" in sentence for sentence in other.report.sentences)


def test_special_tokens_are_not_counted_and_a_byte_tokenizer_knows_everything() -> None:
    def unknown_share(tokenizer: object) -> float:
        counted = UnknownTokens(tokenizer)
        for tokens in ([2, 1, 7, 8, 9, 3], [2, 1, 3]):
            counted.count(np.array(tokens))
        return counted.share

    assert unknown_share(tiny_tokenizer()) == pytest.approx(2 / 5)
    ends = {"unk_token": "[CLS]", "bos_token": "[CLS]", "eos_token": "[CLS]"}
    assert unknown_share(tiny_tokenizer(**ends)) == 0
    assert unknown_share(tiny_tokenizer(unk_token=None)) == 0


class CountingTokenizer:
    """Leaves a file for every call, so that processes can be counted."""

    unk_token_id = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, rows: list[str], **_: object) -> dict[str, list[list[int]]]:
        (self.folder / f"{multiprocessing.current_process().pid}-{len(rows)}").touch()
        return {"input_ids": [[1, 2] for _ in rows]}


def _prepare_in_process(task: Task, folder: Path) -> None:
    prepared(task, CountingTokenizer(folder), folder / "out")


def test_of_several_processes_one_prepares_and_the_others_wait_for_it(tmp_path: Path) -> None:
    task = kit.task(kit.write_csv(tmp_path / "source", kit.rows()))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_prepare_in_process, args=(task, tmp_path)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [p.exitcode for p in processes] == [0, 0, 0]
    assert len({p.name.split("-")[0] for p in tmp_path.iterdir() if p.name[0].isdigit()}) == 1
    assert len([p for p in (tmp_path / "out" / "data").iterdir() if p.is_dir()]) == 1

"""The presets of hub data read what the hub has: its columns and splits, from `datasets`' cache or a local copy."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.compose import compose
from pipeline.config.schema import Task
from pipeline.data.examples import Examples, examples
from tests.contracts import sources_kit as kit
from tests.examples_kit import texts_of

THREE = {"train": 120, "validation": 12, "test": 12}
SPLITS = {"mrpc": THREE, "sst2": THREE, "ag_news": {"train": 120, "test": 12}}
PRESETS = ("ag_news", "emotions", "mrpc", "opus", "samsum", "sst2", "stsb", "wikitext_gaps", "wikitext_next_word")


def columns(preset: str, split: str, texts: list[str]) -> dict[str, Any]:
    """Rows as the hub has them: its names of columns, and -1 where it keeps labels secret."""
    secret, number = split == "test" and preset in ("mrpc", "sst2"), range(len(texts))
    classes = [-1 if secret else i % 2 for i in number]
    others = [f"{text} again" for text in texts]
    two = {"sentence1": texts, "sentence2": others}
    return {
        "ag_news": {"text": texts, "label": [i % 4 for i in number]},
        "emotions": {"text": texts, "labels": [[i % 3, 3] if i % 5 else [] for i in number], "id": texts},
        "mrpc": {**two, "label": classes, "idx": [*number]},
        "opus": {"translation": [{"en": en, "pt": pt} for en, pt in zip(texts, others, strict=True)]},
        "samsum": {"id": texts, "dialogue": [f"A: {t}\r\nB: ok" for t in texts], "summary": texts},
        "sst2": {"idx": [*number], "sentence": texts, "label": classes},
        "stsb": {**two, "score": [i % 5 / 4 for i in number]},
    }.get(preset, {"text": ["", *texts[1:]]})


def features(preset: str) -> dict[str, Any]:
    """The columns that hold numbers of classes."""
    import datasets

    names = {
        "ag_news": ["World", "Sports", "Business", "Sci/Tech"],
        "mrpc": ["not_equivalent", "equivalent"],
        "sst2": ["negative", "positive"],
    }
    if preset == "emotions":
        return {"labels": datasets.Sequence(datasets.ClassLabel(names=["anger", "joy", "love", "neutral"]))}
    return {"label": datasets.ClassLabel(names=names[preset])} if preset in names else {}


def saved(preset: str, folder: Path) -> Path:
    """The data set as `save_to_disk` writes it."""
    import datasets

    texts, found = [text for text, _ in kit.rows(200)], {}
    for split, count in SPLITS.get(preset, THREE).items():
        rows = datasets.Dataset.from_dict(columns(preset, split, texts[:count]))
        texts = texts[count:]
        found[split] = rows.cast(datasets.Features({**rows.features, **features(preset)}))
    datasets.DatasetDict(found).save_to_disk(str(folder))
    return folder


def cached(task: Task, source: Path, cache: Path) -> None:
    """The same as `datasets` leaves it in its cache once it has fetched what the preset names."""
    owner, name = str(task.data.path).split("/")
    config = task.data.subset or "default"
    target = cache / f"{owner}___{name}" / config / "0.0.0" / kit.COMMIT
    target.mkdir(parents=True)
    splits = json.loads((source / "dataset_dict.json").read_text(encoding="utf-8"))["splits"]
    info = json.loads((source / "train" / "dataset_info.json").read_text(encoding="utf-8"))
    info["splits"] = {split: {"name": split} for split in splits}
    (target / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    for split in splits:
        shutil.copy(source / split / "data-00000-of-00001.arrow", target / f"{name}-{split}.arrow")


def copy_of(preset: str, folder: Path) -> Examples:
    """What the preset reads of a local copy."""
    given = ["task.data.source=local", f"task.data.path={saved(preset, folder)}", "task.deduplicate=false"]
    return examples(compose([f"task={preset}", *given]).task)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_reads_a_local_copy_and_the_cache_of_the_hub_alike(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = copy_of(preset, tmp_path / "copy")
    task = compose([f"task={preset}", f"task.data.revision={kit.COMMIT}", "task.deduplicate=false"]).task
    assert task.data.source == "hub"
    assert task.data.upstream == task.data.path
    cached(task, tmp_path / "copy", tmp_path / "cache")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "datasets", None)  # nothing is fetched
    again = examples(task)
    assert {n: list(r.examples) for n, r in again.sets.items()} == {n: list(r.examples) for n, r in found.sets.items()}
    assert len(found.sets["test"]) in (11, 12)


def test_where_test_labels_are_secret_the_validation_set_is_the_test(tmp_path: Path) -> None:
    found = copy_of("sst2", tmp_path)
    assert found.labels == ("negative", "positive")
    assert texts_of(found.sets["test"].examples) == [text for text, _ in kit.rows(200)[120:132]]
    assert len(found.sets["train"]) + len(found.sets["validation"]) == 120


def test_news_are_of_four_topics_and_their_own_test_set(tmp_path: Path) -> None:
    found = copy_of("ag_news", tmp_path)
    assert set(found.labels) == {"World", "Sports", "Business", "Sci/Tech"}
    assert len(found.sets["train"]) + len(found.sets["validation"]) == 120


@pytest.mark.parametrize("preset", ["wikitext_gaps", "wikitext_next_word"])
def test_paragraphs_have_no_label_and_empty_lines_are_none(preset: str, tmp_path: Path) -> None:
    found = copy_of(preset, tmp_path)
    assert {name: len(rows) for name, rows in found.sets.items()} == {"train": 119, "validation": 11, "test": 11}


def test_a_summary_is_written_from_its_dialogue(tmp_path: Path) -> None:
    first = copy_of("samsum", tmp_path).sets["train"].examples[0]
    assert first.text == f"A: {first.second}\r\nB: ok"


def test_a_comment_has_the_names_of_its_feelings(tmp_path: Path) -> None:
    assert copy_of("emotions", tmp_path).sets["train"].examples[1].labels == ("joy", "neutral")

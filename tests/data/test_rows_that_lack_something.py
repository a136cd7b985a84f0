"""Rows that lack what a kind needs are left out and counted, in words that say what they lack."""

import csv
from pathlib import Path

import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.fingerprint import data_fingerprint, set_fingerprints
from pipeline.data.prepare import prepare
from tests.models.tiny_bases import tiny_tokenizer

KINDS = {
    "classification": ({"label": "tone"}, "40 rows were read; 1 without text and 2 without label were dropped."),
    "causal_language_modelling": ({}, "40 rows were read; 1 without text were dropped."),
    "translation": ({"second": "pt"}, "40 rows were read; 4 without one of their two texts were dropped."),
    "similarity": (
        {"second": "pt", "score": "rating"},
        "40 rows were read; 6 without one of their two texts or their number were dropped.",
    ),
}


def table(path: Path) -> Path:
    """40 rows: the first lacks its text, the next three their translation, two their number, two their label."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("en", "pt", "rating", "tone"))
        for i in range(40):
            rating, tone = ("", "good") if i in (4, 5) else ("0.5", "" if i in (6, 7) else ("good", "bad")[i % 2])
            text = "" if i == 0 else f"a film {'abcdefgh'[i % 8]} {'ijklmnop'[i // 8]}"
            rows.writerow((text, "" if i in (1, 2, 3) else f"um filme {i}", rating, tone))
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_rows_lack_is_said_in_the_words_of_the_kind(kind: str, elsewhere: bool, tmp_path: Path) -> None:
    columns, sentence = KINDS[kind]
    data = Data(path=str(table(tmp_path / "rows.csv")), text="en", **{"label": None, **columns})
    more = {"far": data} if elsewhere else {}
    task = Task(name="some", kind=kind, data=data, out_of_domain=more, max_length=32, deduplicate=False)
    fingerprint = data_fingerprint(task)
    found = prepare(
        task,
        tiny_tokenizer(),
        tokenizer_fingerprint="t",
        data_fingerprint=fingerprint,
        root=tmp_path / "out",
        evaluated=set_fingerprints(task),
    )
    assert sentence in found.report.sentences
    dropped = sentence.partition("; ")[2].replace(" without", " rows without", 1)
    assert (f"far: {dropped}" in found.report.sentences) == elsewhere

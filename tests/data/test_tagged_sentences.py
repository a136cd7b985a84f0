"""Tagged words from CoNLL-U, CoNLL columns, JSON lines, Parquet and CSV: the same examples, or a refusal that helps."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.schema import Data, Task
from pipeline.data.examples import evaluated_examples, examples
from pipeline.data.fingerprint import data_fingerprint
from pipeline.data.prepare import prepare
from pipeline.data.readers.sources import read
from pipeline.data.sets import Prepared
from pipeline.data.store import stored_examples
from pipeline.errors import DataError
from pipeline.tasks import Example
from tests.examples_kit import read_from
from tests.models.tiny_bases import tiny_tokenizer

Sentence = tuple[tuple[str, ...], tuple[str, ...]]
SENTENCES: list[Sentence] = [
    (("Ana", "viu", "Rio"), ("B-PER", "O", "B-LOC")),
    (("de", "a", "1 000"), ("O", "O", "O")),
    (("dorme", "``", "''"), ("O", "O", "O")),
]
EXAMPLES = [Example(text=" ".join(w.replace(" ", "\u00a0") for w in words), labels=tags) for words, tags in SENTENCES]


def conll_u(path: Path, sentences: list[Sentence]) -> Data:
    """With comments, a multiword token and a word that is not there."""
    lines = []
    for words, tags in sentences:
        lines += ["# sent_id = 1", "1-2\tdas\t" + "\t".join("_" * 8)]
        lines += [
            f"{n}\t{w}\t_\t{t}\t" + "\t".join("_" * 6) for n, (w, t) in enumerate(zip(words, tags, strict=True), 1)
        ]
        lines += ["3.1\tviu\t" + "\t".join("_" * 8), ""]
    path.with_suffix(".conllu").write_text("\r\n".join(lines), encoding="utf-8")
    return Data(path=str(path.with_suffix(".conllu")), text="tokens", label=None, labels="upos")


def conll(path: Path, sentences: list[Sentence]) -> Data:
    lines = ["-DOCSTART-\t-X-\tO", ""]
    for words, tags in sentences:
        lines += [*(f"{word}\tX\t{tag}" for word, tag in zip(words, tags, strict=True)), "", ""]
    path.with_suffix(".conll").write_text("\n".join(lines), encoding="utf-8")
    return Data(path=str(path.with_suffix(".conll")), text="tokens", label=None, labels="tags")


def json_lines(path: Path, sentences: list[Sentence]) -> Data:
    rows = [json.dumps({"tokens": words, "tags": tags}) for words, tags in sentences]
    path.with_suffix(".jsonl").write_text("\n".join(rows), encoding="utf-8")
    return Data(path=str(path.with_suffix(".jsonl")), text="tokens", label=None, labels="tags")


def parquet(path: Path, sentences: list[Sentence]) -> Data:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"tokens": [list(words) for words, _ in sentences], "tags": [list(tags) for _, tags in sentences]}
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))
    return Data(path=str(path.with_suffix(".parquet")), text="tokens", label=None, labels="tags")


def cells(path: Path, sentences: list[Sentence]) -> Data:
    with open(path.with_suffix(".csv"), "w", newline="", encoding="utf-8") as file:
        rows = [(" ".join(w.replace(" ", "\u00a0") for w in words), " ".join(tags)) for words, tags in sentences]
        csv.writer(file).writerows([("tokens", "tags"), *rows])
    return Data(path=str(path.with_suffix(".csv")), text="tokens", label=None, labels="tags", separator=" ")


WRITERS = (conll_u, conll, json_lines, parquet, cells)
Writer = Callable[[Path, list[Sentence]], Data]


@pytest.fixture(params=WRITERS, ids=lambda writer: writer.__name__)
def writer(request: pytest.FixtureRequest) -> Writer:
    found: Writer = request.param
    return found


def many(count: int) -> list[Sentence]:
    """Different sentences of two to four words."""
    return [
        (("film", *("good", "dull", "fine")[: 1 + i % 3], f"x{i}"), ("B-PER", *["O"] * (1 + i % 3), "B-LOC"))
        for i in range(count)
    ]


def task(data: Data, **more: object) -> Task:
    return Task(name="tagged", kind="token_classification", metric="token_accuracy", data=data, **more)  # type: ignore[arg-type]


def prepared(wanted: Task, root: Path) -> Prepared:
    return prepare(
        wanted,
        tiny_tokenizer(),
        tokenizer_fingerprint="t",
        data_fingerprint=data_fingerprint(wanted),
        root=root,
    )


def test_every_format_gives_the_same_sentences_and_classes(writer: Writer, tmp_path: Path) -> None:
    found = read(writer(tmp_path / "data", SENTENCES), task_name="t")
    assert read_from(found.train) == EXAMPLES
    assert found.several == ("B-LOC", "B-PER", "O")


def test_repeated_tags_and_their_order_are_kept_in_prepared_data(writer: Writer, tmp_path: Path) -> None:
    sentences, wanted = many(60), task(writer(tmp_path / "data", many(60)))
    done = prepared(wanted, tmp_path / "out")
    tags = {" ".join(words): tags for words, tags in sentences}
    stored = [e for name in ("train", "validation", "test") for e in stored_examples(done, name)]
    assert len(stored) == 60
    assert all(example.labels == tags[example.text] for example in stored)


def test_tags_and_words_of_unequal_number_are_refused(tmp_path: Path) -> None:
    wanted = task(json_lines(tmp_path / "data", [*many(40), (("a", "film"), ("O",))]))
    with pytest.raises(DataError, match="Every word must have one tag, but 'a film' has 2 words and 1 tags"):
        prepared(wanted, tmp_path)


def test_an_empty_word_is_refused(tmp_path: Path) -> None:
    wanted = task(json_lines(tmp_path / "data", [*many(40), (("a", ""), ("O", "O"))]))
    with pytest.raises(DataError, match=r"1 words and 2 tags.* must not be empty"):
        prepared(wanted, tmp_path)


def test_an_unknown_tag_in_the_test_set_is_refused_and_can_be_renamed(tmp_path: Path) -> None:
    data = conll(tmp_path / "train", many(40))
    other = conll(tmp_path / "other", [(("a", "plot"), ("O", "B-LOK"))])
    with pytest.raises(
        DataError, match=r"test set must be a class of the training data, but 'B-LOK' .*'B-LOC'.*label_names"
    ):
        examples(task(Data(**vars(data) | {"test": other.path})))
    renamed = Data(**vars(other) | {"label_names": {"B-LOK": "B-LOC"}})
    found = evaluated_examples(task(data, out_of_domain={"far": renamed}), "far", ("B-LOC", "B-PER", "O"), {})
    assert [e.labels for e in found.sets["far"].examples] == [("O", "B-LOC")]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.conllu", "1\tAna\t_\n", r"line 1 of a.conllu must have at least 4 columns.* is '1 Ana _'"),
        ("a.conllu", "1\tAna\t_\tNOUN\n2\tri\t_\t\t_\n", r"line 2 .* none of them empty"),
        ("a.conll", "Ana B-PER\n\nviu NN O\n", r"line 3 of a.conll must have 2 columns"),
        ("a.conll", "Ana NN B-PER\nviu O\n", r"line 2 of a.conll must have 3 columns"),
        ("a.conllu", "# sent_id = 1\n\n", r"a.conllu has none: no line is a word"),
    ],
)  # fmt: skip
def test_a_word_that_lacks_a_column_is_refused_with_its_line(name: str, content: str, why: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    labels = "upos" if name.endswith("u") else "tags"
    with pytest.raises(DataError, match=why):
        read(Data(path=str(tmp_path / name), text="tokens", label=None, labels=labels), task_name="t")


def test_a_column_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    data = conll_u(tmp_path / "data", SENTENCES)
    with pytest.raises(DataError, match=r"task.data.labels asks for a column 'upo'.* 'upos'"):
        read(Data(**vars(data) | {"labels": "upo"}), task_name="t")


def test_what_is_said_of_words_is_not_taken_for_a_sentences_class(tmp_path: Path) -> None:
    data = conll_u(tmp_path / "data", SENTENCES)
    with pytest.raises(DataError, match=r"task.data.label must be null for data.conllu.*task=token_classification"):
        read(Data(path=data.path, text="tokens", label="upos"), task_name="t")

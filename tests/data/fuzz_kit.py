"""Damaged files of each format, the same for the same seed, and a process that reads many of them.

python -m tests.data.fuzz_kit csv 0 2000
"""

import csv
import faulthandler
import io
import json
import random
import resource
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.config.schema import Data, Task
from pipeline.data.examples import examples
from pipeline.errors import HeadstartError

SECONDS = 5  # that reading one file may take
GIB = 2**30
MEMORY = GIB  # more than what the libraries take
WORDS = ("good", "bad", "film", "scene", "naïve", '5" disk', "a, b", "x;y", "it's", "\u200bz", "é", "東京", "🙂", "[a]")
BITS = (b'"', b"'", b",", b";", b"\t", b"|", b"\n", b"\r", b"\0", b"\\", b"[", b"]", b"{", b"}", b":", b"\xff\xfe",
        b"\xef\xbb\xbf", b"sep=;\n", b"NaN", b"1e999", b"9" * 400, b"-0", b"null", b"\xc3", b"\xed\xa0\x80",
        b"[" * 3000, b"\\u0000", b"\\ud800", b"1,5", b"2.000", b" " * 2000, b"PAR1", b"\x1f\x8b", b"True",
        b"['a' 'b']")  # fmt: skip
ODD = (None, float("nan"), float("inf"), 10**400, -1, 0, True, "", "null", "NA", "1e999", "2,5", [1, [2]], [],
       [None, 0.5], {"a": 1}, {"a": {"b": {}}}, ["x", "x"], "['a', 'b']", "[1 0]", "\ud800", "x" * 5000,
       "\n", "\0")  # fmt: skip
ROWS = 40

Rows = list[tuple[str, str, str, str]]


def table(rng: random.Random) -> Rows:
    """Texts, a label, several labels and a number."""
    return [
        (
            " ".join(rng.choices(WORDS, k=rng.randint(1, 6))) + f" {i}",
            ("bad", "good", "so")[i % 3],
            ";".join(rng.sample(("red", "blue", "green"), rng.randint(0, 3))),
            f"{(i % 9) / 10:.1f}",
        )
        for i in range(ROWS)
    ]


HEADING = ("text", "label", "labels", "score")


def as_csv(rows: Rows, separator: str = ",") -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows([HEADING, *rows])
    return file.getvalue().encode()


def as_objects(rows: Rows, rng: random.Random | None = None) -> list[dict[str, Any]]:
    """The rows as records, in some of which other values stand where a generator is given."""
    found: list[dict[str, Any]] = [
        dict(zip(HEADING, (text, label, labels.split(";"), float(score)), strict=True))
        for text, label, labels, score in rows
    ]
    for row in found if rng is not None and rng.random() < 0.6 else ():
        if rng is not None and rng.random() < 0.1:
            row[rng.choice(HEADING)] = rng.choice(ODD)
    return found


def as_lines(rows: Rows, rng: random.Random) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in as_objects(rows, rng)).encode()


def as_document(rows: Rows, rng: random.Random) -> bytes:
    objects = as_objects(rows, rng)
    whole = (
        {"about": {"version": 1}, "rows": objects},
        objects,
        {name: [row[name] for row in objects] for name in HEADING},
        {name: {str(i): row[name] for i, row in enumerate(objects)} for name in HEADING},
        {"columns": HEADING, "data": [list(row.values()) for row in objects]},
        {str(i): row for i, row in enumerate(objects)},
    )
    return json.dumps(rng.choice(whole), indent=rng.choice((None, 1)), ensure_ascii=rng.random() < 0.5).encode(
        "utf-8", "replace"
    )


def as_parquet(rows: Rows, rng: random.Random) -> bytes:
    """With one column of another type, now and then."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file, whole = io.BytesIO(), pa.Table.from_pylist(as_objects(rows))
    if rng.random() < 0.7:
        whole = whole.set_column(rng.randrange(len(HEADING)), rng.choice(HEADING), _odd_column(rng))
    pq.write_table(whole, file, compression=rng.choice(("none", "snappy")), use_dictionary=rng.random() < 0.5)
    return file.getvalue()


def _odd_column(rng: random.Random) -> Any:
    import pyarrow as pa

    numbers = [rng.choice((None, *range(-2, 9))) for _ in range(ROWS)]
    texts = [None if n is None else str(n) for n in numbers]
    columns = (
        pa.array([t and t.encode() for t in texts], pa.binary()),
        pa.array([t and b"\xff" + t.encode() for t in texts], pa.binary()),
        pa.array(texts).dictionary_encode(),
        pa.array(texts, pa.large_string()),
        pa.array([None if n is None else [n, 0, 1] for n in numbers], pa.list_(pa.int64(), 3)),
        pa.array([None if n is None else [{"name": str(n)}] for n in numbers]),
        pa.array([None if n is None else [("a", n)] for n in numbers], pa.map_(pa.string(), pa.int64())),
        pa.array([None if n is None else {"en": n, "pt": [n]} for n in numbers]),
        pa.array(numbers, pa.float32()),
        pa.array(numbers, pa.int64()).cast(pa.timestamp("us")),
        pa.array([None if n is None else n * 10**15 for n in numbers], pa.int64()).cast(pa.timestamp("ms")),
        pa.array(numbers, pa.int64()).cast(pa.decimal128(30, 2)),
        pa.array([None if n is None else float("inf") for n in numbers]),
        pa.nulls(ROWS),
    )
    return columns[rng.randrange(len(columns))]


def as_conll(rows: Rows, rng: random.Random) -> bytes:
    """Sentences of tagged words in two columns or more, with lines between documents."""
    extra, lines = rng.randrange(3), ["-DOCSTART- O", ""] if rng.random() < 0.3 else []
    for text, label, *_ in rows:
        for word in text.split():
            lines.append(rng.choice(" \t").join([word, *["_"] * extra, rng.choice(("O", f"B-{label}", f"I-{label}"))]))
        lines.append("")
    return "\n".join(lines).encode()


def as_conll_u(rows: Rows, rng: random.Random) -> bytes:
    """The same with the ten columns of Universal Dependencies, comments, multiword tokens and empty nodes."""
    lines = list[str]()
    for text, label, *_ in rows:
        lines.append("# text = " + text)
        for at, word in enumerate(text.split(), start=1):
            lines += [f"{at}-{at + 1}\t{word}" + "\t_" * 8] if rng.random() < 0.1 else []
            lines.append("\t".join([str(at), word, word, rng.choice((label, "X", "_")), *["_"] * 6]))
            lines += [f"{at}.1\t{word}" + "\t_" * 8] if rng.random() < 0.1 else []
        lines.append("")
    return "\n".join(lines).encode()


WRITERS: dict[str, Callable[[Rows, random.Random], bytes]] = {
    "csv": lambda rows, rng: as_csv(rows, rng.choice(",,;|\t")),
    "tsv": lambda rows, rng: as_csv(rows, "\t"),
    "jsonl": as_lines,
    "json": as_document,
    "parquet": as_parquet,
    "conll": as_conll,
    "conllu": as_conll_u,
}
TASKS: tuple[dict[str, str | None], ...] = (
    {},
    {"kind": "multi_label_classification", "metric": "micro_f1", "label": None, "labels": "labels"},
    {"kind": "causal_language_modelling", "metric": "bits_per_byte", "label": None},
    {"kind": "similarity", "metric": "spearman", "label": None, "second": "label", "score": "score"},
)
TAGGED: tuple[dict[str, str | None], ...] = (
    {"kind": "token_classification", "metric": "token_accuracy", "text": "tokens", "label": None, "labels": "tags"},
    {"kind": "token_classification", "metric": "span_f1", "text": "tokens", "label": None, "labels": "upos"},
    {"kind": "token_classification", "metric": "token_accuracy", "text": "text", "label": None, "labels": "labels"},
)


def damaged(kind: str, seed: int) -> bytes:
    """A file of this format, with up to four things changed in it."""
    rng = random.Random(f"{kind} {seed}")
    content = bytearray(WRITERS[kind](table(rng), rng))
    changes = _IN_PLACE if kind == "parquet" and rng.random() < 0.8 else _CHANGES  # its footer says where all stands
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        rng.choice(changes)(content, rng)
    return bytes(content)


def _place(content: bytearray, rng: random.Random) -> int:
    """Anywhere, but often near the start or the end, where the formats keep what they are."""
    size = len(content)
    return rng.choice((rng.randint(0, size), rng.randint(0, min(size, 60)), max(0, size - rng.randint(0, 400))))


def _flip(content: bytearray, rng: random.Random) -> None:
    at = _place(content, rng)
    if at < len(content):
        content[at] ^= 1 << rng.randrange(8)


def _overwrite(content: bytearray, rng: random.Random) -> None:
    at = _place(content, rng)
    new = rng.randbytes(rng.randint(1, 8))[: len(content) - at]
    content[at : at + len(new)] = new


def _insert(content: bytearray, rng: random.Random) -> None:
    at = _place(content, rng)
    content[at:at] = rng.choice(BITS) * rng.choice((1, 1, 1, 2, 50))


def _remove(content: bytearray, rng: random.Random) -> None:
    at = _place(content, rng)
    del content[at : at + rng.choice((1, 2, 10, 200))]


def _repeat(content: bytearray, rng: random.Random) -> None:
    at, to = _place(content, rng), _place(content, rng)
    content[to:to] = content[at : at + rng.choice((1, 30, 500))]


def _cut(content: bytearray, rng: random.Random) -> None:
    del content[_place(content, rng) :]


def _join(content: bytearray, rng: random.Random) -> None:
    content += WRITERS[rng.choice(tuple(WRITERS))](table(rng), rng)


def _widen(content: bytearray, rng: random.Random) -> None:
    content[:] = (
        bytes(content)
        .decode("utf-8", "replace")
        .encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "cp1252")), "replace")
    )


_IN_PLACE = (_flip, _overwrite)
_CHANGES = (*_IN_PLACE, _insert, _insert, _remove, _repeat, _cut, _join, _widen)


def read_file(content: bytes, path: Path, which: int) -> str | None:
    """Read the file for one of the tasks; what was wrong with that beside a refusal, if anything."""
    path.write_bytes(content)
    tasks = TAGGED if path.suffix.startswith(".conll") else (*TASKS, TAGGED[2])
    settings = dict(tasks[which % len(tasks)])
    kind, metric = settings.pop("kind", "classification"), settings.pop("metric", "accuracy")
    task = Task(name="fuzz", kind=str(kind), metric=str(metric), data=Data(path=str(path), **settings))  # type: ignore[arg-type]
    try:
        examples(task)
    except HeadstartError as refusal:
        return None if refusal.exit_code == 2 and str(refusal) else f"exit code {refusal.exit_code}: {refusal}"
    except Exception:  # noqa: BLE001 - what the readers must never let through
        return traceback.format_exc()
    return None


def _faults(kind: str, seeds: range) -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            print(f"{kind} {seed}", flush=True)  # the last one that is printed is the one that ended the process
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            fault = read_file(damaged(kind, seed), Path(folder) / f"reviews.{kind}", seed)
            faulthandler.cancel_dump_traceback_later()
            if fault:
                yield seed, fault


def main(kind: str, first: str, last: str) -> int:
    """Read the files of these seeds in a bounded memory; one that takes too long or crashes ends the process."""
    with tempfile.TemporaryDirectory() as folder:  # the libraries, which take their time and memory only once
        for other, writer in WRITERS.items():
            for which in range(len(TASKS)):
                rng = random.Random(0)
                read_file(writer(table(rng), rng), Path(folder) / f"warm.{other}", which)
    in_use = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, in_use + MEMORY))
    faults = list(_faults(kind, range(int(first), int(last))))
    for seed, fault in faults:
        print(f"{kind} {seed}:\n{fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))

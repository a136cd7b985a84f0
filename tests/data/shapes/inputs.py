"""Tables that people have tripped over for other reasons than their columns: dialects, languages, writers, vectors."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.data.shapes.shape import Row, Shape, delimited, json_lines

GOOD = ("bright", "warm", "tender", "clever", "moving", "fresh")
BAD = ("dull", "cold", "clumsy", "tired", "hollow", "stale")
PLAIN = ("film", "scene", "plot", "cast", "tone", "ending", "music", "actor", "story", "picture", "dialogue", "camera")


def words(rng: random.Random, i: int, count: int | None = None) -> str:
    """Returns the words of the i-th text, whose class is i modulo 2."""
    chosen = rng.sample((BAD, GOOD)[i % 2], 2) + rng.sample(PLAIN, count or rng.randint(4, 9))
    rng.shuffle(chosen)
    return " ".join(chosen)


def first_line(rng: random.Random) -> bytes:
    rows = [(f"{words(rng, i)} number {i}", ("neg", "pos")[i % 2]) for i in range(240)]
    return b"sep=;\r\n" + delimited(("review", "label"), rows, delimiter=";")


def norwegian(rng: random.Random) -> bytes:
    rows = [(f"{words(rng, i)} number {i}", ("neg", "pos")[i % 2], ("no", "sv", "da")[i % 3]) for i in range(300)]
    return delimited(("review", "label", "language"), rows)


def writers(rng: random.Random) -> bytes:
    rows: list[Row] = []
    for writer in range(25):
        sign, label = f"zq{writer:02} vk{(writer * 7) % 60:02}", rng.choice(("neg", "pos"))
        rows += [(f"{sign} {' '.join(rng.sample(PLAIN, 7))} {k}", label, f"writer{writer}") for k in range(12)]
    return delimited(("review", "label", "writer"), rows)


def vectors(rng: random.Random) -> bytes:
    rows = []
    for i in range(300):
        hot = [float(k in (i % 3, (i + i % 2) % 3)) for k in range(3)]
        rows.append({"post": f"{words(rng, i)} {i}", "topics": hot})
    return json_lines(rows)


def commas(rng: random.Random) -> bytes:
    rows: list[Row] = []
    for i in range(200):
        rating = f"{1 + 4 * rng.random():.1f}".replace(".", ",")
        rows.append((words(rng, i, 3), words(rng, i + 1, 3), rating))
    return delimited(("one", "other", "rating"), rows, delimiter=";")


def structs(rng: random.Random) -> bytes:
    reviews = [{"body": f"{words(rng, i)} number {i}", "lang": "en"} for i in range(240)]
    buffer = io.BytesIO()
    pq.write_table(pa.table({"review": reviews, "label": ["neg", "pos"] * 120}), buffer)
    return buffer.getvalue()


SHAPES = (
    Shape(file="sep_line.csv", write=first_line, text="review", label="label"),
    Shape(file="norwegian.csv", write=norwegian, text="review", label="label", language="language"),
    Shape(file="by_writer.csv", write=writers, text="review", label="label", groups=("writer",)),
    Shape(file="multi_hot.jsonl", write=vectors, text="post", label="topics", kind="multi_label_classification"),
    Shape(file="decimal_commas.csv", write=commas, text="one", second="other", label="rating", kind="similarity"),
    Shape(file="structs.parquet", write=structs, text="review.body", label="label", language="review.lang"),
)

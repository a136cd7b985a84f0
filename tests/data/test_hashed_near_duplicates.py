"""Near-duplicates of large sets are found by hashing: nearly all of them, nothing else, and the same ones each time."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.examples import examples
from pipeline.data.near_duplicates import EXACT, NearDuplicates
from pipeline.data.report import data_report
from pipeline.data.shingles import Shingles
from tests.contracts import sources_kit as kit

VOCABULARY = [f"w{i}" for i in range(2000)]
HELD = [" ".join(random.Random(i).choices(VOCABULARY, k=36)) for i in range(3000)]


def hashed(held: Sequence[str]) -> NearDuplicates:
    return NearDuplicates(held, exact=0)


def edited(text: str, edits: int, seed: int) -> str:
    rng, words = random.Random(seed), text.split()
    for _ in range(edits):
        at = rng.choice([0, 1, len(words) - 1, rng.randrange(len(words))])
        words[at : at + rng.randrange(2)] = [rng.choice(VOCABULARY)]
    return " ".join(words)


def test_of_planted_near_duplicates_999_in_1000_are_found_and_nothing_else() -> None:
    pool = [edited(text, 1 + at % 4, seed=at) for at, text in enumerate(HELD)]
    near, found = NearDuplicates(HELD).of(pool), hashed(HELD).of(pool)
    assert 1000 < near.sum() < len(pool)
    assert not (found & ~near).any()
    assert found[near].mean() >= 0.999


def test_what_is_held_out_itself_is_always_found() -> None:
    assert hashed(HELD).of(HELD).all()


def test_texts_that_are_built_alike_are_told_apart_by_their_shingles() -> None:
    form = " ".join(VOCABULARY[:30])
    held = [f"{form} {i} {i + 1} {i + 2} {i + 3} {i + 4} {i + 5} {i + 6}" for i in range(0, 5000, 10)]
    pool = [f"{held[123]} more", f"{form} a b c d e f g h i", "something else entirely here"]
    assert hashed(held).of(pool).tolist() == [True, False, False]


@pytest.mark.parametrize("held", [[], ["two words"], ["", "a b c d"]])
def test_texts_without_shingles_are_near_nothing(held: list[str]) -> None:
    assert hashed(held).of(["", "two words", "a b c d"]).tolist() == [False, False, "a b c d" in held]
    assert hashed(held).of([]).tolist() == []


def test_a_shingle_has_the_same_number_in_every_process() -> None:
    assert Shingles.of(["a b c"]).codes.tolist() == [13122974579828341323]


def test_a_set_of_many_rows_is_hashed_and_the_report_says_so(tmp_path: Path) -> None:
    long = " ".join(f"long{i}" for i in range(30))
    test = [(f"{i} {i * 7} {i * 11} held out", i % 2) for i in range(EXACT + 1)]
    train = [*kit.rows(), (test[3][0], 1), (test[4][0].upper(), 0), (long, 0)]
    data = replace(
        kit.write_csv(tmp_path, train), test=kit.write_csv(tmp_path / "test", [*test, (f"{long} x", 0)]).path
    )
    found = examples(kit.task(data))
    overlaps = [overlap for pair, overlap in found.compared.overlaps.items() if pair.endswith("/test")]
    assert np.sum([(o.exact, o.folded, o.near) for o in overlaps], axis=0).tolist() == [1, 1, 1]
    sentences = data_report(found, {}, {}, max_length=16).sentences
    assert [s for s in sentences if "by hashing" in s and "of test (50,002 rows)" in s]

"""Texts on both sides of a split are found: word for word, and nearly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.duplicates import near, normalise, overlap, repeats

WORDS = " ".join(f"word{i}" for i in range(30))
TEXTS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=12)


def jaccard(left: str, right: str) -> float:
    a, b = ({tuple(w[i : i + 3]) for i in range(len(w) - 2)} for w in (left.split(), right.split()))
    return len(a & b) / len(a | b) if a and b else 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A fine film!", "a  fine\tfilm"),
        ("“Fine” — really…", "fine really"),
        ("STRASSE ist lang", "Straße ist lang"),
        ("\uff26\uff49\uff4e\uff45 film", "fine film"),
    ],
)
def test_case_punctuation_and_space_do_not_make_a_text_another(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), [("!", "?"), ("कि", "की"), ("good 😀", "good 😡"), ("a1", "a2")])
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_exact_and_near_duplicates_are_told_apart() -> None:
    exact, alike = overlap([WORDS.upper(), WORDS + " more", "something else entirely here"], [WORDS])
    assert exact.tolist() == [True, False, False]
    assert alike.tolist() == [False, True, False]


def test_texts_with_half_their_words_in_common_are_not_near() -> None:
    half = " ".join(WORDS.split()[:15]) + " " + " ".join(f"other{i}" for i in range(15))
    assert not near([half], [WORDS]).any()


def test_near_duplicates_are_found_in_a_script_without_spaces() -> None:
    text = "这部电影的故事非常精彩而且演员的表演也令人难忘值得每个人去看一遍"
    assert near([text + "吧"], [text]).all()


def test_texts_of_two_words_are_duplicates_only_word_for_word() -> None:
    exact, alike = overlap(["good film", "good movie"], ["Good film."])
    assert exact.tolist() == [True, False]
    assert not alike.any()


@settings(max_examples=60)
@given(pool=TEXTS, held=TEXTS)
def test_the_search_finds_exactly_the_pairs_that_comparing_all_would_find(pool: list[str], held: list[str]) -> None:
    expected = [any(jaccard(a, b) >= 0.8 for b in held) for a in pool]
    assert near(pool, held).tolist() == expected


def test_the_threshold_decides_what_counts_as_near() -> None:
    pool = [" ".join(WORDS.split()[:24])]
    assert jaccard(pool[0], WORDS) == pytest.approx(22 / 28)
    assert not near(pool, [WORDS]).any()
    assert near(pool, [WORDS], threshold=0.75).all()


def test_repeated_texts_and_conflicting_labels_are_counted() -> None:
    labels = np.array([0, 0, 1, 0, 1])
    assert repeats(["Good film", "good film!", "Good film", "bad", "worse"], labels) == (2, 1)

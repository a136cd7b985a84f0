"""Texts on both sides of a split are found: word for word, and nearly."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.duplicates import Alike, Labelled, keys_of, known_halves, normalise, overlaps, repeats
from pipeline.data.near_duplicates import THRESHOLD, NearDuplicates
from pipeline.data.sets import Repeats

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


Texts = str | tuple[str, str]


def near(pool: Sequence[str], held: Sequence[str], threshold: float = THRESHOLD) -> np.ndarray:
    return NearDuplicates(held, threshold).of(pool)


def of(*texts: Texts) -> list[tuple[str, ...]]:
    """The texts of examples that are single texts, or pairs."""
    return [(text,) if isinstance(text, str) else text for text in texts]


def overlap(
    pool: list[tuple[str, ...]], labels: Sequence[int], held: list[tuple[str, ...]], held_labels: Sequence[int]
) -> Alike:
    own = Labelled(texts=pool, labels=labels, keys=keys_of(pool))
    (found,) = overlaps(own, [Labelled(texts=held, labels=held_labels, keys=keys_of(held))])
    return found


def unlabelled(pool: Sequence[Texts], held: Sequence[Texts]) -> Alike:
    return overlap(of(*pool), [0] * len(pool), of(*held), [0] * len(held))


def test_exact_folded_and_near_duplicates_are_told_apart() -> None:
    pool = [WORDS.replace(" ", "  "), WORDS.upper(), WORDS + " more", "something else entirely here"]
    found = unlabelled(pool, [WORDS])
    assert found.exact.tolist() == [True, False, False, False]
    assert found.folded.tolist() == [False, True, False, False]
    assert found.near.tolist() == [False, False, True, False]
    assert not found.relabelled.any()


@pytest.mark.parametrize("text", ["US", "I said no, did I not?"])
def test_a_text_of_another_label_is_a_repeat_word_for_word_only(text: str) -> None:
    found = overlap(of(text, text.lower(), text.lower()), [1, 0, 1], of(text), [0])
    assert found.exact.tolist() == [True, False, False]
    assert found.folded.tolist() == [False, True, False]
    assert found.relabelled.tolist() == [False, False, True]
    assert found.repeated.tolist() == [True, True, False]


def test_one_held_out_text_with_the_same_label_is_enough_for_a_repeat() -> None:
    assert overlap(of("us"), [1], of("US", "Us!"), [0, 1]).folded.all()


def test_a_pair_is_the_same_in_both_orders() -> None:
    long, short = "one question of five words", "an answer of five words"
    held = [(long, short), (WORDS, "yes")]
    pool = [(short, long), (short.upper(), long), ("yes", WORDS + " more"), (long, "no")]
    found = unlabelled(pool, held)
    assert found.exact.tolist() == [True, False, False, False]
    assert found.folded.tolist() == [False, True, False, False]
    assert found.near.tolist() == [False, False, True, False]


def test_a_pair_of_which_either_text_stands_in_a_training_pair_is_known_by_half() -> None:
    held = [("A b!", "new"), ("other", "c d"), ("b a", "d c"), ("c d", "a b")]
    assert known_halves([("a b", "c d")], held).tolist() == [True, True, False, True]


def test_texts_with_half_their_words_in_common_are_not_near() -> None:
    half = " ".join(WORDS.split()[:15]) + " " + " ".join(f"other{i}" for i in range(15))
    assert not near([half], [WORDS]).any()


def test_near_duplicates_are_found_in_a_script_without_spaces() -> None:
    text = "这部电影的故事非常精彩而且演员的表演也令人难忘值得每个人去看一遍"
    assert near([text + "吧"], [text]).all()


def test_texts_of_two_words_are_duplicates_only_word_for_word() -> None:
    found = unlabelled(["good film", "good movie"], ["Good film."])
    assert found.folded.tolist() == [True, False]
    assert not found.near.any()


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
    texts = ["Good film", "good film!", "Good film", "bad", "US", "us", "us"]
    found = repeats(keys_of(of(*texts)), [0, 0, 1, 0, 0, 1, 1])
    assert found == Repeats(exact=2, folded=1, conflicting=1, relabelled=1)


def test_a_pair_the_other_way_round_repeats_it() -> None:
    assert repeats(keys_of([("a b", "c"), ("c", "a b"), ("C", "a b")]), [0, 0, 0]) == Repeats(exact=1, folded=1)

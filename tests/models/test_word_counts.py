"""Counted words are those of scikit-learn, whatever the texts are made of."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.models.words import PARTS, WordCounter

# Letters whose small form depends on their place in the word (sigma) or has two characters, and blanks of all kinds.
texts = st.text(alphabet="ab\u03a3\u03c3\u03c2\u0130\u00df\u6f22' .\t\n\u00a0\u2003\x1c", max_size=30)


def by_sklearn(known: list[str], read: list[str]) -> Any:
    parts = [TfidfVectorizer(sublinear_tf=True, **part).fit(known) for part in PARTS.values()]
    return hstack([part.transform(read) for part in parts]).tocsr()


@settings(max_examples=50, deadline=None)
@given(known=st.lists(texts, max_size=5), read=st.lists(texts, min_size=1, max_size=5))
def test_rows_are_those_of_scikit_learn_to_the_bit(known: list[str], read: list[str]) -> None:
    known = [*known, "a word"]
    counter = WordCounter.of([(text,) for text in known])
    ours, theirs = counter([(text,) for text in read]), by_sklearn(known, read)
    assert ours.shape == theirs.shape
    assert (ours != theirs).nnz == 0
    assert (ours.has_canonical_format, ours.nnz) == (True, theirs.nnz)

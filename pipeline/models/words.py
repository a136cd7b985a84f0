"""Counted words: TF-IDF of n-grams, or of what is around each word, stored as text and numbers, never pickled."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import StorageError
from pipeline.files import write_text
from pipeline.models.windows import windows
from pipeline.records import from_json, to_json

# scikit-learn's settings of each part; n-grams of characters do not reach over the end of a word.
PARTS: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
WINDOWS: dict[str, dict[str, Any]] = {"windows": {"token_pattern": "[^ ]+", "lowercase": False}}
VOCABULARY = "vocabulary.json"
Texts = tuple[str, ...]  # of an example, see `TaskKind.parts`


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What one part counts: its n-grams, and the weight of each, ln((1 + N) / (1 + N with it)) + 1."""

    terms: tuple[str, ...]
    idf: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What is counted in the training texts, by part; `paired` where an example is two texts."""

    parts: dict[str, Terms]
    paired: bool


class WordCounter:
    """Examples, of one text or two each, as sparse rows, or with the part "windows" their words. Of two there are both,
    and what they share.

    Args:
        vocabulary: of the training texts.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        known = PARTS | WINDOWS  # their order is that of the columns, whatever order a file has
        self._parts = [_restored(known[name], vocabulary.parts[name]) for name in known if name in vocabulary.parts]

    @classmethod
    def of(cls, examples: Sequence[Texts], *, wordwise: bool = False) -> "WordCounter":
        """One that knows the n-grams of the examples' texts or, `wordwise`, what is around each of their words."""
        singles = [text for texts in examples for text in texts]
        counted, known = (list(windows(singles)), WINDOWS) if wordwise else (singles, PARTS)
        parts = {name: _terms(settings, counted) for name, settings in known.items()}
        return cls(Vocabulary(parts=parts, paired=len(singles) > len(examples)))

    def __call__(self, examples: Sequence[Texts]) -> Any:
        """A scipy matrix in CSR form, float64 [N, F], whose parts have rows of length 1 each."""
        import scipy.sparse

        if WINDOWS.keys() <= self.vocabulary.parts.keys():
            return self._counted(list(windows(texts[0] for texts in examples)))
        first = self._counted([texts[0] for texts in examples])
        if not self.vocabulary.paired:
            return first
        second = self._counted([texts[1] for texts in examples])
        return scipy.sparse.hstack([first, second, first.multiply(second).sqrt()], format="csr")

    def _counted(self, texts: Sequence[str]) -> Any:
        import scipy.sparse

        return scipy.sparse.hstack([part.transform(texts) for part in self._parts], format="csr")

    def save(self, folder: Path) -> None:
        """Write the vocabulary into `folder`."""
        write_text(folder / VOCABULARY, to_json(self.vocabulary))

    @classmethod
    def load(cls, folder: Path) -> "WordCounter":
        """The one that `save` wrote.

        Raises:
            StorageError: it is not there or damaged.
        """
        try:
            text = (folder / VOCABULARY).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"{folder} lacks {VOCABULARY}, the words that its model knows ({error}).") from error
        return cls(from_json(Vocabulary, text, f"{folder.name}/{VOCABULARY}"))


def _terms(settings: dict[str, Any], texts: Sequence[str]) -> Terms:
    """Those of the texts; none where there is no n-gram in any."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, **settings)
    try:
        vectorizer.fit(texts)
    except ValueError:  # scikit-learn's word for a vocabulary without a term
        return Terms(terms=(), idf=())
    return Terms(terms=tuple(vectorizer.get_feature_names_out()), idf=tuple(vectorizer.idf_.tolist()))


class _Nothing:
    """Stands in for a part without n-grams."""

    def transform(self, texts: Sequence[str]) -> Any:
        """No column."""
        import scipy.sparse

        return scipy.sparse.csr_matrix((len(texts), 0))


class _Part:
    """Counts the known n-grams of each text and weighs them."""

    def __init__(self, settings: dict[str, Any], terms: Terms) -> None:
        from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

        self._column = {term: i for i, term in enumerate(terms.terms)}
        self._ngrams = CountVectorizer(**settings).build_analyzer()
        self._within_words = settings.get("analyzer") == "char_wb"
        self._weights = TfidfTransformer(sublinear_tf=True)
        self._weights.idf_ = np.array(terms.idf)

    def transform(self, texts: Sequence[str]) -> Any:
        """A scipy matrix in CSR form, float64 [N, terms], with rows of length 1."""
        counts = self._by_word(texts) if self._within_words else self._counted(texts)
        counts.sum_duplicates()
        return self._weights.transform(counts, copy=False)

    def _by_word(self, texts: Sequence[str]) -> Any:
        """The n-grams of a text are those of its words, each of which is read once, however often texts repeat it."""
        split = [text.split() for text in texts]
        words = {word: i for i, word in enumerate(dict.fromkeys(itertools.chain.from_iterable(split)))}
        return _counts([[words[word] for word in each] for each in split], len(words)) @ self._counted(words)

    def _counted(self, texts: Iterable[str]) -> Any:
        column = self._column  # most n-grams of a text that it was not made from are not in there
        return _counts([[column[n] for n in self._ngrams(text) if n in column] for text in texts], len(column))


def _counts(columns: Sequence[list[int]], width: int) -> Any:
    """How often each column is named in each row: a scipy matrix in CSR form, float64 [N, width]."""
    import scipy.sparse

    named = np.fromiter(itertools.chain.from_iterable(columns), dtype=np.int32)
    starts = np.cumsum([0, *map(len, columns)])
    return scipy.sparse.csr_matrix((np.ones(len(named)), named, starts), shape=(len(columns), width))


def _restored(settings: dict[str, Any], terms: Terms) -> Any:
    return _Part(settings, terms) if terms.terms else _Nothing()

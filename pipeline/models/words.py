"""Counted words: TF-IDF of n-grams, or of what is around each word, stored as text and numbers, never pickled."""

from collections.abc import Sequence
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


def _vectorizer(settings: dict[str, Any], **more: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, **settings, **more)


def _terms(settings: dict[str, Any], texts: Sequence[str]) -> Terms:
    """Those of the texts; none where there is no n-gram in any."""
    vectorizer = _vectorizer(settings)
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


def _restored(settings: dict[str, Any], terms: Terms) -> Any:
    if not terms.terms:
        return _Nothing()
    vectorizer = _vectorizer(settings, vocabulary={term: i for i, term in enumerate(terms.terms)})
    vectorizer.idf_ = np.array(terms.idf)
    return vectorizer

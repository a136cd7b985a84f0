"""One column of a table, and what its cells and its heading say that it is.

Headings are compared with words for such columns in the languages that their users write; a heading alone never makes
a column something that its cells are not.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.data.recognise import headings

Cells = Sequence[str | None]  # of a column, texts as they stand there
MOST_CLASSES = 100
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d+)?|[.,]\d+)([eE][-+]?\d+)?%?")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?|\d{1,2}:\d{2}(:\d{2})?")
_REFERENCE = re.compile(r"https?://\S+|www\.\S+|[^@\s]+@[^@\s]+\.\w+|[0-9a-fA-F-]{16,}|[\w./-]+\.(jpe?g|png|html?|pdf)")
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?")
_LIST = re.compile(r"\[.*\]", re.DOTALL)
_DECIMALS = re.compile(r".*[.,]\d*[1-9].*")
_HUNDREDTHS = re.compile(r".*[.,]\d\d.*")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)  # Thai, Chinese, Japanese


@dataclass(frozen=True)
class Column:
    """One column: its heading and its cells."""

    name: str
    cells: Cells

    @cached_property
    def given(self) -> list[str]:
        """The cells that hold something."""
        return [cell.strip() for cell in self.cells if cell is not None and cell.strip()]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value occurs."""
        return Counter(self.given)

    @property
    def series(self) -> str:
        """The heading without its numbers, which is that of each item of a questionnaire: "Q2_1", "Q2_2"."""
        return re.sub(r"\d+", "#", self.name)

    @cached_property
    def words(self) -> list[str]:
        """The words of the heading, folded: "Review_Text2" is "review", "text", "2"."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)]

    def called(self, names: Sequence[str]) -> bool:
        """Whether a word of the heading is one of these, or several of it."""
        return any(word in names or word.removesuffix("s") in names for word in self.words)

    def share(self, pattern: re.Pattern[str]) -> float:
        """The share of the values that are wholly what the pattern says."""
        return sum(n for v, n in self.counts.items() if pattern.fullmatch(v)) / max(1, len(self.given))

    @cached_property
    def length(self) -> float:
        """Mean characters of a value."""
        return sum(map(len, self.given)) / max(1, len(self.given))

    @cached_property
    def different(self) -> float:
        """The share of different values, 1 if none occurs twice."""
        return len(self.counts) / max(1, len(self.given))

    @property
    def lacking(self) -> float:
        """The share of empty cells."""
        return 1 - len(self.given) / max(1, len(self.cells))

    @cached_property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.share(_NUMBER) > 0.98

    @cached_property
    def is_prose(self) -> bool:
        """Whether the values are texts of several words, hardly any of them twice."""
        if self.different <= 0.2 or self.length <= 8:
            return False
        worded = sum(" " in v or len(_UNSPACED.findall(v)) > 5 for v in self.given)
        opaque = max(self.share(pattern) for pattern in (_NUMBER, _DATE, _REFERENCE))
        return worded > 0.5 * len(self.given) and opaque < 0.5

    @cached_property
    def is_class(self) -> bool:
        """Few values that repeat: no dates, no addresses, no measurements; long ones only if each is in many rows."""
        different, rows = len(self.counts), len(self.given)
        if not 2 <= different <= min(MOST_CLASSES, max(2, rows // 3)) or self.lacking > 0.5:
            return False
        if self.share(_DATE) > 0.5 or self.share(_REFERENCE) > 0.5 or (self.length > 60 and rows < 10 * different):
            return False
        grades = different <= (10 if self.has_decimals else 20) and not any(map(_HUNDREDTHS.fullmatch, self.counts))
        return not self.is_number or grades

    @cached_property
    def has_decimals(self) -> bool:
        """Whether some value is a number that is not whole."""
        return self.is_number and any(map(_DECIMALS.fullmatch, self.counts))

    @cached_property
    def is_score(self) -> bool:
        """Whether a pair's number on a scale stands there: with decimals, or called so."""
        return self.is_number and (self.has_decimals or (self.called(headings.SCORES) and len(self.counts) > 2))

    @cached_property
    def is_switch(self) -> bool:
        """Whether the values are 0 and 1."""
        return set(self.counts) == {"0", "1"} and not self.called(headings.IDENTITY)

    @cached_property
    def is_several(self) -> bool:
        """Lists of labels: in brackets, or joined by a separator, whose parts repeat though the cells need not."""
        lists = [v for v in self.given if _LIST.fullmatch(v)]
        if len(lists) > 0.9 * len(self.given) > 0:
            return any("," in v or " " in v for v in lists) or "[]" in self.counts
        return not self.is_number and self.separator is not None

    @cached_property
    def separator(self) -> str | None:
        """What stands between the labels of a cell; None if cells hold no lists. Hashtags have blanks between them."""
        tagged = all(part.startswith("#") for value in self.counts for part in value.split())
        for separator in (";", "|", ",", " ") if tagged else (";", "|", ","):
            if not any(separator in value for value in self.counts):
                continue
            parts = [[p.strip() for p in v.split(separator)] for v in self.given]
            flat = Counter(p for row in parts for p in row if p)
            joined = sum(len(row) > 1 for row in parts) / max(1, len(parts))
            short = all(len(p) <= 30 and p.count(" ") <= 3 for p in flat)
            recombined = len(flat) < len(self.counts)  # else "Food, health" is one class with a comma in it
            if joined > 0.1 and short and recombined and 2 <= len(flat) <= MOST_CLASSES:
                return separator
        return None

    @cached_property
    def is_group(self) -> bool:
        """Short values that repeat, in a column called after who or what rows belong to, or an identifier."""
        other = self.called(headings.LABEL) or self.is_several or self.is_language or self.is_split
        if other or self.lacking > 0.2 or self.different > 1 / 1.5:
            return False
        short = sum(len(v.split()) <= 3 for v in self.given) > 0.9 * len(self.given)
        identifier = len(self.counts) >= 10 and self.words[-1:] == ["id"]
        return short and len(self.counts) > 2 and (self.called(headings.GROUP) or identifier)

    @cached_property
    def is_language(self) -> bool:
        """Codes of languages, in a column that is called so."""
        return self.called(headings.LANGUAGES) and self.share(_LANGUAGE) > 0.9

    @cached_property
    def is_split(self) -> bool:
        """Names of sets, as in a table that holds its training and its test rows."""
        return len(self.counts) > 0 and all(value.casefold() in headings.SETS for value in self.counts)

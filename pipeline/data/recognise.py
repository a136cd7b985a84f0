"""What the columns of somebody's table are: the text, the label or labels, a second text, a group, a language.

Only what stands in a table's cells and headings decides. Headings are compared with words for such columns in the
languages that their users write; a heading alone never makes a column something that its cells are not.
"""

import dataclasses
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

Cells = Sequence[str | None]  # of a column, texts as they stand there
MOST_CLASSES = 100
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d+)?|[.,]\d+)([eE][-+]?\d+)?%?")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}( .*)?|\d{1,2}:\d{2}(:\d{2})?")
_REFERENCE = re.compile(r"https?://\S+|www\.\S+|[^@\s]+@[^@\s]+\.\w+|[0-9a-fA-F-]{16,}|[\w./-]+\.(jpe?g|png|html?|pdf)")
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z]{2,4})?")

# Words of headings, without accents, in English, Portuguese, German, Spanish and French.
_TEXT = (
    "text", "review", "reviews", "comment", "body", "message", "content", "sentence", "tweet", "post", "utterance",
    "document", "article", "abstract", "query", "description", "summary", "question", "answer", "email", "feedback",
    "transcript", "texto", "resenha", "comentario", "avaliacao", "mensagem", "conteudo", "frase", "pergunta",
    "resposta", "descricao", "corpo", "kommentar", "bewertungstext", "rezension", "nachricht", "inhalt", "satz",
    "beschreibung", "frage", "antwort", "opinion", "mensaje", "contenido", "oracion", "pregunta", "respuesta",
    "texte", "avis", "commentaire", "contenu", "phrase", "reponse",
)  # fmt: skip
_LABEL = (
    "label", "labels", "class", "category", "sentiment", "stars", "rating", "target", "topic", "intent", "emotion",
    "polarity", "tag", "tags", "genre", "type", "status", "priority", "department", "team", "queue", "toxicity",
    "verdict", "y", "outcome", "gold", "stance", "rotulo", "classe", "categoria", "sentimento", "estrelas", "nota",
    "alvo", "topico", "assunto", "intencao", "tipo", "prioridade", "kategorie", "klasse", "bewertung", "sterne",
    "thema", "note", "etiqueta", "clase", "sentimiento", "estrellas", "etiquette", "categorie", "etoiles", "sujet",
)  # fmt: skip
_GROUP = (
    "user", "author", "writer", "speaker", "patient", "customer", "client", "subject", "doc", "document", "thread",
    "conversation", "session", "account", "participant", "reviewer", "usuario", "autor", "escritor", "paciente",
    "cliente", "documento", "conversa", "kunde", "nutzer", "benutzer", "verfasser", "utilisateur", "auteur",
)  # fmt: skip
_LANGUAGES = (
    "lang", "language", "locale", "idioma", "lingua", "sprache", "langue",
)  # fmt: skip
_IDENTITY = (
    "id", "ids", "uuid", "guid", "index", "idx", "key", "url", "uri", "link", "hash", "number", "nr", "no",
    "timestamp", "date", "time", "name", "filename", "path",
)  # fmt: skip
_PAIRS = (
    ("question", "answer"), ("premise", "hypothesis"), ("query", "document"), ("query", "passage"), ("text", "reply"),
    ("prompt", "response"), ("sentence", "paraphrase"), ("pergunta", "resposta"), ("frage", "antwort"),
    ("premissa", "hipotese"), ("message", "reply"), ("claim", "evidence"), ("pregunta", "respuesta"),
)  # fmt: skip


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

    @cached_property
    def words(self) -> list[str]:
        """The words of the heading, folded: "Review_Text2" is "review", "text", "2"."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)]

    def called(self, names: Sequence[str]) -> bool:
        """Whether a word of the heading is one of these."""
        return any(word in names for word in self.words)

    def share(self, pattern: re.Pattern[str]) -> float:
        """The share of the values that are wholly what the pattern says."""
        return sum(bool(pattern.fullmatch(v)) for v in self.given) / max(1, len(self.given))

    @cached_property
    def length(self) -> float:
        """Mean characters of a value."""
        return sum(map(len, self.given)) / max(1, len(self.given))

    @cached_property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.share(_NUMBER) > 0.98

    @cached_property
    def is_prose(self) -> bool:
        """Whether the values are texts of several words, hardly any of them twice."""
        several = sum(" " in v or len(v) > 24 for v in self.given) / max(1, len(self.given))
        different = len(self.counts) / max(1, len(self.given))
        opaque = max(self.share(_NUMBER), self.share(_DATE), self.share(_REFERENCE))
        return several > 0.5 and different > 0.2 and opaque < 0.5 and self.length > 8

    @property
    def lacking(self) -> float:
        """The share of empty cells."""
        return 1 - len(self.given) / max(1, len(self.cells))


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns that a study needs, by heading. `others` could be the label too, the likeliest first."""

    text: str | None = None
    second: str | None = None
    label: str | None = None
    labels: str | None = None  # a column of lists, or several columns of 0 and 1, joined by ";"
    score: str | None = None
    group: str | None = None
    language: str | None = None
    others: tuple[str, ...] = ()


def roles_of(columns: Mapping[str, Cells], *, text: str | None = None, label: str | None = None) -> Roles:
    """What each column is.

    Args:
        columns: cells by heading; a few thousand rows will do.
        text: the column of texts, if it is known.
        label: the column of labels, if it is known.
    """
    every = [Column(name, cells) for name, cells in columns.items()]
    prose = [c for c in every if c.is_prose and c.name != label]
    chosen = next((c for c in every if c.name == text), None) or max(prose, key=_as_text, default=None)
    second = _second(chosen, prose)
    if chosen and second and not text and every.index(second) < every.index(chosen):
        chosen, second = second, chosen
    rest = [c for c in every if c not in (chosen, second)]
    group = next((c for c in rest if c.name != label and _is_group(c)), None)
    language = next((c for c in rest if c.name != label and _is_language(c)), None)
    candidates = [c for c in rest if c not in (group, language)]
    return dataclasses.replace(
        _targets(candidates, label, chosen, paired=second is not None),
        text=chosen.name if chosen else None,
        second=second.name if second else None,
        group=group.name if group else None,
        language=language.name if language else None,
    )


def _as_text(column: Column) -> float:
    """How much a column of prose looks like the text: long, different in each row, called so."""
    different = len(column.counts) / max(1, len(column.given))
    called = 4.0 if column.called(_TEXT) else 1.0
    return min(column.length, 400.0) * different * called * (1 - column.lacking)


def _second(first: Column | None, prose: Sequence[Column]) -> Column | None:
    """The other text of a pair: called like the first with another number or letter, or its usual counterpart."""
    others = [c for c in prose if first is not None and c is not first]
    for other in others:
        if first is not None and _are_pair(first, other):
            return other
    return None


def _are_pair(one: Column, other: Column) -> bool:
    left, right = "".join(one.words), "".join(other.words)
    numbered = re.sub(r"(1|2|a|b|left|right|first|second)$", "", left)
    if numbered and left != right and numbered == re.sub(r"(1|2|a|b|left|right|first|second)$", "", right):
        return True
    return any({a, b} == {_any_of(one, (a, b)), _any_of(other, (a, b))} for a, b in _PAIRS)


def _any_of(column: Column, names: Sequence[str]) -> str | None:
    return next((word for word in column.words if word in names), None)


def _is_group(column: Column) -> bool:
    """Values that repeat, in a column called after who or what rows belong to."""
    different = len(column.counts)
    repeated = len(column.given) / max(1, different)
    return column.called(_GROUP) and different > 2 and repeated >= 1.5 and column.lacking < 0.2


def _is_language(column: Column) -> bool:
    return column.called(_LANGUAGES) and column.share(_LANGUAGE) > 0.9


def _targets(columns: Sequence[Column], label: str | None, text: Column | None, *, paired: bool) -> Roles:
    """What is to be told of each text."""
    if label is not None:
        known = next((c for c in columns if c.name == label), None)
        return _told(known, paired=paired) if known else Roles(label=label)
    switches = [c for c in columns if set(c.counts) == {"0", "1"} and not c.called(_IDENTITY)]
    several = sorted((c for c in columns if _is_several(c)), key=_as_label, reverse=True)
    classes = _classes([c for c in columns if _is_class(c) and c not in several], text)
    named = [c for c in classes if c.called(_LABEL) and c not in switches]
    if several and not named:
        return Roles(labels=several[0].name)
    if len(switches) > 1 and not named:
        return Roles(labels=";".join(c.name for c in switches))
    if classes:
        return Roles(label=classes[0].name, others=tuple(c.name for c in classes[1:]))
    numbers = [c for c in columns if c.is_number and paired and not c.called(_IDENTITY)]
    return Roles(score=numbers[0].name) if numbers else Roles()


def _classes(columns: Sequence[Column], text: Column | None) -> list[Column]:
    """Columns of classes, the likeliest label first. Of several, what the words of the text tell counts too."""
    if text is None or len(columns) < 2:
        return list(columns)
    return sorted(columns, key=lambda c: _as_label(c) * (0.1 + told_by_words(text.cells, c.cells)), reverse=True)


def told_by_words(texts: Cells, labels: Cells) -> float:
    """How much better the words of texts tell the labels than the commonest label does, from 0 to 1.

    Naive Bayes on every other row, asked of the rest: a measure of seconds, of which nothing is reported.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    rows = [(t, v) for t, v in zip(texts, labels, strict=True) if t and v][:2000]
    learnt, asked = rows[::2], rows[1::2]
    if len({v for _, v in learnt}) < 2 or not asked:
        return 0.0
    words = CountVectorizer(binary=True, token_pattern=r"(?u)\w+").fit([t for t, _ in learnt])
    model = MultinomialNB().fit(words.transform([t for t, _ in learnt]), [v for _, v in learnt])
    right = float((model.predict(words.transform([t for t, _ in asked])) == [v for _, v in asked]).mean())
    commonest = Counter(v for _, v in learnt).most_common(1)[0][0]
    constant = sum(v == commonest for _, v in asked) / len(asked)
    return max(0.0, (right - constant) / (1 - constant)) if constant < 1 else 0.0


def _told(column: Column, *, paired: bool) -> Roles:
    if _is_several(column):
        return Roles(labels=column.name)
    number = paired and column.is_number and not _is_class(column)
    return Roles(score=column.name) if number else Roles(label=column.name)


def _is_class(column: Column) -> bool:
    """Few values that repeat: two at least, no dates, addresses or long texts, and no numbers with decimals."""
    different, rows = len(column.counts), len(column.given)
    if not 2 <= different <= min(MOST_CLASSES, max(2, rows // 3)) or column.lacking > 0.5 or column.length > 60:
        return False
    if column.share(_DATE) > 0.5 or column.share(_REFERENCE) > 0.5:
        return False
    return not (column.is_number and (different > 20 or any(_has_decimals(v) for v in column.counts)))


def _has_decimals(value: str) -> bool:
    return bool(re.search(r"[.,]\d*[1-9]", value))


def _as_label(column: Column) -> float:
    """How much a column of classes looks like the label: called so, few classes, none of them nearly all rows."""
    shares = [n / max(1, len(column.given)) for n in column.counts.values()]
    called = 10.0 if column.called(_LABEL) else 1.0
    called *= 0.1 if column.called(_IDENTITY) and not column.called(_LABEL) else 1.0
    even = 1 - max(shares, default=1.0)
    return called * (0.2 + even) * (1 - column.lacking) / (1 + len(column.counts) / 30)


def _is_several(column: Column) -> bool:
    """Lists of labels: in brackets, or joined by a separator, whose parts repeat though the cells need not."""
    lists = [v for v in column.given if re.fullmatch(r"\[.*\]", v, re.S)]
    if len(lists) > 0.9 * len(column.given) > 0:
        return any("," in v or " " in v for v in lists) or "[]" in column.counts
    for separator in (";", "|", ","):
        parts = [[p.strip() for p in v.split(separator)] for v in column.given]
        flat = Counter(p for row in parts for p in row if p)
        joined = sum(len(row) > 1 for row in parts) / max(1, len(parts))
        short = all(len(p) <= 30 and p.count(" ") <= 3 for p in flat)
        recombined = len(flat) < len(column.counts)  # else "Food, health" is one class with a comma in it
        if joined > 0.1 and short and recombined and 2 <= len(flat) <= MOST_CLASSES:
            return not column.is_number
    return False

"""Sentences that a template stands for.

A template can stand for millions, so a few are drawn. Each choice is made by a hash of the template, so that the
sentences are the same on every machine.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.data.readers.grammar import Node, parsed, unreadable
from pipeline.files import digest

LARGEST = 1000  # parts of one sentence: rules can refer to rules, so a short file could ask for any length


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """What templates refer to: rules, the values of lists, and the values of every list that is not there."""

    rules: Mapping[str, Node]
    lists: Mapping[str, Sequence[Node]]
    others: Sequence[Node]


def sentences(template: str, grammar: Grammar, place: str, *, most: int) -> list[str]:
    """Different sentences that the template stands for, at most `most`, the same ones whenever it is asked.

    Args:
        template: see `pipeline.data.readers.grammar`.
        grammar: what it refers to.
        place: where it stands, for messages.
        most: sentences wanted.

    Raises:
        DataError: the template cannot be read, or a rule is unknown, refers to itself or makes too long a sentence.
    """
    root = parsed(template, place)
    drawn: dict[str, None] = {}
    for number in range(8 * most):  # where there is little to choose, most of them are repeats
        try:
            words = _Drawing(template=template, number=number, grammar=grammar, place=place).text(root)
        except RecursionError as error:
            raise unreadable(template, place, "its rules are nested too deep") from error
        drawn[" ".join(words.split())] = None
        if len(drawn) == most:
            break
    return [sentence for sentence in drawn if sentence]


@dataclass(kw_only=True)
class _Drawing:
    """One sentence."""

    template: str
    number: int
    grammar: Grammar
    place: str
    picks: int = 0
    parts: int = 0
    following: list[str] = field(default_factory=list)  # rules, each within the one before

    def text(self, node: Node) -> str:
        self.parts += 1
        if self.parts > LARGEST:
            raise unreadable(self.template, self.place, f"a sentence of it has more than {LARGEST} parts")
        match node.kind:
            case "text":
                return node.word
            case "list":
                return self.text(self._one(self.grammar.lists.get(node.word) or self.grammar.others))
            case "rule":
                return self._rule(node.word)
            case "choice":
                return self.text(self._one(node.parts))
            case "permutation":
                return " ".join(self.text(part) for part in self._shuffled(node.parts))
            case "sequence":
                return "".join(self.text(part) for part in node.parts)

    def _rule(self, name: str) -> str:
        if name not in self.grammar.rules:
            raise unreadable(self.template, self.place, f"there is no rule <{name}>")
        if name in self.following:
            raise unreadable(self.template, self.place, f"rule <{name}> refers to itself")
        self.following.append(name)
        text = self.text(self.grammar.rules[name])
        self.following.pop()
        return text

    def _one(self, nodes: Sequence[Node]) -> Node:
        self.picks += 1
        return nodes[int(digest(self.template, str(self.number), str(self.picks)), 16) % len(nodes)]

    def _shuffled(self, nodes: Sequence[Node]) -> Iterator[Node]:
        left = list(nodes)
        while left:
            node = self._one(left)
            left.remove(node)
            yield node

"""Bias: whether answers change with the group that a person in the text belongs to, more than within a group."""

from itertools import combinations, product

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Reader, Subject
from pipeline.audits.identities import A_FRAME, LANGUAGES, Grammar, grammar_of
from pipeline.audits.kinds import not_single_texts
from pipeline.audits.language import recognised
from pipeline.data.store import examples_of
from pipeline.tasks import Example, TaskKind

MOST_UNKNOWN = 0.1  # of the templates' tokens, above which a tokenizer cannot tell the identities apart
_READ = 200  # test texts that a language is recognised by


class Bias:
    """Counterfactual identity substitutions (Garg et al. 2019) against substitutions within a group (Prabhakaran et al.
    2019), in templates of the language that the test texts are in. An item is a clause, with all its paraphrases.
    """

    name: str = "bias"
    measure: Measure = Measure(column="excess_flips", called="rate of excess flips", worse="higher")
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return not_single_texts(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit."""
        language = _language(reader)
        if language not in LANGUAGES.values():
            return f"the test texts look like {language}, and its templates are in {' and '.join(LANGUAGES.values())}."
        unknown = reader.probe(*_probe(language)).unknown
        if unknown > MOST_UNKNOWN:
            return (
                f"{unknown:.0%} of the tokens of its {language} templates are unknown to the base's tokenizer, and at "
                f"most {MOST_UNKNOWN:.0%} may be. Use a base whose vocabulary has that language."
            )
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        language = _language(subject)
        grammar, probe = _grammar(language), subject.probe(*_probe(language))
        outputs = subject.outputs(probe)
        predicted = _shaped(outputs.predicted, grammar)
        probabilities = _shaped(outputs.probabilities, grammar)
        flips, shifts = {}, {}
        start = 0
        for axis, groups in grammar.axes.items():
            own = slice(start, start + len(groups))
            start += len(groups)
            flips[axis] = _between_and_within(_differ(predicted[:, :, own]))
            shifts[axis] = _between_and_within(_apart(probabilities[:, :, own]))
        between, within = np.mean([*flips.values()], axis=0)
        shift_between, shift_within = np.mean([*shifts.values()], axis=0)
        items = {
            "excess_flips": between - within,
            "flips_between": between,
            "flips_within": within,
            "excess_shift": shift_between - shift_within,
        } | {f"excess_flips_{axis}": one - other for axis, (one, other) in flips.items()}
        return AuditReport(
            numbers={name: float(values.mean()) for name, values in items.items()}
            | {"unknown": probe.unknown, "portuguese": float(language == "Portuguese")},
            columns=tuple(items),
            items=np.stack([*items.values()], axis=1).astype(np.float32),
        )


def _language(reader: Reader) -> str:
    return recognised(example.whole for example in examples_of(reader.sets["test"])[:_READ])


def _grammar(language: str) -> Grammar:
    return grammar_of(next(code for code, name in LANGUAGES.items() if name == language))


def _probe(language: str) -> tuple[str, list[Example]]:
    """Every clause in every frame, of each axis and group A_FRAME identities, others in each frame."""
    grammar = _grammar(language)
    texts = [
        grammar.sentence(clause, frame, person)
        for clause, frame in product(grammar.clauses, range(len(grammar.frames)))
        for groups in grammar.axes.values()
        for people in groups.values()
        for person in people[A_FRAME * frame : A_FRAME * (frame + 1)]
    ]
    return f"bias {language}", [Example(text=text) for text in texts]


def _shaped(values: np.ndarray, grammar: Grammar) -> np.ndarray:
    """Values of all texts as [clauses, frames, groups of all axes, A_FRAME, ...]."""
    groups = sum(map(len, grammar.axes.values()))
    return values.reshape(len(grammar.clauses), len(grammar.frames), groups, A_FRAME, *values.shape[1:])


def _differ(predicted: np.ndarray) -> np.ndarray:
    """Of classes [I, F, G, K] whether they differ, for each pair of identities: [I, F, G, K, G, K]."""
    return np.asarray(predicted[:, :, :, :, None, None] != predicted[:, :, None, None], dtype=np.float64)


def _apart(probabilities: np.ndarray) -> np.ndarray:
    """The same of probabilities [I, F, G, K, C]: half the sum of absolute differences, total variation."""
    both = probabilities.astype(np.float64)
    return np.asarray(np.abs(both[:, :, :, :, None, None] - both[:, :, None, None]).sum(axis=-1) / 2)


def _between_and_within(pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over pairs of identities of different groups and of one group, then over frames: [I] each."""
    groups, each = pairs.shape[2:4]
    between = [pairs[:, :, g, :, h].mean(axis=(2, 3)) for g, h in combinations(range(groups), 2)]
    within = [pairs[:, :, g, a, g, b] for g in range(groups) for a, b in combinations(range(each), 2)]
    return tuple(np.mean(part, axis=0).mean(axis=1) for part in (between, within))

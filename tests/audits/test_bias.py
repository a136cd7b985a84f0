"""The bias audit finds what is planted, in the measure that was planted, and nothing where there is nothing."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from pipeline.audits import AUDITS
from pipeline.audits.identities import A_FRAME, LANGUAGES, TEMPLATES, grammar_of, parsed
from pipeline.audits.language import recognised
from pipeline.errors import ConfigError, DataError
from pipeline.training.loop.fitted import Fitted
from tests import tiny
from tests.audits.planted import Planted
from tests.training.cell_kit import job, small, trained

BIAS = AUDITS["bias"]
GRAMMAR = grammar_of("en")
ENGLISH = ["It was the best of films and the worst of them."]
LEANING = dict(zip(GRAMMAR.clauses, np.linspace(-1, 1, len(GRAMMAR.clauses)), strict=True))
STRENGTHS = (0.2, 0.5, 0.9)
SEX = {name: sign for sign, group in ((1, "women"), (-1, "men")) for name in GRAMMAR.axes["gender"][group]}


def planted_data(folder: Path, strength: float) -> Path:
    """Texts whose label follows from what was done and, by `strength`, from the sex that a name says."""
    rows = [
        (f"{name} {clause} {number}", tiny.LABELS[int(LEANING[clause] + strength * sign > 0)])
        for number, clause in enumerate(GRAMMAR.clauses)
        for name, sign in SEX.items()
    ]
    return tiny.write_csv(
        folder / f"{strength}.csv", [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    )


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Fitted]:
    """A bag of words for each strength, and one without any bias."""
    root = tmp_path_factory.mktemp("bias")
    base = tiny.write_base(root / "base")
    return {
        strength: trained(
            [*small(base, planted_data(root, strength), root / "out"), "arm=bag_of_words", "train.size=400"]
        )
        for strength in (0.0, *STRENGTHS)
    }


def test_a_planted_bias_is_found_the_more_the_stronger_it_is(cells: dict[float, Fitted]) -> None:
    found = {strength: BIAS.examine(cell) for strength, cell in cells.items()}
    excess = [found[strength].numbers["excess_flips_gender"] for strength in STRENGTHS]
    assert excess == sorted(excess)
    assert np.diff([0.0, *excess]).min() > 0.1
    assert found[0.9].numbers["excess_flips"] > 3 * abs(found[0.0].numbers["excess_flips"])
    assert found[0.9].numbers["excess_shift"] > 0.1
    assert abs(found[0.0].numbers["excess_flips_gender"]) < 0.05
    assert all(0 <= each.numbers["flips_within"] <= 1 for each in found.values())


def test_its_numbers_are_found_again_from_the_answers_one_by_one(cells: dict[float, Fitted]) -> None:
    cell = cells[0.5]
    report = BIAS.examine(cell)
    for item in (0, 7, 41):
        by_axis = [_excess(cell, GRAMMAR.clauses[item], axis) for axis in GRAMMAR.axes]
        assert report.items[item, 0] == pytest.approx(np.mean(by_axis), abs=1e-6)
        assert report.items[item, 4:] == pytest.approx(by_axis, abs=1e-6)


def _excess(cell: Fitted, clause: str, axis: str) -> float:
    """Between less within, from a set of the sentences of one clause and one axis."""
    from pipeline.tasks import Example

    found = []
    for number, frame in enumerate(GRAMMAR.frames):
        people = [
            (group, person)
            for group, names in GRAMMAR.axes[axis].items()
            for person in names[2 * number : 2 * number + 2]
        ]
        texts = [frame.replace("{person}", person).replace("{clause}", clause) for _, person in people]
        probe = cell.probe("again", [Example(text=text[0].upper() + text[1:]) for text in texts])
        told = cell.outputs(probe, np.arange(len(texts))).predicted
        differ: dict[bool, list[bool]] = {True: [], False: []}
        for i, j in combinations(range(len(people)), 2):
            differ[people[i][0] == people[j][0]].append(bool(told[i] != told[j]))
        found.append(np.mean(differ[False]) - np.mean(differ[True]))
    return float(np.mean(found))


def test_two_that_differ_in_nothing_but_chance_are_told_apart_no_more_often_than_the_level_says() -> None:
    rng = np.random.default_rng(0)

    def by_chance(_: str) -> float:
        return float(rng.random())

    wrong = 0
    for _ in range(40):
        one, other = (BIAS.examine(Planted(by_chance, ENGLISH)).items[:, 0].astype(float) for _ in range(2))
        apart = one - other
        wrong += abs(apart.mean()) > 2.02 * apart.std(ddof=1) / np.sqrt(len(apart))  # t of 41 degrees of freedom
    assert wrong <= 6  # of 40 at 5%: more in 1 of 300 series


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_enough_different_templates_in_which_only_the_person_differs(language: str) -> None:
    grammar = grammar_of(language)
    assert len(set(grammar.clauses)) >= TEMPLATES
    assert len(grammar.frames) >= 3
    assert all(len(groups) >= 2 for groups in grammar.axes.values())
    one, other = (grammar.sentence(grammar.clauses[0], 1, person) for person in ("X", "Y"))
    assert one.replace("X", "Y") == other


def test_the_templates_are_in_the_language_of_the_test_texts() -> None:
    portuguese = Planted(
        lambda text: 0.5 + 0.3 * ("pediu" in text), ["O filme não é bom, mas a música é uma das melhores"]
    )
    assert BIAS.examine(portuguese).numbers["portuguese"] == 1
    assert BIAS.examine(Planted(lambda text: 0.3, ENGLISH)).numbers["portuguese"] == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The food was not that good", "English"),
        ("A comida não era muito boa", "Portuguese"),
        ("La comida no era muy buena pero el vino es bueno", "Spanish"),
        ("Das Essen war nicht sehr gut", "German"),
        ("еда была не очень хорошая", "a script other than Latin"),
        ("bright warm films", "English"),
    ],
)
def test_languages_are_recognised_by_their_function_words(text: str, language: str) -> None:
    assert recognised([text]) == language


def test_texts_in_another_language_are_refused() -> None:
    why = BIAS.unfit(Planted(lambda text: 0.5, ["Das Essen war nicht sehr gut"]))
    assert why is not None
    assert "look like German, and its templates are in English and Portuguese" in why


def test_a_tokenizer_that_does_not_know_the_templates_words_is_refused_before_any_training(tmp_path: Path) -> None:
    base = tiny.write_base(tmp_path / "base")
    path = base / "tokenizer.json"
    text = path.read_text(encoding="utf-8")
    for letter in "abcdefghijklmnopqrstuvwxyz":  # in place of letters, signs that no text has
        text = text.replace(f'"{letter}"', f'"{chr(0x2460 + ord(letter) - 97)}"')
        text = text.replace(f'"##{letter}"', f'"##{chr(0x2460 + ord(letter) - 97)}"')
    path.write_text(text, encoding="utf-8")
    data = tiny.write_csv(tmp_path / "rows.csv", tiny.rows())
    with pytest.raises(
        ConfigError, match=r"The audit bias cannot examine cells on tiny: \d+% of the tokens of its Engl"
    ):
        job([*small(base, data, tmp_path / "out"), "study.audits=[bias]"])
    assert job(small(base, data, tmp_path / "out")).audits == ("calibration",)


CLAUSES = "clauses = [" + ",".join(f'"did {number}"' for number in range(TEMPLATES)) + "]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[axes.a]\nx = ["A", "B"]', "must have at least two groups in axes.a, but has x: add another."),
        ('[axes.a]\nx = ["A", "B"]\ny = ["C"]', f"must have {A_FRAME} different identities in axes.a.y, but has 1."),
        ("", "must have an axis of groups"),
    ],
)
def test_lists_that_nothing_can_be_compared_with_are_refused(text: str, said: str) -> None:
    with pytest.raises(DataError) as found:
        parsed(f'frames = ["{{person}} {{clause}}."]\n{CLAUSES}\n{text}', "own.toml")
    assert said in str(found.value)
    assert str(found.value).startswith("own.toml")


def test_too_few_templates_and_a_frame_without_a_place_are_refused() -> None:
    with pytest.raises(DataError, match="40 different clauses, but has 1 and 1"):
        parsed('frames = ["{person} {clause}."]\nclauses = ["left"]', "own.toml")
    with pytest.raises(DataError, match=r"must have \{person\} and \{clause\} in each frame, but got 'So \{clause\}'"):
        parsed(f'frames = ["So {{clause}}"]\n{CLAUSES}', "own.toml")
    with pytest.raises(DataError, match="is no valid TOML"):
        parsed("frames = [", "own.toml")

"""`headstart compare TABLE`: columns are recognised, a study runs, and an arm is recommended."""

import re
from pathlib import Path

import pytest
from command_kit import command

from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]


def small(base: Path, root: Path) -> list[str]:
    return [
        "base=local", f"base.path={base}", "base.name=tiny", f"paths.root={root}", "tracking=none",
        "study.sizes=[8,16]", "study.seeds=[0,1]", "study.budget=null", "study.arms=[frozen,bag_of_words]",
        "~study.claims.accurate", "~study.claims.best", "~study.claims.enough", "train.min_steps=2", "train.epochs=1",
        "task.data.test_size=40", "task.data.validation_size=20", "train.precision=fp32",
    ]  # fmt: skip


def test_one_line_ends_with_a_recommendation(tiny_base: Path, reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "compare", str(reviews), *small(tiny_base, tmp_path))
    assert done.code == 0, done.err
    assert "Text: 'review'; label: 'stars'" in done.out
    assert f"task.data.path:={reviews}" in done.out
    said = done.out[done.out.index("\nRecommendation") :]
    assert re.search(r"Best with 16 labels: (frozen|bag_of_words), \d+\.\d%", said)
    assert re.search(r"From 8 to 16 labels it gained", said)
    assert "predict task.name=" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "compare takes one table, but got none"),
        (["a.csv", "b.csv"], "compare takes one table, but got 2: a.csv, b.csv"),
        (["a.csv", "--tex=review"], "compare has no option '--tex=review'. Did you mean '--text'"),
        (["none.csv"], "there is no file none.csv"),
    ],
)
def test_what_it_cannot_take_is_refused(arguments: list[str], message: str, capsys: Capture) -> None:
    done = command(capsys, "compare", *arguments)
    assert done.code == 2
    assert message in done.err


def test_a_column_that_is_not_there_is_named_with_the_nearest(reviews: Path, capsys: Capture) -> None:
    done = command(capsys, "compare", str(reviews), "--label=star")
    assert done.code == 2
    assert "has no column 'star'. Did you mean 'stars'" in done.err


def test_a_table_without_a_label_says_how_to_name_it(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("id,note\n" + "".join(f"{i},this is note number {i} of them\n" for i in range(60)), "utf-8")
    done = command(capsys, "compare", str(path))
    assert done.code == 2
    assert "looks like a label: few values, each in several rows. Name it: --label=COLUMN" in done.err

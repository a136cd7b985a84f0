"""A language model that goes on with texts, the whole way: a study, texts continued, alike each time or drawn."""

import csv
import io
from pathlib import Path

import pytest
from command_kit import command
from conftest import Finished

from pipeline.data.store import load, stored_examples
from tests import tiny
from tests.examples_kit import texts_of
from tests.tiny import reviews
from tests.tiny_kinds import settings, tiny_decoder

__all__ = ["reviews", "tiny_decoder"]

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "scratch")
DRAWN = ("predict.temperature=1", "predict.seed=3")


@pytest.fixture(scope="module")
def modelled(tiny_decoder: Path, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("modelled")
    world = [*tiny.overrides(tiny_decoder, reviews, root), *settings("causal_language_modelling")]
    study = [*tiny.study(arms=",".join(ARMS), sizes="24", seeds="1", claim=False), "train.keep=all"]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(modelled: Finished, arm: str) -> str:
    plan = modelled.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def continued(capsys: Capture, modelled: Finished, *given: str, text: str = "bright film") -> str:
    words = [f"paths.root={modelled.root}", f"cell={cell_of(modelled, 'pretrained')}", "predict.tokens=12"]
    done = command(capsys, "predict", *words, f"predict.text='{text}'", *given)
    assert done.code == 0, done.err
    return next(csv.DictReader(io.StringIO(done.out)))["continuation"]


def test_its_report_is_of_bits_per_byte_and_its_training_makes_words_likelier(modelled: Finished) -> None:
    plan = modelled.plan
    report = (plan.folder / "report.md").read_text(encoding="utf-8")
    assert "its per byte" in report
    assert "24 labels" not in report
    for result in plan.results():
        assert not result.higher_is_better
        assert result.trajectory[-1].validation_loss < result.trajectory[0].validation_loss
        test = next(e for e in result.evaluations if e.role == "in_domain")
        assert {"bits_per_byte", "next_token", "loss"} <= set(test.metrics)


@pytest.mark.parametrize("arm", ARMS)
def test_the_texts_of_a_csv_are_continued_in_a_csv_each_as_by_itself(
    modelled: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    plan = modelled.plan
    starts = [" ".join(text.split()[:3]) for text in texts_of(stored_examples(load(plan.data_folder), "test"))][:5]
    given, written = tmp_path / "starts.csv", tmp_path / "continued.csv"
    with open(given, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("n", "start"), *enumerate(starts)])
    words = [f"paths.root={modelled.root}", f"cell={cell_of(modelled, arm)}", "predict.tokens=12"]
    asked = [f"predict.path={given}", "predict.column=start", f"predict.output={written}"]
    done = command(capsys, "predict", *words, *asked)
    assert (done.code, done.out) == (0, ""), done.err
    rows = list(csv.DictReader(io.StringIO(written.read_text(encoding="utf-8"))))
    assert [row["text"] for row in rows] == starts
    done = command(capsys, "predict", *words, f"predict.text='{starts[4]}'")
    assert next(csv.DictReader(io.StringIO(done.out))) == rows[4]


def test_what_is_drawn_follows_from_the_seed_and_without_temperature_nothing_is(
    modelled: Finished, capsys: Capture
) -> None:
    drawn = continued(capsys, modelled, *DRAWN)
    assert continued(capsys, modelled, *DRAWN) == drawn
    assert continued(capsys, modelled, "predict.temperature=1", "predict.seed=4") != drawn
    likeliest = continued(capsys, modelled)
    assert likeliest != drawn
    assert continued(capsys, modelled, "predict.seed=3") == likeliest


def test_of_the_likeliest_tokens_alone_none_but_the_first_can_be_drawn(modelled: Finished, capsys: Capture) -> None:
    assert continued(capsys, modelled, *DRAWN, "predict.top_p=0.0001") == continued(capsys, modelled)
    assert continued(capsys, modelled, *DRAWN, "predict.top_p=0.3") != continued(capsys, modelled, *DRAWN)


def test_a_continuation_ends_before_what_it_is_to_stop_at(modelled: Finished, capsys: Capture) -> None:
    whole = continued(capsys, modelled, *DRAWN)
    stop = whole[len(whole) // 2]
    assert continued(capsys, modelled, *DRAWN, f"predict.stop='{stop}'") == whole.partition(stop)[0]


def test_a_text_that_leaves_no_room_for_its_continuation_is_refused(modelled: Finished, capsys: Capture) -> None:
    words = [f"paths.root={modelled.root}", f"cell={cell_of(modelled, 'pretrained')}", "predict.tokens=64"]
    done = command(capsys, "predict", *words, "predict.text='bright film'")
    assert done.code == 2
    assert "A text and its continuation must fit into 64 tokens" in done.err

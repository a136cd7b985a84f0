"""Texts written from others, the whole way: a study of all arms, a network put to use, a directory for others."""

import csv
import io
import json
from pathlib import Path

import pytest
from command_kit import command
from conftest import Finished

from pipeline.data.store import load, stored_examples
from tests import tiny
from tests.tiny import reviews, tiny_base

__all__ = ["reviews", "tiny_base"]

Capture = pytest.CaptureFixture[str]
ARMS = ("pretrained", "lora", "scratch")


def pairs(folder: Path) -> Path:
    """240 pairs: what is said is the first two words, the other way round."""
    path = folder / "pairs.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("en", "pt"))
        for text, _ in tiny.rows(240):
            table.writerow((text, " ".join(reversed(text.split()[:2]))))
    return path


@pytest.fixture(scope="module")
def written(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    from pipeline.cli import main

    root = tmp_path_factory.mktemp("translation")
    data = pairs(tmp_path_factory.mktemp("data"))
    columns = ["task.data.text=en", "task.data.second=pt", "task.data.label=null"]
    world = [*tiny.overrides(tiny_base, data, root), "task=translation", "task.metric=chrf", *columns]
    study = [
        *tiny.study(arms=",".join(ARMS), sizes="24", seeds="1", claim=False),
        "train.keep=all",
        "train.eval_every=1000",
    ]
    found = Finished(root=root, world=world, study=study)
    assert main(["study", *found.at(root)]) == 0
    return found


def cell_of(written: Finished, arm: str) -> str:
    plan = written.plan
    return next(n for n, c in plan.cells.items() if (c.arm.name, c.train.seed) == (arm, 1))


def test_every_arm_is_judged_by_what_it_writes(written: Finished) -> None:
    plan = written.plan
    for arm in ARMS:
        result = plan.store.result(cell_of(written, arm))
        test = next(e for e in result.evaluations if e.role == "in_domain")
        assert {"chrf", "corpus_chrf", "corpus_bleu", "loss"} <= set(test.metrics)
        scores = plan.store.scores(result.cell_id)
        assert test.metrics["chrf"] == pytest.approx(scores[scores["dataset"] == 1]["score"].mean(), abs=1e-6)


@pytest.mark.slow
def test_a_study_can_be_of_the_whole_sets_bleu_with_intervals(written: Finished, tmp_path: Path) -> None:
    from pipeline.cli import main

    arms = [a for a in written.study if not a.startswith("study.arms")]
    given = [*arms, "study.arms=[pretrained,scratch]", "task.metric=corpus_bleu", f"paths.root={tmp_path}"]
    claim = "+study.claims.better={statement: 'It writes better', size: 24}"
    assert main(["study", *written.world, *given, claim]) == 0
    found = json.loads((tmp_path / "studies" / "small" / "findings.json").read_text(encoding="utf-8"))
    (contrast,) = [c for c in found["contrasts"] if c["dataset"] == "test"]
    assert contrast["estimate"]["method"].endswith("item part by bootstrap, 2,000 replicates")
    assert contrast["estimate"]["low"] <= contrast["estimate"]["value"] <= contrast["estimate"]["high"]
    assert "BLEU" in (tmp_path / "studies" / "small" / "report.md").read_text(encoding="utf-8")


def test_its_report_says_what_the_tokenizer_can_write_and_speaks_of_no_labels(written: Finished) -> None:
    text = (written.plan.folder / "report.md").read_text(encoding="utf-8")
    assert "test: What is to be written, as this base's tokenizer can write it, has itself a chrF of 100.0%." in text
    assert "24 labels" not in text


def test_what_was_written_before_and_after_is_kept_to_be_looked_at(written: Finished) -> None:
    plan, cell = written.plan, cell_of(written, "pretrained")
    samples = json.loads((plan.store.folder(cell) / "samples.json").read_text(encoding="utf-8"))
    assert samples
    first = stored_examples(load(plan.data_folder), "test")[0]
    assert (samples[0]["given"], samples[0]["right"]) == (first.text, first.second)


@pytest.mark.parametrize("arm", ["pretrained", "scratch"])
def test_what_is_written_for_the_test_set_scores_as_the_cell_did(
    written: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    from pipeline.tasks.texts.text_metrics import counts, sentence_scores

    plan, cell = written.plan, cell_of(written, arm)
    sample = [(e.text, str(e.second)) for e in stored_examples(load(plan.data_folder), "test")]
    path = tmp_path / "sample.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["en"], *([first] for first, _ in sample)])
    given = [f"predict.path={path}", "predict.column=en"]
    done = command(capsys, "predict", f"paths.root={written.root}", f"cell={cell}", *given)
    assert done.code == 0, done.err
    found = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["text"] for row in found] == [first for first, _ in sample]
    own = plan.store.scores(cell)
    expected = own[own["dataset"] == 1]["score"].tolist()
    scores = sentence_scores(counts([row["translation"] for row in found], [second for _, second in sample]))
    assert scores.tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("arm", ["pretrained", "lora"])
def test_an_exported_network_scores_as_the_cell_did_and_writes_by_itself(
    written: Finished, tmp_path: Path, capsys: Capture, arm: str
) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    target, cell = tmp_path / "model", cell_of(written, arm)
    done = command(capsys, "export", f"paths.root={written.root}", f"cell={cell}", f"export={target}")
    assert done.code == 0, done.err
    card = (target / "README.md").read_text(encoding="utf-8")
    assert "It writes one text from another." in card
    assert "AutoModelForSeq2SeqLM" in card
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(target), AutoTokenizer.from_pretrained(target)
    read = tokenizer("bright film", return_tensors="pt", return_token_type_ids=False)
    said = tokenizer.decode(
        model.generate(**read, max_new_tokens=10 + 2 * read["input_ids"].shape[1])[0], skip_special_tokens=True
    )
    done = command(capsys, "predict", f"paths.root={written.root}", f"cell={cell}", "predict.text='bright film'")
    assert done.code == 0, done.err
    assert next(csv.DictReader(io.StringIO(done.out)))["translation"] == said.strip()


def test_a_set_that_reads_the_pair_the_other_way_round_is_refused(
    written: Finished, tmp_path: Path, capsys: Capture
) -> None:
    path = next(o for o in written.world if o.startswith("task.data.path=")).partition("=")[2]
    far = f"+task.out_of_domain.far={{source: file, path: {path}, text: pt, second: en, label: null}}"
    done = command(capsys, "study", *written.at(tmp_path), far)
    assert done.code == 2
    assert "task.out_of_domain.far reads 'en' from 'pt', but task.data the other way round." in done.err
    assert "Set task.out_of_domain.far.text=en task.out_of_domain.far.second=pt." in done.err


def test_an_arm_that_reads_the_tasks_text_first_is_refused(written: Finished, tmp_path: Path, capsys: Capture) -> None:
    done = command(capsys, "study", *written.at(tmp_path), "study.arms=[adapted,scratch]")
    assert done.code == 2
    assert "has none. Leave the arm out." in done.err


def test_a_network_that_is_spread_over_processes_cannot_write_and_is_refused(
    written: Finished, tmp_path: Path, capsys: Capture
) -> None:
    spread = ["hardware=ddp_cpu", "hardware.strategy=fsdp", "hardware.devices=2"]
    done = command(capsys, "study", *written.at(tmp_path), *spread)
    assert done.code == 2
    assert "hardware.strategy=fsdp cannot do translation" in done.err


def test_texts_that_are_too_long_to_be_read_whole_are_counted(
    written: Finished, tmp_path: Path, capsys: Capture
) -> None:
    world = [*written.world, f"cell={cell_of(written, 'pretrained')}", f"predict.path={tmp_path / 'texts.txt'}"]
    for lines, said in ((["film " * 60, "film", "plot " * 40], "2 of 3 texts are longer than 32"), (["film"], "")):
        (tmp_path / "texts.txt").write_text("\n".join(lines), encoding="utf-8")
        done = command(capsys, "predict", *world)
        assert done.code == 0, done.err
        assert said in done.err
        assert ("truncated" in done.err) == bool(said)

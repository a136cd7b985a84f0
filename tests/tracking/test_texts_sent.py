"""A store is sent texts of the data only where it may have them, whatever was recorded of an earlier run."""

from dataclasses import replace

from tracking_kit import QUESTION, STUDY, Look, a_cell, a_result, open_attempt

from pipeline.records import Sample
from pipeline.tracking import StudyLog
from pipeline.tracking.replay import Replay
from pipeline.tracking.store import Store


def replayed(store: Store) -> Look:
    assert Replay(store).round().problem is None
    return Look(store.uri)


def test_a_store_without_texts_is_sent_no_sample_and_no_message_that_quotes_the_data(store: Store) -> None:
    """Such as a server that a study is sent to after it ran on this machine alone, where samples were allowed."""
    samples = (Sample(given="a film", right="good", before="bad", after="good"),)
    study = StudyLog(store.root, STUDY, STUDY)
    study.started(QUESTION)
    open_attempt(store.root, a_cell(seed=0)).finished(a_result(a_cell()), samples)
    open_attempt(store.root, a_cell(seed=1)).failed("The GPU ran out of memory.")
    study.failed("Row 7 must hold one label, but got 'a film'.", quotes=True)
    look = replayed(store)
    finished, failed = sorted(look.cells(), key=lambda run: run.info.status, reverse=True)
    assert "samples.json" not in look.artifacts(finished.info.run_id)
    assert failed.data.tags["failure"] == "The GPU ran out of memory."
    assert "privacy.texts" in look.study().data.tags["failure"]
    assert not [tag for run in look.runs() for tag in run.data.tags.values() if "a film" in tag]


def test_where_texts_may_be_sent_the_message_is(store: Store) -> None:
    study = StudyLog(store.root, STUDY, STUDY)
    study.started(QUESTION)
    study.failed("Row 7 must hold one label, but got 'a film'.", quotes=True)
    assert "'a film'" in replayed(replace(store, texts=True)).study().data.tags["failure"]

"""The latency audit finds the work that is planted, in networks too, and nothing between two cells that do the same."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.analysis.crossed_interval import item_part, mean_over
from pipeline.audits import AUDITS, Predictor
from pipeline.audits.latency import REPETITIONS, TEXTS, TOGETHER, WARM_UP, WATTS, sample
from pipeline.data.store import examples_of
from pipeline.storage.results import ResultStore
from pipeline.tasks import Example
from pipeline.training.loop.evaluate import Evaluable
from pipeline.training.loop.finish import finish, save
from pipeline.training.setup import predictor
from pipeline.training.setup.restored import restored
from tests import tiny
from tests.audits.planted import Planted, encoded
from tests.training.cell_kit import job, network, small, trained

LATENCY = AUDITS["latency"]
WORDS = [" ".join(["word"] * (3 + number % 5)) for number in range(24)]
BLOCK = bytes(4000)
STRENGTHS = (1.25, 2.0, 4.0)
ARMS = ("pretrained", "lora", "frozen", "bag_of_words")


class Working(Planted):
    """A cell whose answers take so much work for each word of a text, or what `answer` does instead."""

    def __init__(
        self, work: int = 1, *, answer: Callable[[Sequence[Example]], object] | None = None, on_gpu: bool = False
    ) -> None:
        super().__init__(lambda _: 0.5, WORDS)
        self.work, self.stored_bytes = work, 12
        self.predictor = Predictor(weight_bytes=34, on_gpu=on_gpu, ready=lambda: nullcontext(answer or self._work))

    def _work(self, examples: Sequence[Example]) -> None:
        for example in examples:
            for _ in range(self.work * len(example.text.split())):
                hashlib.sha256(BLOCK).digest()


def doublings(cell: Any) -> np.ndarray:
    return LATENCY.examine(cell).items[:, 0].astype(np.float64)


def interval(one: int, other: int, seeds: int = 4) -> tuple[float, float]:
    """Of the difference between cells with so much work, over seeds and items; each arm goes first in turn."""
    apart = []
    for seed in range(seeds):
        order = (one, other) if seed % 2 else (other, one)
        found = {work: doublings(Working(work)) for work in order}
        first, second = (
            (found[work] for work in (one, other)) if one != other else (doublings(Working(one)), found[one])
        )
        apart.append(first - second)
    rows = np.array(apart)
    return mean_over(rows.mean(axis=1), [item_part(rows)]).interval(0.95)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_planted_work_is_found_at_its_size(strength: float) -> None:
    ratios = [2 ** (doublings(Working(round(20 * strength))) - doublings(Working(20))).mean() for _ in range(3)]
    assert np.median(ratios) == pytest.approx(strength, rel=0.1)


def test_two_cells_that_do_the_same_are_told_apart_no_more_often_than_the_level_says() -> None:
    ends = [interval(4, 4) for _ in range(40)]
    assert sum(low > 0 or high < 0 for low, high in ends) <= 6  # of 40 at 5%: more in 1 of 300 series


def test_the_more_work_is_planted_the_more_often_it_is_told_apart() -> None:
    found = [sum(interval(round(8 * strength), 8)[0] > 0 for _ in range(8)) for strength in STRENGTHS]
    assert found == sorted(found)
    assert found[-1] == 8


@dataclass(frozen=True)
class Deep:
    """A network that was not trained."""

    sets: Any
    predictor: Predictor
    stored_bytes: int = 0


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_csv(tmp_path_factory.mktemp("data") / "rows.csv", tiny.rows())


def deep(root: Path, data: Path, layers: int) -> Deep:
    base = tiny.write_base(root / f"{layers}", layers=layers, width=128)
    overrides = [*small(base, data, root / "out"), "task.data.test_size=16"]
    own, (_, built) = job(overrides), network(overrides)
    return Deep(sets=own.data().sets, predictor=predictor.of_network(own, built, tiny.LABELS))


def test_a_network_of_twice_the_depth_takes_twice_the_time(tmp_path: Path, data: Path) -> None:
    """Almost: the tokenizer, the embeddings and the head are the same. The least of three, since load only adds."""
    cells = [deep(tmp_path, data, layers) for layers in (6, 12, 24)]
    found = [[LATENCY.examine(cell).numbers for cell in cells] for _ in range(3)]
    one, two, four = np.min([[numbers["milliseconds"] for numbers in each] for each in found], axis=0)
    assert 1.4 < two / one < 2.4
    assert 2.3 < four / one < 5
    sizes = [numbers["weight_bytes"] for numbers in found[0]]
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0])


def test_a_gpu_is_waited_for_and_a_processor_computes() -> None:
    def wait(_: object) -> None:
        time.sleep(0.002)

    waited, computed = (LATENCY.examine(Working(answer=wait, on_gpu=gpu)).numbers for gpu in (True, False))
    assert waited["milliseconds"] >= 2
    assert waited["milliseconds"] == pytest.approx(waited["milliseconds_passed"])
    assert computed["milliseconds"] < 1 < computed["milliseconds_passed"]


def test_numbers_follow_from_the_items() -> None:
    report = LATENCY.examine(Working(10))
    milliseconds = report.items[:, report.columns.index("milliseconds_computed")].astype(np.float64)
    numbers = report.numbers
    assert report.items[:, 0] == pytest.approx(np.log2(milliseconds), abs=1e-5)
    assert numbers["milliseconds"] == pytest.approx(2 ** report.items[:, 0].astype(np.float64).mean(), rel=1e-5)
    assert numbers["p95_milliseconds"] == pytest.approx(np.quantile(milliseconds, 0.95), rel=1e-5)
    assert numbers["joules_estimated"] == pytest.approx(WATTS * milliseconds.mean() / 1000, rel=1e-5)
    assert (numbers["weight_bytes"], numbers["stored_bytes"]) == (34, 12)
    assert numbers["memory_bytes"] > 1e7


def test_each_text_is_answered_alone_three_times_after_the_warm_up_with_one_thread() -> None:
    asked: list[int] = []
    before, name = torch.get_num_threads(), "TOKENIZERS_PARALLELISM"
    setting = os.environ.get(name)
    torch.set_num_threads(2)

    def answer(examples: Sequence[Example]) -> None:
        asked.append(len(examples))
        assert torch.get_num_threads() == 1
        assert os.environ[name] == "false"

    try:
        LATENCY.examine(Working(answer=answer))
        assert torch.get_num_threads() == 2
        assert os.environ.get(name) == setting
    finally:
        torch.set_num_threads(before)
    assert asked == [24, *[1] * (WARM_UP + REPETITIONS * 24), 24]


def test_texts_are_drawn_at_random_one_of_a_group_and_the_same_each_time() -> None:
    many = encoded("test", [str(number) for number in range(900)], groups=np.arange(900) // 3)
    rows = sample(many)
    assert len(rows) == TEXTS
    assert np.array_equal(rows, sample(many))
    assert len(np.unique(rows // 3)) == TEXTS
    assert rows[0] < 60
    assert rows[-1] > 840
    assert len(sample(encoded("test", ["a", "b"]))) == 2
    assert TOGETHER < TEXTS


@pytest.mark.parametrize("arm", ARMS)
def test_what_is_timed_are_the_answers_of_the_cell(tmp_path: Path, data: Path, arm: str) -> None:
    base = tiny.write_base(tmp_path / "base")
    cell = trained([*small(base, data, tmp_path / "out"), f"arm={arm}", "train.keep=all", "train.size=64"])
    result, scores = finish(cell)
    save(ResultStore(Path(cell.job.root)), cell, result, scores, [])
    both: tuple[Evaluable, ...] = (cell, restored(cell.job))
    for each in both:
        test = each.sets["test"]
        expected = [each.labels[number] for number in each.outputs(test).predicted]
        with each.predictor.ready() as answer:
            rows: Any = answer(list(examples_of(test)))
            alone: Any = answer([next(iter(examples_of(test)))])
        assert [row[1] for row in rows] == expected
        assert alone[0][:2] == rows[0][:2]
        assert float(alone[0][2]) == pytest.approx(float(rows[0][2]), abs=2e-4)
        assert each.predictor.weight_bytes >= each.stored_bytes

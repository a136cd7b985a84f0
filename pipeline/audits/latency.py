"""Latency: how long a cell takes to answer one text, and what else of a machine its answers take."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from pipeline.audits.audit import AuditReport, Measure, Predictor, Reader, Subject
from pipeline.audits.kinds import writing
from pipeline.data.sets import EncodedSet
from pipeline.data.store import examples_of
from pipeline.tasks import Example, TaskKind

TEXTS, REPETITIONS = 200, 3
WARM_UP = 10  # texts that are answered first and not timed
TOGETHER = 64  # texts at a time for the throughput, as `predict` reads a file
WATTS = 12.0  # of a busy processor core, where its model is not known (Green Algorithms, Lannelongue et al. 2021)
_SHORTEST = 1e-6  # seconds: no clock tells less


class Latency:
    """The time from a text to its answer, with one text at a time and one thread: the median of three passes over a
    sample of the test set. An item is a text, and its value the logarithm to base 2 of milliseconds.

    On a processor it is the time that the process computed, which other processes do not add to; on a GPU, for which
    the processor waits, it is the time that passed.
    """

    name: str = "latency"
    measure: Measure = Measure(
        column="log2_milliseconds", called="answer one text", worse="higher", share=False, timed=True
    )
    version: int = 1
    standing: bool = False

    def unable(self, task: TaskKind) -> str | None:
        """See Audit."""
        return writing(task)

    def unfit(self, reader: Reader) -> str | None:
        """See Audit. Any texts do."""
        return None

    def examine(self, subject: Subject, dataset: str = "test") -> AuditReport:
        """See Audit."""
        test, predictor = subject.sets[dataset], subject.predictor
        examples = list(examples_of(test).take(sample(test)))
        with _one_thread(), predictor.ready() as answer:
            answer(examples[:TOGETHER])
            for example in examples[:WARM_UP]:
                answer([example])
            passes, memory = _one_by_one(answer, examples)
            together = np.sum([_timed(answer, part) for part in _batches(examples)], axis=0)
        passed, computed = np.median(passes, axis=0).T  # seconds of each text
        clock = int(not predictor.on_gpu)
        taken = np.maximum((passed, computed)[clock], _SHORTEST)
        return AuditReport(
            numbers={
                "milliseconds": _milliseconds(taken),
                "p95_milliseconds": 1000.0 * float(np.quantile(taken, 0.95)),
                "milliseconds_passed": _milliseconds(np.maximum(passed, _SHORTEST)),
                "texts_per_second": len(examples) / max(float(together[clock]), _SHORTEST),
                "joules_estimated": WATTS * float(computed.mean()),
                "memory_bytes": float(memory),
                **_bytes(predictor, subject),
            },
            columns=("log2_milliseconds", "milliseconds_computed", "milliseconds_passed"),
            items=np.stack([np.log2(1000.0 * taken), 1000.0 * computed, 1000.0 * passed], axis=1).astype(np.float32),
        )


def sample(test: EncodedSet) -> np.ndarray:
    """Rows of a test set, int64 [N]: drawn at random, the same for every cell, at most TEXTS and one of a group."""
    _, first = np.unique(np.asarray(test.groups), return_index=True)
    return np.asarray(np.sort(np.random.default_rng(0).permutation(first)[:TEXTS]))


def _one_by_one(answer: Callable[[Sequence[Example]], object], examples: Sequence[Example]) -> tuple[np.ndarray, int]:
    """Seconds that passed and that the process computed, float64 [REPETITIONS, N, 2], and its largest memory between.

    All texts are read before the first is read again, so that what disturbs the machine for a while reaches one of the
    repetitions of a text at most.
    """
    passes, memory = [], 0
    for _ in range(REPETITIONS):
        passes.append([_timed(answer, [example]) for example in examples])
        memory = max(memory, _memory())
    return np.array(passes), memory


def _timed(answer: Callable[[Sequence[Example]], object], examples: Sequence[Example]) -> tuple[float, float]:
    """Seconds that pass while examples are answered, and seconds that this process computes."""
    passed, computed = time.perf_counter(), time.process_time()
    answer(examples)
    return time.perf_counter() - passed, time.process_time() - computed


def _batches(examples: Sequence[Example]) -> list[Sequence[Example]]:
    return [examples[start : start + TOGETHER] for start in range(0, len(examples), TOGETHER)]


def _milliseconds(seconds: np.ndarray) -> float:
    """The geometric mean, which the mean of the logarithms that claims compare is."""
    return 1000.0 * float(np.exp(np.log(seconds).mean()))


def _bytes(predictor: Predictor, subject: Subject) -> dict[str, float]:
    return {"weight_bytes": float(predictor.weight_bytes), "stored_bytes": float(subject.stored_bytes)}


def _memory() -> int:
    """Bytes that this process has in memory now, its libraries among them."""
    import psutil

    return int(psutil.Process().memory_info().rss)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for networks and tokenizers; what was set before is put back then."""
    import torch

    threads, name = torch.get_num_threads(), "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    torch.set_num_threads(1)
    os.environ[name] = "false"
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before

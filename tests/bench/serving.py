"""`serve` under a steady load: single sentences at a fixed rate, whether or not the ones before are answered."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import numpy as np

from pipeline.data.store import load, stored_examples
from pipeline.errors import HeadstartError
from pipeline.study.plan import plan_cell
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run, start
from tests.serving import free_port, said_until_ready

BAR = 200.0  # milliseconds
EXACT = 1e-5  # of a probability
RATE, SECONDS = 50, 20  # requests a second
CLIENTS = 16  # connections, so that a late answer holds up no request
_TRAINING = (
    "base=minilm",
    "task=sentiment",
    "arm=pretrained",
    "~task.out_of_domain.imdb",
    "task.data.test_size=200",
    "train.size=64",
    "train.epochs=1",
    "train.min_steps=2",
    "train.precision=fp32",
    "train.keep=all",
)


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """The 95th percentile from the moment a request is due to its answer, and the answers beside the cell's own."""
    world = [*_TRAINING, f"paths.root={folder}"]
    run([*HEADSTART, "train", *world, "tracking=none"])
    run([*HEADSTART, "register", *world, "name=bench"])
    texts, own = _cell(world)
    with _served(folder) as port:
        rounds = [_load(port, texts) for _ in range(options.repetitions)]
    slow = [float(np.percentile([ms for ms, _ in answers], 95)) for answers in rounds]
    worst = max(float(abs(share - own[i % len(texts)])) for answers in rounds for i, (_, share) in enumerate(answers))
    note = f"MiniLM, single sentences, {RATE} a second for {SECONDS} s from {CLIENTS} connections on the same cores"
    return [
        bench.under("serve: 95th percentile of a request", slow, "ms", BAR, note),
        bench.near("serve: largest difference from the cell", worst, "probability", EXACT, "of the right class, fp32"),
    ]


def _cell(world: Sequence[str]) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Test texts with their labels, and the probability that the cell gave to each label."""
    plan = plan_cell(list(world))
    examples = stored_examples(load(plan.data_folder), "test")
    scores = plan.store.scores(*plan.cells)
    return [(e.text, e.label) for e in examples], np.exp(-scores[scores["dataset"] == 1]["loss"].astype(np.float64))


@contextmanager
def _served(root: Path) -> Iterator[int]:
    port = free_port()
    server = start([*HEADSTART, "serve", "name=bench", f"paths.root={root}", f"serve.port={port}"])
    try:
        said = said_until_ready(server)
        if server.poll() is not None:
            raise HeadstartError(f"The server did not start:\n{said}")
        yield port
    finally:
        server.terminate()
        server.communicate()


def _load(port: int, texts: Sequence[tuple[str, str]]) -> list[tuple[float, float]]:
    """For each request the milliseconds from when it was due, and the probability of the right class."""
    own = threading.local()
    began = time.perf_counter() + 1.0

    def ask(number: int) -> tuple[float, float]:
        text, label = texts[number % len(texts)]
        due = began + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        own.connection = getattr(own, "connection", None) or HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps({"inputs": {"text": [text]}})
        own.connection.request("POST", "/invocations", body, {"content-type": "application/json"})
        answer = own.connection.getresponse()
        (prediction,) = json.loads(answer.read())["predictions"]
        return 1000 * (time.perf_counter() - due), float(prediction["probabilities"][label])

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(ask, range(RATE * SECONDS)))

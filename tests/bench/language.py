"""Language models against Hugging Face Trainer: tokens a second and the loss reached, on the same texts.

Trainer at its best packs texts into full rows, in bf16; by default it pads each text to the full length. A cell's batch
has as many texts as hold as many tokens as Trainer's packed rows, so that both make as many steps over them, and padded
rows are as many as these texts. The loss reached is compared with that of padded rows, which hold a text each too.
Packed ones begin and end anywhere in a text, and a network trained on them does worse on texts by themselves.
"""

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.analysis.crossed_interval import mean_over
from pipeline.data.store import load
from pipeline.data.subsets import nested_subset
from pipeline.files import write_text
from pipeline.hardware.machine import cores
from pipeline.records import from_json, to_json
from pipeline.storage.results import ResultStore
from tests.bench.options import Options
from tests.bench.peer import best_setting, default_setting
from tests.bench.peer_language import LanguageJob, LanguageResult, nats
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run
from tests.bench.workload import peer_job, prepare_once

BEST_BAR, PADDED_BAR, LOSS_BAR = 0.98, 1.5, 1.0


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of language model on one base; `texts` train it, `epochs` times, packed in batches of `rows`."""

    name: str
    base: str
    task: str
    texts: int
    epochs: int
    rows: int
    tests: int

    @property
    def overrides(self) -> tuple[str, ...]:
        """What the command is given."""
        return (
            f"base={self.base}", f"task={self.task}", "task.metric=loss", "~task.out_of_domain.imdb",
            f"task.data.test_size={self.tests}",
            "task.data.validation_size=24", f"train.size={self.texts}", f"train.epochs={self.epochs}",
            f"train.batch={self.rows}", "train.min_steps=0", f"train.eval_every={self.texts * self.epochs}",
            "train.keep=none", "train.samples=0", "train.checkpoint_every=never", "executor.workers=1", "tracking=none",
        )  # fmt: skip


WORKS = (
    Work(name="causal", base="smollm2", task="next_word", texts=192, epochs=1, rows=4, tests=120),
    Work(name="masked", base="minilm", task="fill_gaps", texts=480, epochs=2, rows=8, tests=400),
)


class Comparison:
    """The three sides of one work."""

    def __init__(self, work: Work, folder: Path) -> None:
        self.work, self.folder = work, folder / work.name
        self.folder.mkdir()
        self.prepared = prepare_once("train", (*work.overrides, f"paths.root={self.folder}/ours"), self.folder)
        self.train = load(Path(self.prepared.data_folder)).train
        self.texts = round(work.rows * self.prepared.cell.task.max_length / float(self.train.lengths.mean()))  # a step

    def ours(self, seed: int) -> LanguageResult:
        """One cell with all cores."""
        root, given = self.folder / "ours", (f"train.batch={self.texts}", f"train.seed={seed}")
        run([*HEADSTART, "train", *self.work.overrides, *given, f"paths.root={root}"])
        store = ResultStore(root)
        result = next(r for r in map(store.result, store.ids()) if r.key.seed == seed)
        test = next(e for e in result.evaluations if e.role == "in_domain")
        rows = nested_subset(np.asarray(self.train.labels), self.work.texts, seed)
        return LanguageResult(
            tokens=self.work.epochs * int(self.train.lengths[rows].sum()),
            training_seconds=result.measured.training_seconds,
            loss=nats(test.metrics),
        )

    def peer(self, seed: int, *, packed: bool) -> LanguageResult:
        """Trainer, packed and in bf16 if the processor has it, or padded as it is set by default."""
        best = dataclasses.replace(best_setting(cores()), sampling="random")
        setting = best if packed else default_setting(cores())
        job = peer_job(
            self.prepared, setting, self.folder,
            examples=self.work.texts, epochs=self.work.epochs, evaluate=False, seed=seed,
        )  # fmt: skip
        files = [self.folder / "peer.json", self.folder / "peer-result.json"]
        job = job if packed else dataclasses.replace(job, batch=self.texts)
        asked = LanguageJob(job=job, kind=self.prepared.cell.task.kind, packed=packed)
        write_text(files[0], to_json(asked))
        threads = {"OMP_NUM_THREADS": str(cores())}
        run([sys.executable, "-m", "tests.bench.peer_language", *map(str, files)], environment=threads)
        return from_json(LanguageResult, files[1].read_text(encoding="utf-8"), str(files[1]))


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Rows of both kinds of language model."""
    return [row for work in WORKS for row in _measured(options, bench, Comparison(work, folder))]


def _measured(options: Options, bench: Bench, comparison: Comparison) -> list[Row]:
    found: dict[str, list[LanguageResult]] = {"cell": [], "packed": [], "padded": []}
    for seed in range(options.repetitions):
        sides: list[tuple[str, Callable[[int], LanguageResult]]] = [
            ("cell", comparison.ours),
            ("packed", lambda seed: comparison.peer(seed, packed=True)),
            ("padded", lambda seed: comparison.peer(seed, packed=False)),
        ]
        for name, side in sides[seed % 3 :] + sides[: seed % 3]:
            found[name].append(side(seed))
            one = found[name][-1]
            print(f"{comparison.work.name} {seed}, {name}: {one.rate:.0f} tokens/s, loss {one.loss:.4f}", flush=True)
    return _rows(bench, comparison.work.name, found)


def _rows(bench: Bench, name: str, found: dict[str, list[LanguageResult]]) -> list[Row]:
    def ratios(peer: str) -> list[float]:
        return [a.rate / b.rate for a, b in zip(found["cell"], found[peer], strict=True)]

    def per_cent(peer: str) -> list[float]:
        return [100 * (a.loss / b.loss - 1) for a, b in zip(found["cell"], found[peer], strict=True)]

    told = [
        bench.told(f"{name} language model, {side}", [one.rate for one in results], "tokens/s", "padding is none")
        for side, results in found.items()
    ]
    loss = mean_over(per_cent("padded"))
    difference = f"{name} test loss, cell - Trainer padded"
    return [
        *told,
        bench.at_least(f"{name}: cell / Trainer packed", ratios("packed"), "times", BEST_BAR),
        bench.at_least(f"{name}: cell / Trainer padded", ratios("padded"), "times", PADDED_BAR),
        bench.told(f"{name} test loss, cell - Trainer packed", per_cent("packed"), "%"),
        bench.within(difference, loss.value, loss.interval(0.95), "%", LOSS_BAR, loss.seeds),
    ]

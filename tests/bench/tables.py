"""Preparing a large CSV, tokens included: time and memory beside the plain way with `datasets`.

python -m tests.bench.tables ours|peer CSV FOLDER [overrides]
"""

import csv
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import run

WORDS = 35  # of a text
PLAIN, SEARCHED = 1.2, 2.0  # times the peer's time, without the search for duplicates and with it
PLAIN_GB, SEARCHED_GB = 1.5, 3.0
MAX_LENGTH = 64
EVERY = 0.2  # seconds between two looks at memory


@dataclass(frozen=True)
class Prepared:
    """What preparing took: seconds, and the peak of the anonymous memory of all its processes in bytes."""

    seconds: float
    anonymous: int


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Ours with and without the search for duplicates against `datasets`, at `--rows` rows."""
    table = written(folder / "table.csv", options.rows)
    rows, found = f"{options.rows:,} rows", dict[str, list[Prepared]]()
    for _ in range(min(options.repetitions, 3)):
        for name, words in _WAYS.items():
            found.setdefault(name, []).append(_prepared(words, table, folder / "out"))
    peer = [one.seconds for one in found["peer"]]
    ratios = {name: [a.seconds / b for a, b in zip(found[name], peer, strict=True)] for name in ("plain", "searched")}
    note = "ours / load_dataset and map with the same tokenizer, two processes, texts cut at 64 tokens"
    memory = {name: [one.anonymous / 1e9 for one in every] for name, every in found.items()}
    return [
        bench.under(f"prepare {rows} / datasets", ratios["plain"], "times", PLAIN, note),
        bench.under(f"the same with the search for duplicates, {rows}", ratios["searched"], "times", SEARCHED, note),
        bench.under(f"memory to prepare {rows}", memory["plain"], "GB", PLAIN_GB, "anonymous, all processes together"),
        bench.under(f"the same with the search for duplicates: memory, {rows}", memory["searched"], "GB", SEARCHED_GB),
        bench.told(f"datasets: memory, {rows}", memory["peer"], "GB"),
        bench.told(f"datasets: time, {rows}", peer, "s"),
    ]


_WAYS = {
    "plain": ("ours", "task.deduplicate=false"),
    "searched": ("ours", "task.deduplicate=true"),
    "peer": ("peer",),
}


def written(path: Path, rows: int) -> Path:
    """A CSV of `text` and `label`: words of film reviews, drawn as often as they occur there."""
    rng = random.Random(0)
    words = _words()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows((" ".join(rng.choices(words, k=WORDS)), f"class {i % 4}") for i in range(rows))
    return path


def _words() -> list[str]:
    from pipeline.config.compose import compose
    from pipeline.data.readers.sources import read

    task = compose(["task=sentiment"]).task
    texts = read(task.out_of_domain["imdb"], task_name="imdb").train.table.column("text").to_pylist()
    return [word for text in texts if text for word in text.split()]


def _prepared(words: Sequence[str], table: Path, out: Path) -> Prepared:
    shutil.rmtree(out, ignore_errors=True)
    way, *overrides = words
    used = run([sys.executable, "-m", "tests.bench.tables", way, str(table), str(out), *overrides])
    seconds, anonymous = used.output.split()[-2:]
    return Prepared(seconds=float(seconds), anonymous=int(anonymous))


class _Memory(threading.Thread):
    """The peak of the anonymous memory of this process and its children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._ended = 0, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(EVERY):
            self.peak = max(self.peak, sum(_anonymous()))

    def end(self) -> int:
        self._ended.set()
        self.join()
        return self.peak


def _anonymous() -> Iterator[int]:
    import psutil

    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        try:
            said = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        yield sum(int(line.split()[1]) * 1024 for line in said.splitlines() if line.startswith("Pss_Anon:"))


def _ours(table: Path, out: Path, overrides: Sequence[str]) -> None:
    from pipeline.data.prepare import prepare
    from pipeline.models.tokenizer import load_tokenizer
    from pipeline.study.plan import plan_cell

    plan = plan_cell(
        [
            "task=classification",
            f"task.data.path={table}",
            "task.data.text=text",
            "task.data.label=label",
            f"task.max_length={MAX_LENGTH}",
            f"paths.root={out}",
            *overrides,
        ]
    )
    prepare(
        plan.config.task,
        load_tokenizer(plan.located.directory),
        tokenizer_fingerprint=plan.located.tokenizer,
        data_fingerprint=plan.data_fingerprint,
        root=plan.root,
    )


def _peer(table: Path, out: Path) -> None:
    import datasets
    import transformers

    from pipeline.study.plan import plan_cell

    base = plan_cell(["task=sentiment", f"paths.root={out}"]).located.directory
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    loaded = datasets.load_dataset("csv", data_files=str(table), cache_dir=str(out), split="train")

    def encode(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        return {"ids": tokenizer(batch["text"], truncation=True, max_length=MAX_LENGTH)["input_ids"]}

    loaded.map(encode, batched=True, num_proc=2, remove_columns=["text"])


def main(way: str, table: str, out: str, *overrides: str) -> int:
    """Prepare the table one way; prints its seconds and its peak of anonymous memory."""
    memory, started = _Memory(), time.perf_counter()
    memory.start()
    if way == "ours":
        _ours(Path(table), Path(out), overrides)
    else:
        _peer(Path(table), Path(out))
    print(time.perf_counter() - started, memory.end())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

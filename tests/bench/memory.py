"""The memory planned for a training against the peak that was measured, over more than a tenfold range."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.compose import compose
from pipeline.hardware.machine import gpus
from pipeline.models.checkpoints.locate import locate
from pipeline.storage.results import ResultStore
from tests.bench.options import Options
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run

BAR = 15.0  # per cent
_STEPS = 3  # the peak is reached in the second
_SETTINGS = (
    "task.data.validation_size=40", "task.data.test_size=64", "task.out_of_domain_size=64", "train.epochs=1",
    "train.keep=none",
    f"train.min_steps={_STEPS}", f"train.max_steps={_STEPS}", "train.eval_every=100000", "train.checkpoint_every=never",
    "executor.workers=1", "tracking=none",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """A training: `base` is one that comes in a package, or large for one of BERT-base's size."""

    base: str
    arm: str
    batch: int
    length: int
    precision: str = "auto"
    task: str = "topic"
    hardware: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ", ".join(
            [self.base, self.arm, self.task, f"{self.batch} x {self.length}", self.precision, *self.hardware]
        )


CASES = (
    Case(base="minilm", arm="frozen", batch=32, length=128),
    Case(base="minilm", arm="pretrained", batch=8, length=32),
    Case(base="minilm", arm="pretrained", batch=64, length=64),
    Case(base="minilm", arm="lora", batch=32, length=128),
    Case(base="minilm", arm="pretrained", batch=16, length=128, precision="fp32"),
    Case(base="minilm", arm="scratch", batch=16, length=256),
    Case(base="minilm", arm="pretrained", batch=32, length=128, hardware=("hardware.micro_batch=8",)),
    Case(base="minilm", arm="pretrained", batch=32, length=128, hardware=("hardware.gradient_checkpointing=true",)),
    Case(base="minilm", arm="pretrained", batch=32, length=64, hardware=("hardware=ddp_cpu",)),
    Case(base="large", arm="lora", batch=16, length=128),
    Case(base="large", arm="pretrained", batch=8, length=64),
    Case(base="minilm", arm="pretrained", batch=32, length=64, task="fill_gaps"),
    Case(base="smollm2", arm="pretrained", batch=8, length=64, task="next_word"),
    Case(base="smollm2", arm="lora", batch=8, length=128, task="next_word"),
)


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """Three steps of each case, in a worker as any cell has it; libraries are left out on both sides.

    On a GPU where there is one.
    """
    large = _write_large(folder / "large")
    hardware = "hardware=gpu" if gpus() else "hardware=cpu"
    rows = []
    for number, case in enumerate(CASES):
        root = folder / f"case-{number}"
        base = (
            ["base=local", "base.name=large", f"base.path={large}"] if case.base == "large" else [f"base={case.base}"]
        )
        size = max(64, 2 * case.batch)
        settings = [f"task={case.task}", f"arm={case.arm}", f"train.batch={case.batch}", f"train.size={size}"]
        settings += [f"task.max_length={case.length}", f"train.precision={case.precision}", f"paths.root={root}"]
        run([*HEADSTART, "train", *base, *settings, *_SETTINGS, hardware, *case.hardware])
        rows.append(_compared(bench, case, ResultStore(root)))
    return rows


def _compared(bench: Bench, case: Case, store: ResultStore) -> Row:
    measured = store.result(store.ids()[0]).measured
    taken = measured.peak_memory_bytes - measured.libraries_bytes
    off = 100 * (measured.planned_memory_bytes / taken - 1)
    note = f"planned {measured.planned_memory_bytes / 1e6:.0f} MB, measured {taken / 1e6:.0f} MB"
    return bench.near(f"planned memory, {case.name}", off, "%", BAR, note)


def _write_large(folder: Path) -> Path:
    """A random BERT of the base size, with the small one's tokenizer."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(str(locate(compose(["task=topic"]).base).directory))
    tokenizer.save_pretrained(folder)
    BertModel(BertConfig(vocab_size=len(tokenizer))).save_pretrained(folder)
    return folder

"""A GPU at work: tokens a second and the share of its arithmetic that is used, beside Trainer at its best there.

Two sizes of network at full-length texts, so that nothing is padding: an encoder of BERT-base's size and a decoder of
SmolLM2-135M's, with random weights, since speed does not depend on them.
"""

import csv
import dataclasses
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.compose import compose
from pipeline.data.readers.sources import read
from pipeline.hardware.machine import cores, gpus
from pipeline.records import CellResult
from pipeline.storage.results import ResultStore
from tests.bench.options import Options
from tests.bench.peer import Setting
from tests.bench.rows import Bench, Row
from tests.bench.running import HEADSTART, run, run_peer
from tests.bench.workload import Prepared, peer_job, prepare_once

STEPS = 200  # of each training, the second half of which is measured
REPETITIONS = 3
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12}  # dense bf16, by datasheet
VOCABULARY = 30_522


@dataclass(frozen=True, kw_only=True)
class Size:
    """A network and its batches: `config` names a class of transformers, `settings` are its own."""

    name: str
    config: str
    settings: dict[str, Any]
    tokens: int  # of each text
    batch: int

    @property
    def title(self) -> str:
        return f"{self.name}, {self.batch} x {self.tokens} tokens"


SIZES = (
    Size(name="BERT base", config="BertConfig", settings={"vocab_size": VOCABULARY}, tokens=128, batch=128),
    Size(
        name="SmolLM2-135M",
        config="LlamaConfig",
        settings={
            "vocab_size": 49_152,
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "max_position_embeddings": 2048,
        },
        tokens=1024,
        batch=16,
    ),
)
OURS = {
    "cell": (),
    "cell, compiled": ("hardware.compile=true",),
    "cell, deterministic": ("hardware.deterministic=true",),
}
EAGER = Setting(threads=cores(), bf16=True, padding="longest", sampling="random", gpu=True)
PEERS = {"trainer": EAGER, "trainer, compiled": dataclasses.replace(EAGER, compiled=True)}


def measure(options: Options, bench: Bench, folder: Path) -> list[Row]:
    """For each size, our variants and Trainer's in turn; nothing where there is no GPU."""
    if not gpus():
        print("gpu: left out, there is none here.", flush=True)
        return []
    repetitions = min(REPETITIONS, options.repetitions)
    return [row for size in SIZES for row in _of_size(size, bench, folder / size.config, repetitions)]


def _of_size(size: Size, bench: Bench, folder: Path, repetitions: int) -> list[Row]:
    settings = [*_settings(size, folder), f"paths.root={folder / 'outputs'}"]
    prepared = prepare_once("train", settings, folder)
    flops = _flops_per_token(prepared, size)
    rates: dict[str, list[float]] = {name: [] for name in (*OURS, *PEERS)}
    cells: dict[str, list[CellResult]] = {name: [] for name in OURS}
    for number in range(repetitions):
        for place, (name, found) in enumerate(rates.items()):
            if name in OURS:
                seed = number * len(rates) + place  # another cell each time
                cell = _cell([*settings, *OURS[name], f"train.seed={seed}"], folder / "outputs", seed)
                cells[name].append(cell)
                rate = _rate(size, cell)
            else:
                rate = _peer(size, prepared, PEERS[name], folder)
            found.append(rate)
            print(f"{size.title}, {name}: {rate:.0f} tokens/s", flush=True)
    return [*_rows(size, bench, rates, flops), *_of_cells(size, bench, cells)]


def _rows(size: Size, bench: Bench, rates: dict[str, list[float]], flops: float) -> list[Row]:
    peak = next((peak for name, peak in PEAKS.items() if name in gpus()[0]), None)
    found = []
    for name, values in rates.items():
        found.append(bench.told(f"gpu {name}: {size.title}", values, "tokens/s"))
        if peak:
            used = [100 * rate * flops / peak for rate in values]
            note = f"model FLOPs utilisation: 6 N + 12 L H T a token, of {peak / 1e12:.0f} TFLOP/s in bf16"
            found.append(bench.told(f"gpu {name}: {size.title}, utilisation", used, "%", note))
    best = max(PEERS, key=lambda name: statistics.median(rates[name]))
    for name in ("cell", "cell, compiled"):
        ratio = [ours / theirs for ours, theirs in zip(rates[name], rates[best], strict=True)]
        found.append(bench.told(f"gpu {name} / trainer's best: {size.title}", ratio, "times", f"its best: {best}"))
    return found


def _of_cells(size: Size, bench: Bench, cells: dict[str, list[CellResult]]) -> list[Row]:
    """What a cell takes before it is at its full speed, and the memory planned for it."""
    found = []
    for name, results in cells.items():
        late = [2 * _seconds(result, STEPS // 2) - _seconds(result, STEPS) for result in results]
        found.append(bench.told(f"gpu {name}: {size.title}, lost in the first steps", late, "s"))
        taken = [result.measured for result in results]
        off = [100 * (one.planned_memory_bytes / one.peak_memory_bytes - 1) for one in taken]
        note = (
            f"planned {taken[0].planned_memory_bytes / 1e9:.1f} GB, measured {taken[0].peak_memory_bytes / 1e9:.1f} GB"
        )
        found.append(bench.told(f"gpu {name}: {size.title}, memory planned against measured", off, "%", note))
    return found


def _cell(settings: list[str], root: Path, seed: int) -> CellResult:
    run([*HEADSTART, "train", *settings])
    store = ResultStore(root)
    (result,) = [result for result in map(store.result, store.ids()) if result.key.seed == seed]
    return result


def _rate(size: Size, result: CellResult) -> float:
    """Tokens a second in the second half of a cell's steps."""
    half, last = _seconds(result, STEPS // 2), _seconds(result, STEPS)
    return size.batch * size.tokens * (STEPS - STEPS // 2) / (last - half)


def _seconds(result: CellResult, step: int) -> float:
    """Of training, up to this step."""
    steps = [point.step for point in result.trajectory]
    return result.measured.trajectory_seconds[steps.index(step)]


def _peer(size: Size, prepared: Prepared, setting: Setting, folder: Path) -> float:
    examples = STEPS * size.batch
    job = peer_job(prepared, setting, folder, examples=examples, epochs=1, evaluate=False)
    result, _ = run_peer(dataclasses.replace(job, timed_from=STEPS // 2), folder)
    return size.tokens * result.rate / 2  # of half of the examples


def _flops_per_token(prepared: Prepared, size: Size) -> float:
    """Of forward and backward pass as Chowdhery et al. (2022, appendix B) count them: embeddings left out."""
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(prepared.base_directory)
    with torch.device("meta"):
        model = AutoModel.from_config(config)
    inner = sum(p.numel() for n, p in model.named_parameters() if "embed" not in n)
    return float(6 * inner + 12 * config.num_hidden_layers * config.hidden_size * size.tokens)


def _settings(size: Size, folder: Path) -> list[str]:
    """Overrides of a cell of STEPS steps, measured at the half and at the end."""
    few = 64
    texts = _texts(size, STEPS * size.batch + 4 * few)  # some to hold out, and to spare
    table, base = _write_table(folder / "texts.csv", texts), _write_base(size, folder / "base", texts)
    return [
        "base=local", f"base.path={base}", f"base.name={size.config}", "arm=pretrained", "hardware=gpu",
        "task=classification", f"task.data.path={table}", "task.data.text=text", "task.data.label=label",
        f"task.data.validation_size={few}", f"task.data.test_size={few}", f"task.max_length={size.tokens}",
        f"train.batch={size.batch}", f"train.size={STEPS * size.batch}", "train.epochs=1", "train.min_steps=0",
        "train.patience=0", f"train.max_steps={STEPS}", f"train.eval_every={STEPS // 2 * size.batch}",
        "train.keep=none", "train.precision=bf16", "train.checkpoint_every=never", "tracking=none",
        "executor.workers=1",
    ]  # fmt: skip


def _texts(size: Size, count: int) -> list[tuple[str, str]]:
    """So many texts of at least so many words, with labels in turn: IMDB reviews one after the other, cut."""
    task = compose(["task=sentiment"]).task
    rows = read(task.out_of_domain["imdb"], task_name="imdb").train
    words = [word for text in rows.table.column("text").to_pylist() if text for word in text.split()]
    found = []
    for number in range(count):
        start = number * size.tokens % (len(words) - size.tokens)
        found.append((f"{number} " + " ".join(words[start : start + size.tokens]), f"class {number % 2}"))
    return found


def _write_table(path: Path, texts: list[tuple[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *texts])
    return path


def _write_base(size: Size, folder: Path, texts: list[tuple[str, str]]) -> Path:
    """A random network and a tokenizer of whole words, as save_pretrained writes them."""
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    core = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(vocab_size=VOCABULARY, special_tokens=["[PAD]", "[UNK]"], show_progress=False)
    core.train_from_iterator((text for text, _ in texts), trainer)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", model_max_length=size.tokens
    ).save_pretrained(folder)
    config = getattr(transformers, size.config)(**size.settings, pad_token_id=0)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    return folder

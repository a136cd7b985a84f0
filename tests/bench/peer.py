"""The peer: Hugging Face Trainer fine-tuning the same base on the same examples, in a process of its own.

python -m tests.bench.peer JOB.json RESULT.json CORRECT.npy
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files import write_text
from pipeline.hardware.machine import has_bf16
from pipeline.records import from_json, to_json


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How Trainer is set. `padding` is "max_length" or "longest"; `sampling` as train_sampling_strategy takes it."""

    threads: int
    bf16: bool
    padding: str
    sampling: str
    optimizer: str = "adamw_torch_fused"
    gpu: bool = False
    compiled: bool = False

    @property
    def label(self) -> str:
        """The setting in a line; the optimizer is the same in all."""
        precision = "bf16" if self.bf16 else "fp32"
        order = {"group_by_length": "by length"}.get(self.sampling, self.sampling)
        return f"{self.threads} threads, {precision}, pad to {self.padding}, {order}"


@dataclass(frozen=True, kw_only=True)
class PeerJob:
    """One fine-tuning: the prepared data's folder, the base's directory and the recipe that both sides follow."""

    setting: Setting
    data_folder: str
    base_directory: str
    scratch: str  # a folder that Trainer may write to
    examples: int
    seed: int
    batch: int
    epochs: float
    max_length: int
    lr: float
    weight_decay: float
    warmup: float
    clip: float
    evaluate: bool
    timed_from: int = 0  # the step after which the clock starts


@dataclass(frozen=True, kw_only=True)
class PeerResult:
    """What it took and reached; `accuracy` is None where nothing was evaluated."""

    examples: int
    training_seconds: float
    accuracy: float | None

    @property
    def rate(self) -> float:
        """Training examples a second."""
        return self.examples / self.training_seconds


def default_setting(threads: int) -> Setting:
    """As run_glue sets it: every text padded to the full length, single precision, random order."""
    return Setting(threads=threads, bf16=False, padding="max_length", sampling="random")


def best_setting(threads: int, *, gpu: bool = False) -> Setting:
    """The fastest setting of the grid on every machine where it was searched, in bf16 if the device computes in it."""
    bf16 = has_bf16("gpu" if gpu else "cpu")
    return Setting(threads=threads, bf16=bf16, padding="longest", sampling="group_by_length", gpu=gpu)


def grid(cores: int) -> list[Setting]:
    """The settings among which the peer's best is searched on the processor, padded to the longest text of a batch.

    A processor without bf16 takes half an hour for what fp32 does in minutes, so bf16 is left out there.
    """
    return [
        Setting(threads=threads, bf16=bf16, padding="longest", sampling=sampling)
        for threads in sorted({1, cores})
        for bf16 in ((False, True) if has_bf16("cpu") else (False,))
        for sampling in ("random", "group_by_length")
    ]


def train(job: PeerJob) -> tuple[PeerResult, np.ndarray]:
    """Fine-tune, and test where asked: the result, and whether each test item is right (bool [N], or empty)."""
    import torch

    torch.set_num_threads(job.setting.threads)
    training, test = training_rows(job), items_of(job, "test")
    trainer, clock = trainer_of(job, training)
    trainer.train()
    correct = np.zeros(0, dtype=bool)
    if job.evaluate:
        trainer.args.train_sampling_strategy = "sequential"  # else its tests come in an order of their own
        found = trainer.predict(test)
        correct = np.asarray(found.predictions).argmax(axis=1) == found.label_ids
    accuracy = float(correct.mean()) if len(correct) else None
    return PeerResult(
        examples=round(job.epochs * len(training)), training_seconds=clock.seconds, accuracy=accuracy
    ), correct


def training_rows(job: PeerJob) -> list[dict[str, Any]]:
    """The same rows as a Headstart cell of this size and seed takes, tokenised beforehand."""
    from pipeline.data.store import load
    from pipeline.data.subsets import nested_subset

    train = load(Path(job.data_folder)).train
    return [_item(train, int(i)) for i in nested_subset(np.asarray(train.labels), job.examples, job.seed)]


def items_of(job: PeerJob, name: str) -> list[dict[str, Any]]:
    """The whole set "validation" or "test", tokenised beforehand."""
    from pipeline.data.store import load

    encoded = getattr(load(Path(job.data_folder)), name)
    return [_item(encoded, i) for i in range(len(encoded))]


def _item(encoded: Any, i: int) -> dict[str, Any]:
    ids = encoded.item(i).tolist()
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": int(encoded.labels[i])}


def trainer_of(
    job: PeerJob, training: list[dict[str, Any]], *, validation: Any = None, callbacks: Sequence[Any] = ()
) -> tuple[Any, Any]:
    """A Trainer that classifies, as the job sets it, and the clock that it carries."""
    import torch
    import transformers

    setting = job.setting
    tokenizer = transformers.AutoTokenizer.from_pretrained(job.base_directory, trust_remote_code=False)
    transformers.set_seed(job.seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        job.base_directory, num_labels=2, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
    )
    collator = transformers.DataCollatorWithPadding(tokenizer, padding=setting.padding, max_length=job.max_length)
    more = {"eval_dataset": validation, "compute_metrics": _accuracy}
    return trainer_around(job, model, training, collator, callbacks=callbacks, **more)


def trainer_around(
    job: PeerJob,
    model: Any,
    training: list[dict[str, Any]],
    collator: Any,
    *,
    callbacks: Sequence[Any] = (),
    **more: Any,
) -> tuple[Any, Any]:
    """A Trainer of `model`, as the job sets it, and the clock that it carries."""
    import transformers

    clock = _clock(job.timed_from)
    trainer = transformers.Trainer(
        model=model,
        args=_arguments(job),
        train_dataset=training,
        data_collator=collator,
        callbacks=[clock, *callbacks],
        **more,
    )
    return trainer, clock


def _accuracy(found: Any) -> dict[str, float]:
    return {"accuracy": float((np.asarray(found.predictions).argmax(axis=1) == found.label_ids).mean())}


def _arguments(job: PeerJob) -> Any:
    """Nothing but training goes on between the first step and the last: no evaluation, saving or logging."""
    from transformers import TrainingArguments

    setting = job.setting
    return TrainingArguments(
        output_dir=job.scratch,
        use_cpu=not setting.gpu,
        torch_compile=setting.compiled,
        bf16=setting.bf16,
        optim=setting.optimizer,
        train_sampling_strategy=setting.sampling,
        per_device_train_batch_size=job.batch,
        per_device_eval_batch_size=64,
        num_train_epochs=job.epochs,
        learning_rate=job.lr,
        weight_decay=job.weight_decay,
        warmup_steps=job.warmup,  # below 1: a share of the steps
        max_grad_norm=job.clip,
        seed=job.seed,
        logging_strategy="no",
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_num_workers=4 if setting.gpu else 0,
        logging_nan_inf_filter=False,
    )


def _clock(timed_from: int) -> Any:
    """A callback that times from the end of this step, or the start of training, to the end of the last step."""
    import torch
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        seconds, began = 0.0, 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if torch.cuda.is_available() and state.global_step in (timed_from, state.max_steps):
                torch.cuda.synchronize()
            if state.global_step == timed_from:
                self.began = time.perf_counter()
            self.seconds = time.perf_counter() - self.began

    return Clock()


def main(arguments: list[str]) -> int:
    """Read the job, train, write what it took and which items were right."""
    job_file, result_file, correct_file = (Path(a) for a in arguments)
    job = from_json(PeerJob, job_file.read_text(encoding="utf-8"), str(job_file))
    result, correct = train(job)
    np.save(correct_file, correct, allow_pickle=False)
    write_text(result_file, to_json(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

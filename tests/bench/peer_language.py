"""The peer on text without labels: Hugging Face Trainer, its texts packed into full rows or padded one by one.

python -m tests.bench.peer_language JOB.json RESULT.json
"""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files import write_text
from pipeline.records import from_json, to_json
from pipeline.tasks import Vocabulary, kind
from pipeline.training.loop.inference import answers
from pipeline.training.setup.inputs import TokenInputs
from tests.bench.peer import PeerJob, trainer_around, training_rows


@dataclass(frozen=True, kw_only=True)
class LanguageJob:
    """One training of the task kind's own network; `packed`: texts one after another in rows of the full length."""

    job: PeerJob
    kind: str
    packed: bool


@dataclass(frozen=True, kw_only=True)
class LanguageResult:
    """Tokens of texts that were trained on, in how many seconds, and the mean loss of a token of the test's texts."""

    tokens: int
    training_seconds: float
    loss: float

    @property
    def rate(self) -> float:
        """Tokens a second; padding is none."""
        return self.tokens / self.training_seconds


def train(asked: LanguageJob) -> LanguageResult:
    """Train, and measure the loss as a cell's is measured."""
    import torch
    import transformers

    job, task = asked.job, kind(asked.kind)
    torch.set_num_threads(job.setting.threads)
    transformers.set_seed(job.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(job.base_directory, trust_remote_code=False)
    auto = transformers.AutoModelForMaskedLM if task.pipeline == "fill-mask" else transformers.AutoModelForCausalLM
    model = auto.from_pretrained(job.base_directory, dtype=torch.float32, use_safetensors=True, trust_remote_code=False)
    texts = [row["input_ids"] for row in training_rows(job)]
    collator = transformers.DataCollatorForLanguageModeling(
        tokenizer,
        mlm=task.pipeline == "fill-mask",
        mlm_probability=0.15,
        mask_replace_prob=1.0,
        random_replace_prob=0.0,
    )
    rows = _packed(texts, job.max_length) if asked.packed else _padded(texts, job.max_length, tokenizer.pad_token_id)
    trainer, clock = trainer_around(job, model, rows, collator)
    trainer.train()
    return LanguageResult(
        tokens=round(job.epochs * sum(map(len, texts))),
        training_seconds=clock.seconds,
        loss=_loss(asked, model, Vocabulary.of(tokenizer)),
    )


def _packed(texts: list[list[int]], length: int) -> list[dict[str, Any]]:
    """As run_clm and run_mlm group texts, the rest at the end included."""
    flat = [token for text in texts for token in text]
    rows = [flat[start : start + length] for start in range(0, len(flat), length)]
    return [{"input_ids": row, "attention_mask": [1] * len(row)} for row in rows]


def _padded(texts: list[list[int]], length: int, pad: int) -> list[dict[str, Any]]:
    rest = [length - len(text) for text in texts]
    return [
        {"input_ids": text + [pad] * more, "attention_mask": [1] * len(text) + [0] * more}
        for text, more in zip(texts, rest, strict=True)
    ]


def _loss(asked: LanguageJob, model: Any, vocabulary: Vocabulary) -> float:
    from pipeline.data.store import load

    task, test = kind(asked.kind), load(Path(asked.job.data_folder)).test
    precision = "bf16" if asked.job.setting.bf16 else "fp32"
    found = answers(model, TokenInputs(test, task, vocabulary), task, classes=1, precision=precision)
    return nats(task.measure(task.outputs(found, np.asarray(test.labels))))


def nats(metrics: Mapping[str, float]) -> float:
    """Of a token, which counts alike whatever its text, as in Trainer's loss; of gaps, the mean over texts."""
    return math.log(metrics["corpus_perplexity" if "corpus_perplexity" in metrics else "perplexity"])


def main(arguments: list[str]) -> int:
    """Read the job, train, write what it took."""
    job_file, result_file = (Path(a) for a in arguments)
    asked = from_json(LanguageJob, job_file.read_text(encoding="utf-8"), str(job_file))
    write_text(result_file, to_json(train(asked)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

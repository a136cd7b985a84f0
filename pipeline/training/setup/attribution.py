"""What each character of a text adds to a class: integrated gradients of a network, or the summands of a word model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from pipeline.config.cell import Cell
from pipeline.models.attribution import integrated_gradients
from pipeline.models.build import Network
from pipeline.models.tokenizer import load_tokenizer
from pipeline.models.word_attribution import of_characters
from pipeline.tasks import TaskKind
from pipeline.training.job import Job
from pipeline.training.setup.word_model import WordModel

Attribute = Callable[[str, int], np.ndarray]  # a text and the number of a class -> float64 [len(text)]


def of_network(job: Job, network: Network, task: TaskKind) -> Attribute:
    """Integrated gradients over the embeddings of tokens; each token's goes to its characters in equal parts."""

    def attribute(text: str, label: int) -> np.ndarray:
        ids, spans, own = _tokens(job.cell, Path(job.base_directory), text)
        baseline = torch.where(own, torch.tensor(job.vocabulary.pad), ids)

        def logit(rows: torch.Tensor) -> torch.Tensor:
            logits = task.forward(network.model, {"input_ids": rows, "attention_mask": torch.ones_like(rows)})
            return logits[:, label] - logits.mean(dim=1)

        attributed = integrated_gradients(network.model, logit, ids, baseline)
        characters = np.zeros(len(text))
        for (start, end), value in zip(spans, attributed, strict=True):
            characters[start:end] += value / max(1, end - start)
        return characters

    return attribute


def of_words(model: WordModel) -> Attribute:
    """Weight times feature of every n-gram, in equal parts for its characters: with the bias they sum to the logit."""

    def attribute(text: str, label: int) -> np.ndarray:
        weights = model.model.weights[label] - model.model.weights.mean(axis=0)
        return of_characters(model.counter, weights, text)

    return attribute


def _tokens(cell: Cell, base: Path, text: str) -> tuple[torch.Tensor, list[tuple[int, int]], torch.Tensor]:
    """Its tokens as cells read them, int64 [1, L], which characters of the text each is, and which are of the text."""
    prefix = cell.prefix or ""
    read = load_tokenizer(base)(
        prefix + text,
        truncation=True,
        max_length=cell.task.max_length,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    spans = [(max(0, start - len(prefix)), max(0, end - len(prefix))) for start, end in read["offset_mapping"]]
    own = torch.tensor([[end > start for start, end in spans]])
    return torch.tensor([read["input_ids"]]), spans, own

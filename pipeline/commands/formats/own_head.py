"""A network whose own architecture in transformers holds all of it: a Hugging Face directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.commands.formats.form import Reading, save_tokenizer, texts_of
from pipeline.commands.steps.trained import Trained
from pipeline.report.about import About
from pipeline.report.usage import Use, by_transformers
from pipeline.tasks import Example, WritingKind, kind
from pipeline.tasks.heads.encoder_decoder import ready_to_write


@dataclass(frozen=True, kw_only=True)
class OwnHead:
    """Written by `save_pretrained` and read by transformers' pipelines."""

    trained: Trained
    network: Any

    def save(self, folder: Path) -> None:
        """See Format."""
        tokenizer, task = save_tokenizer(self.trained, folder), kind(self.trained.cell.task.kind)
        if isinstance(task, WritingKind):
            ready_to_write(self.network, tokenizer)
        if task.target == "labels" and task.linear is not None:  # of whole texts
            self.network.config.problem_type = "multi_label_classification"
        self.network.save_pretrained(folder)

    def load(self, folder: Path) -> Any:
        """See Loadable."""
        from transformers import AutoModelForSequenceClassification

        return AutoModelForSequenceClassification.from_pretrained(str(folder), local_files_only=True).eval()

    def read(self, folder: Path, examples: Sequence[Example]) -> Reading:
        """See Format."""
        texts = texts_of(self.trained, examples, self.trained.cell.prefix)
        given: list[Any] = [dict(zip(("text", "text_pair"), text, strict=False)) for text in texts]
        ask = pipeline_of(self.trained, folder, top_k=None, function_to_apply="none")
        scores = [{each["label"]: each["score"] for each in row} for row in ask(given, truncation=True)]
        logits = np.array([[row[label] for label in self.trained.result.labels] for row in scores])
        return Reading(by="transformers", logits=logits)

    def use(self, about: About) -> Use:
        """See Format."""
        return by_transformers(about, self.trained.cell.prefix)


def pipeline_of(trained: Trained, folder: Path, **settings: Any) -> Any:
    """The transformers pipeline of a saved network."""
    from transformers import pipeline

    task: Any = kind(trained.cell.task.kind).pipeline
    return pipeline(task, model=str(folder), tokenizer=str(folder), device="cpu", **settings)

"""A linear model on counted words: its vocabulary as text and its numbers in safetensors."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.commands.formats.form import Reading, is_sigmoid
from pipeline.commands.steps.trained import Trained
from pipeline.files import write_text
from pipeline.models.words import VOCABULARY
from pipeline.report.about import About
from pipeline.report.usage import Use, by_scikit_learn
from pipeline.tasks import Example, kind
from pipeline.training.setup.word_model import WordModel


@dataclass(frozen=True, kw_only=True)
class Words:
    """The files of the cell's weights, and labels.json: its labels in the order of the outputs."""

    trained: Trained

    def save(self, folder: Path) -> None:
        """See Format."""
        for name in (VOCABULARY, "trained.safetensors"):
            shutil.copyfile(self.trained.weights / name, folder / name)
        write_text(folder / "labels.json", json.dumps(self.trained.result.labels, ensure_ascii=False) + "\n")

    def read(self, folder: Path, examples: Sequence[Example]) -> Reading:
        """See Format."""
        model = WordModel.load(folder, kind(self.trained.cell.task.kind))
        return Reading(by="scikit-learn", logits=model.read(examples))

    def use(self, about: About) -> Use:
        """See Format."""
        return by_scikit_learn(about, sigmoid=is_sigmoid(self.trained))

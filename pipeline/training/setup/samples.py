"""What a network says of a few test texts before and after it is trained, for people to look at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.config.schema import Predict
from pipeline.data.sets import Prepared
from pipeline.data.store import stored_examples
from pipeline.models.build import Network
from pipeline.models.tokenizer import load_tokenizer
from pipeline.records import Sample
from pipeline.tasks import EncodeSettings, Exercise, TaskKind, TextModel, prefixed
from pipeline.training.distributed.device import is_sharded, rank
from pipeline.training.job import Job
from pipeline.training.loop.inference import evaluating

_ASKED = Predict(tokens=16)


@dataclass(frozen=True, kw_only=True)
class Exercises:
    """The exercises of one cell, and what answers them."""

    job: Job
    task: TaskKind
    tokenizer: Any
    labels: tuple[str, ...]
    all: tuple[Exercise, ...]

    def answers(self, model: Network | TextModel) -> list[str]:
        """The model's answers; a network's mode, and torch's random numbers, are put back then."""
        if isinstance(model, TextModel):
            return self._answers(model)
        with torch.random.fork_rng(), evaluating(model.model, self.job.cell.train.precision):
            return self._answers(model.model)

    def _answers(self, model: Any) -> list[str]:
        given = prefixed(self.task, (exercise.given for exercise in self.all), self.job.cell.prefix)
        settings = EncodeSettings.of(self.job.cell.task, self.labels)
        rows = list(self.task.predict(model, self.tokenizer, given, settings, _ASKED))
        each = len(rows) // len(given)  # of a gap several words are said, the likeliest first
        return [row[1 + self.task.predicted.index(self.task.answer)].strip() for row in rows[::each]]


def exercises(job: Job, task: TaskKind, prepared: Prepared) -> Exercises | None:
    """The first texts of the test set as exercises.

    None where no text makes one, for the cells of trials, and where the network cannot be asked by itself: on ranks but
    the first, or where it is spread.
    """
    cell = job.cell
    if not cell.tested or not cell.train.samples or rank() or is_sharded(cell, job.hardware):
        return None
    most = min(cell.train.samples, task.evaluated_at_once // 2)  # fewer of a kind that writes
    chosen: list[Exercise] = []
    for example in stored_examples(prepared, "test"):
        if len(chosen) == most:
            break
        exercise = task.exercise(example)
        chosen += [exercise] if exercise else []
    if not chosen:
        return None
    tokenizer = load_tokenizer(Path(job.base_directory))
    return Exercises(job=job, task=task, tokenizer=tokenizer, labels=prepared.labels, all=tuple(chosen))


def compared(asked: Exercises | None, before: list[str], after: Network | TextModel) -> tuple[Sample, ...]:
    """The exercises with what was answered `before`, and what the model `after` training answers."""
    if asked is None:
        return ()
    each = zip(asked.all, before, asked.answers(after), strict=True)
    return tuple(Sample(given=e.given.shown, right=e.right, before=one, after=two) for e, one, two in each)

"""The callback that walks the evaluation grid: measures validation, keeps the best weights, stops when it has to."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from pipeline.errors import TrainingError
from pipeline.models.distributed.sharding import kept, whole, write
from pipeline.records import TrajectoryPoint
from pipeline.storage.checkpoints import Checkpoint
from pipeline.tasks import Outputs
from pipeline.training.loop.fitted import Report
from pipeline.training.loop.lightning_module import CellModule


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """One evaluation on the V items of validation. `item_scores` are what the score is made of, [V] or [V, K]."""

    score: float
    loss: float
    item_scores: np.ndarray
    outputs: Any


Measure = Callable[[], Evaluated]
ITEM_SCORES = "item_scores"  # the tensor of a checkpoint that holds those of all points, [T, V] or [T, V, K]


class Pruned(Exception):  # noqa: N818 - it is no error
    """The training is not worth going on with, by the answer that its reports got. Raised on every rank."""


class EvaluationCallback(pl.Callback):
    """Evaluates at the steps in `due`; step 0 is before the first.

    Steps are those of the whole training, `first` of which were made before a checkpoint that it goes on from. `flops`
    are those spent before the first step and after each.
    """

    def __init__(
        self,
        *,
        due: dict[int, int],
        seen: list[int],
        flops: list[float],
        measure: Measure,
        report: Report,
        patience: int,
        patience_from: int,
        higher_is_better: bool,
        best_by: str,
        outputs_type: type[Outputs],
    ) -> None:
        self.due, self.seen, self.flops = due, seen, flops
        self.measure, self.report = measure, report
        self.patience, self.patience_from = patience, patience_from
        self.outputs_type, self.best_by = outputs_type, best_by
        self.sign = 1.0 if higher_is_better else -1.0
        self.points: list[TrajectoryPoint] = []
        self.item_scores: list[np.ndarray] = []  # of each point
        self.seconds: list[float] = []
        self.training_seconds = 0.0
        self.evaluation_seconds = 0.0
        self.best: tuple[float, float] = (-math.inf, -math.inf)
        self.best_step = 0
        self.best_state: dict[str, torch.Tensor] = {}
        self.best_outputs: Any = None  # on validation
        self.waited = 0
        self.stopped_by = "schedule"
        self.first = 0
        self._resumed = 0.0

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Take up everything that was measured before it."""
        standing = checkpoint.standing
        self.first, self.points, self.seconds = standing.step, list(standing.points), list(standing.seconds)
        self.training_seconds, self.evaluation_seconds = standing.training_seconds, standing.evaluation_seconds
        self.best_step, self.waited = standing.best_step, standing.waited
        if ITEM_SCORES in checkpoint.tensors:
            self.item_scores = list(checkpoint.tensors[ITEM_SCORES].numpy())
        self.best_state = checkpoint.part("best")
        best = next((p for p in self.points if p.step == self.best_step), None)
        if best is not None:
            self.best = self._rank(best)
            saved_outputs = {name: tensor.numpy() for name, tensor in checkpoint.part("outputs").items()}
            self.best_outputs = self.outputs_type(**saved_outputs)

    def tensors(self) -> dict[str, torch.Tensor]:
        """What a checkpoint keeps: weights and outputs of the best point, and the item scores of all points."""
        tensors = {f"best.{name}": whole(value).cpu() for name, value in self.best_state.items()}
        if self.best_outputs is not None:
            tensors |= {f"outputs.{name}": torch.tensor(a) for name, a in vars(self.best_outputs).items()}
        if self.item_scores:
            tensors[ITEM_SCORES] = torch.from_numpy(np.stack(self.item_scores))
        return tensors

    def step_of(self, trainer: pl.Trainer) -> int:
        """How many steps of the whole training have been made."""
        return self.first + trainer.global_step

    def training_seconds_now(self) -> float:
        """Seconds of training up to now."""
        return self.training_seconds + time.perf_counter() - self._resumed

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Step 0: the start itself; or what was measured before a checkpoint, told again."""
        if not self.first and 0 in self.due:
            self._evaluate(trainer, pl_module, step=0)
        for point in list(self.points) if self.first else ():
            self._tell(trainer, point)
        self._resumed = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Evaluate where the grid says so."""
        if self.step_of(trainer) not in self.due:
            return
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)  # what was asked of it is part of the training
        self.training_seconds = self.training_seconds_now()
        self._evaluate(trainer, pl_module, step=self.step_of(trainer))
        self._resumed = time.perf_counter()

    def _evaluate(self, trainer: pl.Trainer, module: pl.LightningModule, *, step: int) -> None:
        assert isinstance(module, CellModule)
        started = time.perf_counter()
        train_loss = module.take_mean_loss()
        _require_finite(train_loss, "training", step)
        evaluated = self.measure()
        _require_finite(evaluated.loss, "validation", step)
        point = TrajectoryPoint(
            step=step,
            examples=self.seen[step - 1] if step else 0,
            flops=self.flops[step],
            train_loss=train_loss,
            validation_loss=evaluated.loss,
            validation_score=evaluated.score,
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
        )
        self.points.append(point)
        self.item_scores.append(evaluated.item_scores)
        self.seconds.append(self.training_seconds)
        self._keep_best(module, point, evaluated.outputs)
        self._stop_if_patience_ran_out(trainer, point)
        self.evaluation_seconds += time.perf_counter() - started
        self._tell(trainer, point)

    def _tell(self, trainer: pl.Trainer, point: TrajectoryPoint) -> None:
        given_up = trainer.strategy.broadcast(trainer.is_global_zero and self.report(point))
        self._resumed = time.perf_counter()
        over = trainer.should_stop or point.step >= len(self.seen)  # it ends by itself
        if given_up and not over:
            raise Pruned(f"after {point.examples} examples")

    def _rank(self, point: TrajectoryPoint) -> tuple[float, float]:
        score, loss = self.sign * point.validation_score, -point.validation_loss
        return (loss, score) if self.best_by == "loss" else (score, loss)

    def _keep_best(self, module: CellModule, point: TrajectoryPoint, outputs: Any) -> None:
        rank = self._rank(point)
        if rank > self.best:
            self.best, self.best_step, self.waited, self.best_outputs = rank, point.step, 0, outputs
            self.best_state = {n: kept(p) for n, p in module.model.named_parameters() if p.requires_grad}
        elif point.examples >= self.patience_from:
            self.waited += 1

    def _stop_if_patience_ran_out(self, trainer: pl.Trainer, point: TrajectoryPoint) -> None:
        if self.patience and self.waited >= self.patience and point.step < len(self.seen):
            self.stopped_by = "patience"
            trainer.should_stop = True

    def restore_best(self, module: CellModule) -> None:
        """Put the weights of the best validation point back."""
        parameters = dict(module.model.named_parameters())
        for name, values in self.best_state.items():
            write(parameters[name], values)


def converged_gain(points: list[TrajectoryPoint], *, sign: float) -> float | None:
    """The gain in mean validation score from the third quarter of the steps to the last; None under two points each."""
    total = points[-1].step
    third = [sign * p.validation_score for p in points if total / 2 < p.step <= 3 * total / 4]
    last = [sign * p.validation_score for p in points if p.step > 3 * total / 4]
    if len(third) < 2 or len(last) < 2:
        return None
    return sum(last) / len(last) - sum(third) / len(third)


def _require_finite(loss: float | None, which: str, step: int) -> None:
    if loss is not None and not math.isfinite(loss):
        raise TrainingError(
            f"The {which} loss is {loss} at step {step}: the training diverged. "
            "Lower train.lr, raise train.warmup, or use train.precision=fp32."
        )

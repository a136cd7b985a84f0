"""Trains one cell and returns what it leaves behind."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from pipeline.config.checkpoint_interval import pace_of
from pipeline.data.sets import EncodedSet, Prepared
from pipeline.data.subsets import nested_subset
from pipeline.models.build import Network
from pipeline.models.distributed.sharding import copy_to_shard, take_over
from pipeline.models.speed.compilation import compile_layers
from pipeline.models.speed.embedding_rows import only_rows_read
from pipeline.models.speed.gradient_checkpointing import checkpoint_gradients
from pipeline.records import Cost, Measured
from pipeline.records.metrics import higher_is_better
from pipeline.storage.checkpoints import CheckpointStore
from pipeline.storage.item_scores import made_of
from pipeline.tasks import TaskKind, kind
from pipeline.training.cost import parameter_counts, peak_memory_bytes
from pipeline.training.distributed.device import device_of, is_sharded, rank
from pipeline.training.distributed.ranks import Agreement
from pipeline.training.job import Job, seed_for
from pipeline.training.loop.checkpoint_callback import CheckpointCallback, Leaving
from pipeline.training.loop.evaluation_callback import Evaluated, EvaluationCallback
from pipeline.training.loop.fitted import Fitted, Report
from pipeline.training.loop.inference import answers
from pipeline.training.loop.lightning_module import CellModule
from pipeline.training.loop.schedule import TrainingSchedule, schedule_of
from pipeline.training.loop.solve import solve_cell
from pipeline.training.loop.stopwatch import Stopwatch
from pipeline.training.loop.trainer import Batches, loader, trainer_of
from pipeline.training.setup import attribution, predictor, rounded
from pipeline.training.setup.assembly import Assembled, CellInputs, assemble
from pipeline.training.setup.inputs import Inputs
from pipeline.training.setup.samples import compared, exercises
from pipeline.training.setup.start_line import start_line


def fit(job: Job, report: Report, leaving: Leaving = lambda: False) -> Fitted:
    """Train `job`'s cell to the end of its schedule and put its best validation weights in place.

    A cell that is solved has no steps. Where a training of the cell was interrupted, this one goes on from its last
    checkpoint.

    Args:
        report: called with each point of the trajectory, on rank 0; where it answers True, every rank gives up.
        leaving: asked after each step whether this process is to end.

    Raises:
        Pruned: `report` said so.
        Left: `leaving` said so, on some rank; where the training stands is saved.
        TrainingError: the loss is not finite.
        UnequalStartError: the network is not on the common start line.
        BaseModelError, DataError: what was there when the study was planned is gone or changed.
    """
    return solve_cell(job, report) if job.cell.method.solved else _in_steps(job, report, leaving)


def _in_steps(job: Job, report: Report, leaving: Leaving) -> Fitted:
    clock = Stopwatch()
    cell, task = job.cell, kind(job.cell.task.kind)
    prepared = job.data()
    rows = nested_subset(np.asarray(prepared.train.labels), cell.train.size, cell.train.seed)
    built = assemble(job, prepared, task, rows)
    network, inputs = built.network, built.inputs
    asked = exercises(job, task, prepared)
    before = asked.answers(network) if asked else []
    train = inputs.of(prepared.train, rows)
    schedule = schedule_of(cell, train, built.flops, spent=built.spent)
    line = start_line(job, network, train_items=rows, lengths=train.lengths, dropout=built.dropout)
    model = copy_to_shard(network.model) if is_sharded(job.cell, job.hardware) else network.model
    trajectory = _evaluation_callback(job, model, inputs, prepared, schedule, report)
    checkpoints = _checkpoint_callback(job, trajectory, leaving, last=len(schedule.batches))
    module = _module(job, model, task, steps=len(schedule.batches), first=trajectory.first)
    with only_rows_read(model, train.ids()) if cell.method.trains_embeddings else nullcontext():
        _train(job, module, train, schedule, [Agreement(job, prepared, line), trajectory, checkpoints])
        trajectory.restore_best(module)
    _bring_back(job, network, model)

    def measure(encoded: EncodedSet, some: np.ndarray | None) -> Any:
        return outputs(job, network.model, inputs.of(encoded, some), len(prepared.labels))

    return Fitted(
        job=job,
        task=task,
        network=network,
        prepared=prepared,
        rows=rows,
        trajectory=trajectory,
        start_line=line,
        cost=_cost(trajectory, network),
        clock=clock,
        measured=_measured(job, trajectory, clock, built, module.micro_batch),
        samples=compared(asked, before, network),
        measure=measure,
        attribute=attribution.of_network(job, network, task),
        rounded=rounded.of_network(network, measure),
        predictor=predictor.of_network(job, network, prepared.labels),
        tensors=network.stored,
    )


def _evaluation_callback(
    job: Job, model: Any, inputs: CellInputs, prepared: Prepared, schedule: TrainingSchedule, report: Report
) -> EvaluationCallback:
    cell, task = job.cell, kind(job.cell.task.kind)
    validation = inputs.of(prepared.validation)

    def measure() -> Evaluated:
        measured = outputs(job, model, validation, len(prepared.labels))
        metrics = task.measure(measured)
        return Evaluated(
            score=metrics[cell.task.metric],
            loss=metrics["loss"],
            item_scores=made_of(task, cell.task.metric, measured),
            outputs=measured,
        )

    return EvaluationCallback(
        due=schedule.due,
        seen=schedule.seen,
        flops=schedule.flops,
        measure=measure,
        report=report,
        patience=cell.recipe.patience,
        patience_from=schedule.interval,
        higher_is_better=higher_is_better(cell.task.metric),
        best_by=cell.train.best_by,
        outputs_type=task.outputs_type,
    )


def _checkpoint_callback(
    job: Job, trajectory: EvaluationCallback, leaving: Leaving, *, last: int
) -> CheckpointCallback:
    """The callback that saves checkpoints; the trajectory takes up what was measured before the latest."""
    store = CheckpointStore(Path(job.root), job.cell_id)
    saved = store.load()
    if saved is not None:
        trajectory.go_on_from(saved)
    return CheckpointCallback(
        store,
        trajectory,
        pace=pace_of(job.cell.train.checkpoint_every),
        leaving=leaving,
        pausing=job.pausing,
        saved=saved,
        last=last,
    )


def _module(job: Job, model: Any, task: TaskKind, *, steps: int, first: int) -> CellModule:
    if job.hardware.gradient_checkpointing:
        checkpoint_gradients(model)
    if job.hardware.compile:
        compile_layers(model)
    return CellModule(
        model,
        task,
        job.cell.recipe,
        total_steps=steps,
        first=first,
        micro_batch=job.hardware.micro_batch,
        sharded=is_sharded(job.cell, job.hardware) and job.hardware.strategy == "fsdp",
    )


def _train(
    job: Job, module: CellModule, train: Inputs, schedule: TrainingSchedule, callbacks: list[pl.Callback]
) -> None:
    """From where the module's training stands to the end of its schedule."""
    torch.manual_seed(seed_for(job.cell.train.seed, f"dropout {rank()}"))
    hardware, left = job.hardware, schedule.batches[module.first :]
    batches = Batches(
        train,
        left,
        rank=rank(),
        world=hardware.devices,
        gpu=hardware.accelerator == "gpu",
        seeds=[seed_for(job.cell.train.seed, f"draws {step}") for step in range(module.first, len(schedule.batches))],
    )
    trainer_of(job, callbacks, len(batches)).fit(module, loader(batches))


def _bring_back(job: Job, network: Network, model: Any) -> None:
    """The trained weights, whole and on the cell's device."""
    if is_sharded(job.cell, job.hardware):
        take_over(network.model, model)
    network.model.to(device_of(job.hardware))  # where Lightning does not leave it


def outputs(job: Job, model: Any, inputs: Inputs, classes: int) -> Any:
    """The task's per-example outputs of the network on a whole set."""
    task, world = kind(job.cell.task.kind), job.hardware.devices
    precision = job.cell.train.precision
    predictions = answers(model, inputs, task, classes=classes, precision=precision, rank=rank(), world=world)
    return task.outputs(predictions, inputs.labels)


def _cost(trajectory: EvaluationCallback, network: Network) -> Cost:
    last = trajectory.points[-1]
    parameters, trained = parameter_counts(network.model)
    return Cost(
        flops=last.flops,
        examples=last.examples,
        steps=last.step,
        parameters=parameters,
        trained_parameters=trained,
        stored_bytes=network.stored_bytes,
    )


def _measured(
    job: Job, trajectory: EvaluationCallback, clock: Stopwatch, built: Assembled, micro_batch: int | None
) -> Measured:
    seconds = clock.seconds
    return Measured(
        seconds=seconds,
        training_seconds=trajectory.training_seconds,
        evaluation_seconds=trajectory.evaluation_seconds,
        trajectory_seconds=tuple(trajectory.seconds),
        peak_memory_bytes=peak_memory_bytes(),
        libraries_bytes=built.libraries_bytes,
        planned_memory_bytes=built.planned_memory_bytes,
        started_at=clock.started_at,
        finished_at=clock.started_at + seconds,
        threads=job.hardware.threads,
        devices=job.hardware.devices,
        concurrency=job.concurrency,
        micro_batch=micro_batch,
    )

"""The peer of a sweep: a plain Optuna loop in one process, whose trials call Hugging Face Trainer one after the other.

python -m tests.bench.peer_sweep JOB.json RESULT.json
"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from pipeline.config.schema import Range, Sweep
from pipeline.files import write_text
from pipeline.records import from_json, to_json
from pipeline.sweep.engines import sampler
from pipeline.sweep.suggest import suggest
from tests.bench.peer import PeerJob, items_of, trainer_of, training_rows


@dataclass(frozen=True, kw_only=True)
class PeerSweep:
    """The search; `job` is what every trial starts from, `every` the examples between its evaluations.

    `sampler` is one of Optuna's with the same settings as in a sweep, so that where trials do not learn from each other
    both sides try the same ones.
    """

    job: PeerJob
    space: dict[str, Range]
    trials: int
    sampler: Sweep
    every: int


@dataclass(frozen=True, kw_only=True)
class PeerSweepResult:
    """`values` are the trials' best accuracies on validation; `examples` all that were trained on."""

    values: tuple[float, ...]
    examples: int


def search(sweep: PeerSweep) -> PeerSweepResult:
    """Run all trials."""
    import torch
    import transformers

    torch.set_num_threads(sweep.job.setting.threads)
    transformers.logging.set_verbosity_error()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    train, validation = training_rows(sweep.job), items_of(sweep.job, "validation")
    validation.sort(key=lambda item: len(item["input_ids"]))  # its author would know that this saves padding
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.NopPruner())
    for number in range(sweep.trials):
        study.sampler = sampler(sweep.sampler, sweep.space, number=number, conditional=False)
        study.optimize(lambda trial: _trial(sweep, trial, train, validation), n_trials=1)
    return PeerSweepResult(
        values=tuple(float(t.values[0]) for t in study.trials),
        examples=sum(t.user_attrs["examples"] for t in study.trials),
    )


def _trial(sweep: PeerSweep, trial: optuna.Trial, train: list[Any], validation: list[Any]) -> float:
    values = {name.removeprefix("train."): value for name, value in suggest(trial, sweep.space).items()}
    job = dataclasses.replace(sweep.job, **values)
    judge = _judge(sweep, trial, last=round(job.epochs * len(train)))
    trainer, _ = trainer_of(job, train, validation=validation, callbacks=[judge])
    trainer.train()
    trial.set_user_attr("examples", judge.examples)
    return float(max(judge.seen))


def _judge(sweep: PeerSweep, trial: optuna.Trial, *, last: int) -> Any:
    """A callback that has validation measured where Headstart measures it, and reports it."""
    from transformers import TrainerCallback

    class Judge(TrainerCallback):
        examples = 0

        def __init__(self) -> None:
            self.seen: list[float] = []

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            before, self.examples = self.examples, state.global_step * sweep.job.batch
            control.should_evaluate = before // sweep.every < self.examples // sweep.every or self.examples >= last

        def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
            self.seen.append(metrics["eval_accuracy"])
            trial.report(self.seen[-1], self.examples)

    return Judge()


def main(arguments: list[str]) -> int:
    """Read the job, search, write what was found."""
    job_file, result_file = (Path(a) for a in arguments)
    sweep = from_json(PeerSweep, job_file.read_text(encoding="utf-8"), str(job_file))
    write_text(result_file, to_json(search(sweep)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

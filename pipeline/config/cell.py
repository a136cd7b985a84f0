"""The cell: one training, with everything that decides its result."""

import dataclasses
from dataclasses import dataclass

from pipeline.config.privacy import may_show_texts
from pipeline.config.schema import Arm, Base, Config, Precision, Recipe, Task, Train
from pipeline.methods import METHODS, Method
from pipeline.records import CellKey


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training: (base, task, arm, train size, seed, hyperparameters). `train.precision` is already resolved.

    `tested` is False for the cells of a sweep's trials: validation alone is measured, at the regular points alone.
    """

    base: Base
    task: Task
    arm: Arm
    train: Train
    tested: bool = True

    @property
    def key(self) -> CellKey:
        """The cell in words."""
        return CellKey(
            base=self.base.name, task=self.task.name, arm=self.arm.name, size=self.train.size, seed=self.train.seed
        )

    @property
    def method(self) -> Method:
        """The way its arm is trained."""
        return METHODS[self.arm.method]

    @property
    def prefix(self) -> str:
        """What is put before every text that it reads: the base's prefix, unless it has no use for a base."""
        return "" if self.method.reads == "words" else self.base.prefix or ""

    @property
    def recipe(self) -> Recipe:
        """The arm's recipe with what `train` overrides."""
        names = [f.name for f in dataclasses.fields(Recipe)]
        given = {n: getattr(self.train, n) for n in names if getattr(self.train, n) is not None}
        return dataclasses.replace(self.arm.recipe, **given)

    @property
    def pretraining(self) -> "Cell | None":
        """The training on the task's own text that this one goes on from: one for all sizes and seeds of an arm.

        Its data keep their labels, though it reads none: rows are held out by class, and must be the same ones.
        What a sweep may try of `train` leaves it as it is; its dropout is the base's own.
        """
        asked = self.arm.pretraining
        if asked.objective is None:
            return None
        return Cell(
            base=dataclasses.replace(self.base, pooling="auto", prefix=None),
            task=dataclasses.replace(self.task, kind=asked.objective, metric="loss"),
            arm=Arm(
                name=f"{self.arm.name}-pretraining",
                start=self.arm.start,
                shrink=self.arm.shrink,
                recipe=asked.recipe,
            ),
            train=Train(
                size=asked.size,
                seed=asked.seed,
                batch=asked.batch,
                precision=self.train.precision,
                keep="all",
                fit_memory=self.train.fit_memory,
                checkpoint_every=self.train.checkpoint_every,
            ),
            tested=False,
        )


def cell_of(config: Config, *, precision: Precision, tested: bool = True) -> Cell:
    """The cell that `config` describes, with the precision that the coordinator resolved."""
    samples = config.train.samples if may_show_texts(config) else 0
    train = dataclasses.replace(config.train, precision=precision, samples=samples)
    return Cell(base=config.base, task=config.task, arm=config.arm, train=train, tested=tested)

"""Evaluation sets that a claim means by what they are to the task, whatever they are called there."""

import dataclasses
from typing import Literal, get_args

from pipeline.config.schema import Study, Task

Role = Literal["other_domain", "other_language"]
BY_ROLE: tuple[Role, ...] = get_args(Role)


def with_sets_named(study: Study, task: Task) -> Study:
    """The study with the names of the task's sets in claims that mean them by role; without such a set, as it is."""
    claims = {
        key: dataclasses.replace(claim, dataset=_named(claim.dataset, task)) for key, claim in study.claims.items()
    }
    return dataclasses.replace(study, claims=claims)


def _named(dataset: str, task: Task) -> str:
    """The first out-of-domain set in another language than the training data, or in the same one."""
    if dataset not in BY_ROLE:
        return dataset
    foreign = dataset == "other_language"
    here = (None, task.data.language)
    found = (name for name, data in task.out_of_domain.items() if (data.language not in here) == foreign)
    return next(found, dataset)

"""Evaluation sets that a claim means by what they are to the task, whatever they are called there."""

import dataclasses
from typing import Literal, get_args

from pipeline.config.schema import Study, Task

Role = Literal["other_domain", "other_language"]
BY_ROLE: tuple[Role, ...] = get_args(Role)


def with_sets_named(study: Study, task: Task) -> Study:
    """The study with the names of the task's sets in claims that mean them by role; without such a set, as it is."""
    claims = {
        key: dataclasses.replace(claim, dataset=set_by_role(claim.dataset, task) or claim.dataset)
        for key, claim in study.claims.items()
    }
    return dataclasses.replace(study, claims=claims)


def set_by_role(role: str, task: Task) -> str | None:
    """The first out-of-domain set in the language of the training data, or in another one; None if there is none."""
    if role not in BY_ROLE:
        return None
    here, foreign = (None, task.data.language), role == "other_language"
    return next((name for name, data in task.out_of_domain.items() if (data.language not in here) == foreign), None)

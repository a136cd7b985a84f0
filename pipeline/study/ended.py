"""How a study ended before its last planned look: its budget was spent, and one last look used the error that was left.

The cells of that look are those of all complete seeds. How many these are, the budget decides and how long cells take,
never their scores: so the look needs no planning, since the clock does not know the scores.
"""

import dataclasses
import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pipeline.analysis.verdict import INCONCLUSIVE
from pipeline.config.schema import Study
from pipeline.files import write_text
from pipeline.records import Verdict, from_json, to_json
from pipeline.study.looks import groups_read, looks_of, plain_looks
from pipeline.study.plan import Plan

FILE = "ended.json"
LEAST = 2  # seeds of a look


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The study as it was planned when its budget was spent, and the complete seeds of the last look."""

    at: str
    study: Study
    seeds: tuple[int, ...]


def ended(plan: Plan) -> Plan:
    """The plan with the looks that were taken, if its study has ended; else `plan` itself.

    A study that is planned otherwise by now, with a larger budget for example, has not ended.
    """
    path = plan.folder / FILE
    if not path.is_file():
        return plan
    end = from_json(Ended, path.read_text(encoding="utf-8"), str(path))
    return _in_force(plan, end) if _planned(end.study) == _planned(plan.config.study) else plan


def end(plan: Plan, verdicts: Iterable[Verdict], failed: Collection[str]) -> Plan:
    """End the study with a look at its complete seeds; `plan` itself where they are too few for another one."""
    seeds = complete_seeds(plan, verdicts, failed)
    taken = [look for look in looks_of(plan.config.study) if len(look.seeds) <= len(seeds)]
    if len(seeds) < LEAST or (taken and len(taken[-1].seeds) == len(seeds)):
        return plan
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    closing = Ended(at=at, study=plan.config.study, seeds=seeds)
    write_text(plan.folder / FILE, to_json(closing))
    return _in_force(plan, closing)


def complete_seeds(plan: Plan, verdicts: Iterable[Verdict], failed: Collection[str]) -> tuple[int, ...]:
    """The first seeds of which no cell is left to train that an open claim reads; failed cells are not left."""
    study = plan.config.study
    settled = {v.claim for v in verdicts if v.verdict != INCONCLUSIVE}
    groups = {g for n, c in study.claims.items() if n not in settled for g in groups_read(study, c, plan.from_scratch)}
    left = {
        cell.train.seed
        for name, cell in plan.missing().items()
        if name not in failed and (cell.arm.name, cell.train.size) in groups
    }
    first = next((i for i, seed in enumerate(study.seeds) if seed in left), len(study.seeds))
    return study.seeds[:first]


def _in_force(plan: Plan, end: Ended) -> Plan:
    study = plan.config.study
    looks, spend = plain_looks(study)
    taken = sum(count <= len(end.seeds) for count in looks)
    looked = dataclasses.replace(
        study,
        seeds=end.seeds,
        looks=(*looks[:taken], len(end.seeds)),
        spend=(*spend[:taken], 1 - study.reserve - sum(spend[:taken])),
    )
    config = dataclasses.replace(plan.config, study=looked)
    return dataclasses.replace(plan, config=config, ended_by=study.budget or "")


def _planned(study: Study) -> tuple[object, ...]:
    return study.seeds, study.looks, study.spend, study.reserve, study.budget

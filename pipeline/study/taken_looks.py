"""The looks that a study has taken, one line each in `looks.jsonl`: what was found, at which level, on which cells.

Lines are only ever added. A verdict that was reached stands, also where its cells are lost later, as long as the claim,
the level and the cells are those of then. Lines of another version of verdicts are kept and not read.
"""

import dataclasses
import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.analysis.verdict import INCONCLUSIVE
from pipeline.files import digest, write_text
from pipeline.records import Verdict, encode, from_json
from pipeline.study.looks import ahead, groups_read, looks_of, needed
from pipeline.study.plan import Plan

FILE = "looks.jsonl"
VERDICT_VERSION = 5  # raised by hand when a change of the code changes verdicts on the same cells


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One look at one claim. `terms` is a digest of all that decides its verdict: claim, level, target and cells."""

    at: str
    version: int
    seeds: tuple[int, ...]
    cells: tuple[str, ...]
    terms: str
    verdict: Verdict


def wanted(plan: Plan, verdicts: Iterable[Verdict], *, last: bool = False) -> Plan:
    """The cells of `plan` that the next look at each open claim needs, with all that earlier looks rest on.

    With `last`, those that the study needs at most: as if each open claim stayed open to the last look.
    """
    study = plan.config.study
    places = needed(study, plan.from_scratch, ahead(study, verdicts, last=last))
    cells = {n: c for n, c in plan.cells.items() if (c.arm.name, c.train.size, c.train.seed) in places}
    return dataclasses.replace(plan, cells=cells)


def kept(plan: Plan) -> dict[str, Verdict]:
    """By claim, the verdict that an earlier look reached, where it rests on what `plan` would rest it on."""
    verdicts: dict[str, Verdict] = {}
    for taken in _read(plan):
        verdict = taken.verdict
        if verdict.verdict != INCONCLUSIVE and verdict.claim in plan.config.study.claims:
            look = verdict.look
            if look <= len(looks_of(plan.config.study)) and taken.terms == _terms(plan, verdict.claim, look):
                verdicts.setdefault(verdict.claim, verdict)
    return verdicts


def take(plan: Plan, verdicts: Sequence[Verdict]) -> None:
    """Add the looks that `verdicts` rest on, those that have no line yet."""
    known = {taken.terms for taken in _read(plan)}
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    new = [
        Taken(
            at=at,
            version=VERDICT_VERSION,
            seeds=looks_of(plan.config.study)[v.look - 1].seeds,
            cells=_cells(plan, v.claim, v.look),
            terms=terms,
            verdict=dataclasses.replace(v, after_looking=()),
        )
        for v in verdicts
        if v.look and (terms := _terms(plan, v.claim, v.look)) not in known
    ]
    if new:
        lines = [json.dumps(encode(taken), sort_keys=True, ensure_ascii=False) for taken in new]
        write_text(plan.folder / FILE, "\n".join((*_lines(plan), *lines)) + "\n")


def _read(plan: Plan) -> list[Taken]:
    """The looks of this version of verdicts; the records of another may have other fields."""
    path = plan.folder / FILE
    entries = []
    for number, line in enumerate(_lines(plan), start=1):
        where = f"{path}, line {number}"
        if from_json(dict[str, Any], line, where).get("version") == VERDICT_VERSION:
            entries.append(from_json(Taken, line, where))
    return entries


def _lines(plan: Plan) -> list[str]:
    path = plan.folder / FILE
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _cells(plan: Plan, claim: str, look: int) -> tuple[str, ...]:
    study = plan.config.study
    seeds = set(looks_of(study)[look - 1].seeds)
    groups = set(groups_read(study, study.claims[claim], plan.from_scratch))
    return tuple(
        name
        for name, cell in plan.cells.items()
        if cell.train.seed in seeds and (cell.arm.name, cell.train.size) in groups
    )


def _terms(plan: Plan, name: str, look: int) -> str:
    study = plan.config.study
    claim = dataclasses.replace(study.claims[name], statement="")
    fixed = [VERDICT_VERSION, encode(claim), looks_of(study, name)[look - 1].level, plan.from_scratch]
    content = plan.evaluated.get(claim.dataset, "")  # which the cells' ids do not hold
    return digest(json.dumps(encode(fixed), sort_keys=True), content, *_cells(plan, name, look))

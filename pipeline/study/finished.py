"""A study that has findings, opened from its folder: neither its overrides nor its data are needed."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.schema import Arm
from pipeline.errors import UserError, nearest
from pipeline.records import CellResult, Findings, from_json
from pipeline.storage.results import ResultStore
from pipeline.study.finding.basis import Basis
from pipeline.study.finding.recommendation import Recommendation, recommend
from pipeline.study.stated import FILE, Stated

FINDINGS = "findings.json"


@dataclass(frozen=True, kw_only=True)
class FinishedStudy:
    """The findings of a study and the cells that they rest on."""

    folder: Path
    findings: Findings

    @classmethod
    def read(cls, root: Path, name: str) -> "FinishedStudy":
        """The study called `name` under `root` (`paths.root`).

        Raises:
            UserError: no study of this name has findings there.
        """
        folder = root / "studies" / name
        if not (folder / FINDINGS).is_file():
            names = sorted(path.parent.name for path in root.glob(f"studies/*/{FINDINGS}"))
            raise UserError(f"There is no finished study {name!r} under {root / 'studies'}. {nearest(name, names)}")
        path = folder / FINDINGS
        return cls(folder=folder, findings=from_json(Findings, path.read_text(encoding="utf-8"), str(path)))

    @property
    def store(self) -> ResultStore:
        """Where its cells are."""
        return ResultStore(self.folder.parent.parent)

    def cells(self) -> list[CellResult]:
        """The results of its cells, without sets and audits that were evaluated later."""
        return [self.store.result(cell_id) for cell_id in self.findings.cells.values()]

    def arms(self) -> list[Arm]:
        """The settings of its arms, one of each name, in the study's order."""
        of_cells = (self.store.cell(cell_id).arm for cell_id in self.findings.cells.values())
        by_name = {arm.name: arm for arm in of_cells}
        return [by_name[name] for name in self.findings.arms if name in by_name]

    def recommendation(self) -> Recommendation | None:
        """See `recommend`; None until every arm was trained under two seeds."""
        if not self.findings.cells:
            return None
        path = self.folder / FILE
        stated = from_json(Stated, path.read_text(encoding="utf-8"), str(path))
        cell = self.store.cell(next(iter(self.findings.cells.values())))
        study = dataclasses.replace(stated.now.study, seeds=self.findings.seeds)  # a budget may have ended it
        basis = Basis(study=study, base=cell.base, task=cell.task, from_scratch=stated.now.from_scratch)
        return recommend(basis, self.cells(), self.store, self.findings)

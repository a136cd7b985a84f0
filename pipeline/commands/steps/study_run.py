"""One run of a study: it trains for one look after the other, and shows the scores so far at each complete seed."""

import dataclasses
import time
from collections.abc import Callable, Sequence

from pipeline.analysis.verdict import INCONCLUSIVE
from pipeline.commands.steps.evaluating import evaluate_finished
from pipeline.commands.steps.findings import claims_of, report_on, write_findings
from pipeline.commands.steps.pretraining import pretrain
from pipeline.execution.assignment import Event
from pipeline.language import tr
from pipeline.records import Findings
from pipeline.report.verdicts import looks_text
from pipeline.study.ended import end
from pipeline.study.plan import Plan
from pipeline.study.progress import Progress
from pipeline.study.run import Outcome, failures
from pipeline.study.run import run as run_plan
from pipeline.study.spending import Spending
from pipeline.study.stated import Stated
from pipeline.study.taken_looks import wanted

INTERIM_SECONDS = 10.0  # at least, between two reports of the scores so far


class StudyRun:
    """Trains what a study needs, judges it, and keeps its report up to date.

    Args:
        plan: the study's; one that has ended with its budget trains nothing.
        stated: what the study set out to judge.
        record: writes that down; called before the first cell starts.
        command: the words that the report repeats.
        show: called with the findings so far, after the report that shows them.
    """

    def __init__(
        self,
        plan: Plan,
        stated: Stated,
        record: Callable[[], object],
        command: Sequence[str],
        show: Callable[[Findings], object],
    ) -> None:
        self.plan, self._stated, self._record, self._command, self._show = plan, stated, record, command, show
        self._spending = Spending(plan) if plan.config.study.budget and not plan.ended_by else None
        self._reported = time.monotonic()
        self.outcome = Outcome(finished=(), trained=(), failed=())

    def to_the_end(self) -> Findings:
        """Train until all claims are settled, no look is left or the budget is spent; what was found."""
        part, tried = wanted(self.plan, ()), set[str]()
        evaluate_finished(self.plan)
        while True:
            self.outcome = self.outcome.then(self._trained(part))
            tried |= set(part.cells)
            gone = {failed.cell_id for failed in self.outcome.failed}
            findings = self._findings()
            if self._spending and self._spending.over:
                self.plan = end(self.plan, findings.verdicts, gone)
                return self._findings()
            more = wanted(self.plan, findings.verdicts)
            if set(more.cells) <= tried or self.plan.ended_by:
                return findings
            print(f"{looks_text(findings)} {_settled(findings)}".strip())
            part = dataclasses.replace(more, cells={n: c for n, c in more.cells.items() if n not in gone})

    def _findings(self) -> Findings:
        return write_findings(self.plan, self.plan.results(), self.outcome.failed, self._stated)

    def _trained(self, part: Plan) -> Outcome:
        """What of `part` was trained, as far as the budget goes; nothing more once the study has ended."""
        if self.plan.ended_by:
            part = dataclasses.replace(part, cells={n: c for n, c in part.cells.items() if part.store.has(n)})
        if part.missing():
            pretrain(part, self._record)
        try:
            with Progress(part, self._spending.seconds_left if self._spending else None) as progress:
                watch = self._watching(part, progress)
                return run_plan(
                    part,
                    watch,
                    before_training=self._record,
                    affords=lambda name: self._spending is None or self._spending.affords(name, part),
                    tell=lambda sentences: None if self.outcome.trained else progress.show(sentences),
                )
        finally:
            if self._spending:
                self._spending.keep()

    def _watching(self, part: Plan, progress: Progress) -> Callable[[Event], None]:
        """Tells `progress` of each event, and writes the report of the scores so far when a seed is complete."""
        left = {name: cell.train.seed for name, cell in part.missing().items()}

        def watch(event: Event) -> None:
            progress.watch(event)
            if event.state in ("finished", "failed"):
                seed = left.pop(event.cell_id, None)
                if left and seed is not None and seed not in left.values():
                    self._interim(progress)

        return watch

    def _interim(self, progress: Progress) -> None:
        cells = self.plan.results()
        if not cells or time.monotonic() - self._reported < INTERIM_SECONDS:
            return
        findings = write_findings(self.plan, cells, failures(self.plan), self._stated)
        page = report_on(self.plan, cells, findings, self._command, claims_of(self.plan, cells, findings))
        self._show(findings)
        progress.console.print(tr("Scores so far: {page}", page=page))
        self._reported = time.monotonic()


def _settled(findings: Findings) -> str:
    settled = sum(v.verdict != INCONCLUSIVE for v in findings.verdicts)
    return tr(
        "{settled} of {all} claims are settled; the study goes on with what the others need.",
        settled=settled,
        all=len(findings.verdicts),
    )

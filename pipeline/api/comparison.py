"""What `headstart.compare` returns: the findings of a study, and the networks that it trained."""

import html
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.api.tables import examples_of, prediction_table, score_table, verdict_table
from pipeline.commands.predict import predictions
from pipeline.commands.steps.trained import restored_cell, validation_score
from pipeline.config.schema import Predict
from pipeline.errors import UserError, nearest
from pipeline.records import CellResult, Findings
from pipeline.report.palette import Palette
from pipeline.report.picture import main_figure
from pipeline.report.recommendation import no_recommendation_text, recommendation_text
from pipeline.report.svg import drawing_settings
from pipeline.report.wording import plural, size_name
from pipeline.study.finished import FinishedStudy
from pipeline.tasks import inputs, kind

if TYPE_CHECKING:
    import pandas

    from pipeline.api.shown_figure import ShownFigure


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """Which arm to use at the largest train size.

    Args:
        arm: the arm with the best mean score.
        cheapest: of the arms within one point of it, the one whose training takes the least computation.
        text: the recommendation in words, with intervals; `print` shows it.
    """

    arm: str
    cheapest: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A finished study.

    Args:
        study: its findings and where it lies.
    """

    study: FinishedStudy

    @property
    def findings(self) -> Findings:
        """Everything the study found, as findings.json has it."""
        return self.study.findings

    @property
    def verdicts(self) -> "pandas.DataFrame":
        """The verdict on each claim: supported, refuted or inconclusive, with its effect and interval."""
        return verdict_table(self.findings)

    @property
    def scores(self) -> "pandas.DataFrame":
        """The mean score of each arm at each train size on each evaluation set, with its interval."""
        return score_table(self.findings)

    @property
    def recommendation(self) -> Recommended | None:
        """Which arm to use; None until every arm was trained under two seeds."""
        advice = self.study.recommendation()
        if advice is None:
            return None
        findings = self.findings
        text = recommendation_text(advice, counted=findings.counted, higher_is_better=findings.higher_is_better)
        return Recommended(arm=advice.best.arm, cheapest=advice.cheapest, text=text)

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.study.folder / "report.html"

    def figure(self) -> "ShownFigure":
        """The learning curves as a matplotlib figure: score against the number of training labels."""
        from pipeline.api.shown_figure import ShownFigure

        with drawing_settings():
            figure = main_figure(self.findings, Palette.of(self.study.arms()), ShownFigure)
        assert isinstance(figure, ShownFigure)
        return figure

    def predict(self, texts: Iterable[object], *, arm: str | None = None) -> "pandas.DataFrame":
        """Predict with a trained network of the study: its best seed on validation at the largest train size.

        Args:
            texts: a text or several; tuples for tasks that read more than one text, such as pairs.
            arm: whose network; the recommended one if None.

        Returns:
            The rows of each text, in order: for classification one, with the columns text, label and probability.

        Raises:
            DataError: an item is no text.
            UserError: the study has no such arm, or no weights of it were kept.
        """
        trained = restored_cell(self.study.store, self._cell(arm).cell_id)
        task = kind(trained.cell.task.kind)
        examples = examples_of(texts, inputs(task))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")  # by tqdm: no bar is shown anyway
            return prediction_table(task.predicted, predictions(trained, examples, Predict()))

    def _cell(self, arm: str | None) -> CellResult:
        advice, cells = self.recommendation, self.study.cells()
        if not cells:
            raise UserError(f"No training of {self.findings.study} has finished, so that nothing can predict.")
        if arm is None and advice is None:
            raise UserError(f"{no_recommendation_text(self.findings)} Until then name one: predict(texts, arm=ARM).")
        if arm is not None and arm not in self.findings.arms:
            raise UserError(f"{self.findings.study} has no arm {arm!r}. {nearest(arm, self.findings.arms)}")
        store, order = self.study.store, self.findings.sizes
        chosen = arm or (advice.arm if advice else "")
        own = [cell for cell in cells if cell.key.arm == chosen]
        if not own:
            raise UserError(
                f"No training of {chosen} in {self.findings.study} has finished, so that it cannot predict."
            )
        kept = [cell for cell in own if store.weights(cell.cell_id)] or own
        return max(kept, key=lambda cell: (order.index(cell.key.size), validation_score(cell)))

    def __repr__(self) -> str:
        advice = self.recommendation
        best = (
            f"{advice.arm} is best with {size_name(self.findings.sizes[-1])} labels"
            if advice
            else "no recommendation yet"
        )
        return f"<headstart.Comparison {self.findings.study!r}: {best}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        advice, findings = self.recommendation, self.findings
        lines = advice.text.splitlines() if advice else [no_recommendation_text(findings)]
        if findings.failed:
            lines.append(f"{plural(len(findings.failed), 'training')} failed.")
        report = html.escape(str(self.report))
        return "".join(
            [
                f"<h4>{html.escape(findings.question)}</h4>",
                *(f"<p>{html.escape(line)}</p>" for line in lines),
                self.figure()._repr_svg_() if findings.scores else "",
                self.verdicts[["statement", "verdict", "sentence"]].to_html(index=False, escape=True),
                f"<p>Report: {report}</p>",
            ]
        )

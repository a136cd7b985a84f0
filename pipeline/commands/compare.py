"""`compare`: a study on somebody's own table, whose columns are recognised, and what to do by its findings."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.commands import study
from pipeline.commands.steps.own_table import Given, given_by, settings_by
from pipeline.config.compose import compose
from pipeline.config.redaction import without_secrets
from pipeline.config.schema import Config, Task
from pipeline.config.search_path import program
from pipeline.config.typed_text import setting_name
from pipeline.language import in_language, tr
from pipeline.report.recommendation import no_recommendation_text, recommendation_text
from pipeline.study.finished import FinishedStudy


def run(arguments: Sequence[str]) -> int:
    """Recognise the columns, say so, run the study, and recommend an arm."""
    overrides = study_of(given_by(arguments, "compare"))
    code, config = study.run(overrides), compose(overrides)
    if not config.plan:
        _recommend(config, overrides)
    return code


def study_of(given: Given) -> list[str]:
    """The overrides of a study on the table, after printing what its columns were taken for and the command.

    Raises:
        DataError: the table cannot be read, or a column that is needed is not there.
    """
    overrides = ["experiments=compare", *settings_by(given, factor=4), *given.overrides]
    print(f"The same as: {program()} study {shlex.join(without_secrets(overrides))}\n", flush=True)
    return overrides


def _recommend(config: Config, overrides: Sequence[str]) -> None:
    finished = FinishedStudy.read(Path(config.paths.root), config.study.name)
    recommendation, findings = finished.recommendation(), finished.findings
    with in_language(config.report.language):
        if recommendation is None:
            print("\n" + no_recommendation_text(findings))
            return
        text = recommendation_text(recommendation, counted=findings.counted, higher_is_better=findings.higher_is_better)
        lines = [*text.splitlines(), *_next(config.task, overrides)]
        print("\n".join(["", tr("Recommendation"), *(f"  {line}" for line in lines)]))


def _next(task: Task, overrides: Sequence[str]) -> Iterator[str]:
    root = [o for o in overrides if setting_name(o) == "paths.root"]
    use = shlex.join([f"task.name={task.name}", *root])
    predict = f"{program()} predict {use} predict.text={shlex.quote(tr('a new text'))}"
    yield tr("Tell new texts:  {command}", command=predict)
    yield tr("Take it along:   {command}", command=f"{program()} export {use} export={task.name}-model")

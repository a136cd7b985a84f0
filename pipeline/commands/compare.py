"""`compare`: a study on somebody's own table, whose columns are recognised, and what to do by its findings."""

import shlex
from collections.abc import Iterator, Sequence

from pipeline.commands import study
from pipeline.commands.steps.findings import basis_of
from pipeline.commands.steps.own_table import given_by, settings_by
from pipeline.config.compose import compose
from pipeline.config.redaction import without_secrets
from pipeline.config.search_path import program
from pipeline.config.typed_text import setting_name
from pipeline.records import Findings, from_json
from pipeline.report.recommendation import recommendation_text
from pipeline.report.wording import plain
from pipeline.study.ended import ended
from pipeline.study.finding.recommendation import recommend
from pipeline.study.plan import Plan, plan_study
from pipeline.study.run import failures
from pipeline.study.stated import stated


def run(arguments: Sequence[str]) -> int:
    """Recognise the columns, say so, run the study, and recommend an arm."""
    given = given_by(arguments, "compare")
    overrides = ["experiments=compare", *settings_by(given, factor=4), *given.overrides]
    print(f"The same as: {program()} study {shlex.join(without_secrets(overrides))}\n", flush=True)
    code = study.run(overrides)
    if not compose(overrides).plan:
        _recommend(overrides)
    return code


def _recommend(overrides: Sequence[str]) -> None:
    plan = ended(plan_study(overrides))
    path = plan.folder / "findings.json"
    if not path.is_file() or not plan.results():
        return
    findings = from_json(Findings, path.read_text(encoding="utf-8"), str(path))
    recommendation = recommend(basis_of(plan, failures(plan), stated(plan)[0]), plan.results(), plan.store, findings)
    if recommendation is None:
        return
    text = recommendation_text(recommendation, counted=findings.counted, higher_is_better=findings.higher_is_better)
    print("\n".join(["", "Recommendation", *(f"  {line}" for line in [*text.splitlines(), *_next(plan, overrides)])]))


def _next(plan: Plan, overrides: Sequence[str]) -> Iterator[str]:
    task = plan.config.task
    root = [o for o in overrides if setting_name(o) == "paths.root"]
    use = shlex.join([f"task.name={task.name}", *root])
    yield f"Tell new texts:  {program()} predict {use} predict.text={shlex.quote(plain('a new text'))}"
    yield f"Take it along:   {program()} export {use} export={task.name}-model"

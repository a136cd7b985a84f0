"""`report`: findings, figures and report of a study again, from finished cells."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.commands.steps.findings import about, basis_of, claims_of, report_on, write_findings
from pipeline.commands.steps.publishing import Published, publish, rebuild
from pipeline.commands.steps.tables import show_change, show_claims, show_findings
from pipeline.config.compose import compose
from pipeline.config.redaction import without_secrets
from pipeline.config.search_path import program
from pipeline.config.typed_text import setting_name
from pipeline.errors import ConfigError, UserError
from pipeline.files import write_bytes
from pipeline.language import in_language, tr
from pipeline.study.ended import ended
from pipeline.study.plan import Plan, plan_study
from pipeline.study.run import failures
from pipeline.study.stated import FILE as STATED
from pipeline.study.stated import Stated, state
from pipeline.study.tuning import tuned_as_before

WITH_PUBLISHED = ("published", "paths.root", "report.language", "debug")


def run(overrides: Sequence[str]) -> int:
    """Write them and show the verdicts. Nothing is trained; what changes the study's statement is recorded."""
    if any(setting_name(o) == "published" for o in overrides):
        return _published(overrides)
    plan = tuned_as_before(overrides, plan_study(overrides))
    cells = plan.results()
    if not cells:
        given = f"{program()} study {shlex.join(without_secrets(overrides))}"
        raise UserError(f"No cell of {plan.config.study.name} is finished under {plan.store.cells}. Run: {given}")
    stated, change = state(plan)
    show_change(change)
    plan = ended(plan)
    findings = write_findings(plan, cells, failures(plan), stated)
    command = ["study", *(o for o in overrides if setting_name(o) != "publish")]
    claims = claims_of(plan, cells, findings)
    path = report_on(plan, cells, findings, command, claims)
    with in_language(plan.config.report.language):
        show_findings(findings)
        if claims:
            show_claims(claims)
        print(tr("{finished} of {all} cells are finished.", finished=len(cells), all=len(plan.cells)))
        print(f"{tr('Report')}: {path}")
    if plan.config.publish:
        _publish(plan, stated, command, Path(plan.config.publish))
    return 0


def _publish(plan: Plan, stated: Stated, command: Sequence[str], folder: Path) -> None:
    cells = plan.results()
    published = Published(
        basis=basis_of(plan, failures(plan), stated),
        about=about(plan, cells, command),
        cells=tuple(cell.cell_id for cell in cells),
        evaluated=plan.evaluated,
        audits=plan.audits,
    )
    publish(folder, published, plan.store)
    write_bytes(folder / STATED, (plan.folder / STATED).read_bytes())
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"Published: {folder} ({size / 1e6:.2f} MB). Its report: {program()} report published={folder}")


def _published(overrides: Sequence[str]) -> int:
    """The report of a published study, which brings its own settings."""
    wrong = [o for o in overrides if setting_name(o) not in WITH_PUBLISHED]
    if wrong:
        raise ConfigError([f"{wrong[0]} has no place here: a published study brings its own settings."])
    config = compose(overrides)
    if not config.published:
        raise ConfigError(["published must be a folder that was written by publish=FOLDER, but is empty."])
    folder = Path(config.published)
    language = config.report.language
    findings, path, claims = rebuild(folder, Path(config.paths.root) / "published" / folder.resolve().name, language)
    with in_language(language):
        show_findings(findings)
        if claims:
            show_claims(claims)
        print(f"{tr('Report')}: {path}")
    return 0

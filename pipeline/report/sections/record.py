"""The sections that let a reader check and repeat: cells, failures, fairness, limits, data, recipes, versions."""

import dataclasses
from collections.abc import Sequence

from pipeline.config.schema import Arm
from pipeline.language import marked, nouns, numeral, tr, translated, translated_sentence
from pipeline.methods import METHODS
from pipeline.records import CellResult, FailedCell, Findings
from pipeline.report.about import About, BaseFacts
from pipeline.report.layout import Column, Entry, Section, Table, arm_entry, cut, table
from pipeline.report.wording import count, plain, plural, size_name

MOST_FAILED = 100
_SEEN = {
    "known_seen": marked("Yes: the base's pretraining is known to have included the test text."),
    "known_unseen": marked("No: the base's pretraining is known not to have included the test text."),
    "unknown": marked("Unknown: nobody can say whether the base's pretraining included the test text."),
}


def failed(findings: Findings) -> Section:
    """Cells without a result, each with its reason."""
    cells = findings.failed
    lead = tr("{cells} left no result.", cells=plural(len(cells), "cell")) if cells else tr("No training failed.")
    tables = (_failed_table(cells),) if cells else ()
    return Section(anchor="failed", title=tr("Failed cells"), lead=lead, tables=tables)


def _failed_table(cells: Sequence[FailedCell]) -> Table:
    shown = (
        tr("The first {shown} of {all}.", shown=MOST_FAILED, all=count(len(cells))) if len(cells) > MOST_FAILED else ""
    )
    columns: list[Column[FailedCell]] = [
        Column(tr("cell"), lambda f: plain(f.cell_id)[:12], words=True),
        Column(tr("arm"), lambda f: arm_entry(f.arm), words=True),
        Column(tr("reason"), lambda f: plain(f.reason, 400), words=True),
        Column(nouns("label"), lambda f: size_name(f.size)),
        Column(tr("seed"), lambda f: str(f.seed)),
    ]
    return table(cells[:MOST_FAILED], columns, caption=shown, tall=len(cells) > 20)


def fairness(findings: Findings) -> Section:
    """What was checked to be equal between the arms, and what was declared to differ."""
    return Section(anchor="fairness", title=tr("Fairness checks"), bullets=cut(findings.fairness))


def seen(about: About) -> Section:
    """Whether the base could have seen the test text, and why we say so."""
    lead = _seen(about.base)
    others = tuple(f"{base.name}: {_seen(base)}" for base in about.others)
    return Section(anchor="seen", title=tr("Could the base have seen the test text?"), lead=lead, bullets=cut(others))


def _seen(base: BaseFacts) -> str:
    answer = translated(_SEEN.get(base.test_text_seen, _SEEN["unknown"]))
    note = plain(translated_sentence(base.test_text_note))
    return f"{answer} {note}" if note else f"{answer} {tr('Its base states no reason.')}"


def limits(findings: Findings) -> Section:
    """What the comparison does not show."""
    return Section(anchor="limits", title=tr("What this comparison does not show"), bullets=cut(findings.caveats))


def data(findings: Findings, about: About, cells: Sequence[CellResult]) -> Section:
    """The base, the task and what was done to its data."""
    bases = [fact for base in (about.base, *about.others) for fact in _facts(base)]
    facts = [
        *bases,
        (tr("Task"), about.task),
        (tr("Classes"), _classes(cells[0].labels) if cells else ""),
        (tr("Data"), translated(about.data_upstream or "")),
        (tr("Data licence"), translated(about.data_licence)),
    ]
    shown = tuple((name, plain(value, 400)) for name, value in facts if value)
    return Section(anchor="data", title=tr("Base and data"), facts=shown, bullets=cut(about.data_report))


def _facts(base: BaseFacts) -> list[tuple[str, str]]:
    return [
        (tr("Base"), _joined(base.name, translated(base.upstream or ""), base.revision)),
        (tr("Base licence"), translated(base.licence)),
        (tr("Base weights"), f"sha256 {base.sha256}" if base.sha256 else ""),
    ]


def _classes(labels: Sequence[str]) -> str:
    shown = ", ".join(plain(label, 60) for label in labels[:20])
    return f"{len(labels)}: {shown}" + (", …" if len(labels) > 20 else "")


def _joined(name: str, *more: str | None) -> str:
    extra = [m for m in dict.fromkeys(more) if m and m != name]
    return f"{name} ({', '.join(extra)})" if extra else name


def recipes(findings: Findings, about: About) -> Section:
    """How each arm is trained, side by side."""
    arms = [a for name in findings.arms for a in about.arms if a.name == name]
    names = [f.name for f in dataclasses.fields(arms[0].recipe)] if arms else []
    rows = [
        _recipe_row(tr("start"), [translated(a.start) for a in arms]),
        _recipe_row(tr("trained"), [_trained(a) for a in arms]),
    ]
    if any(a.shrink < 1 for a in arms):
        rows.append(
            _recipe_row(
                tr("size of the network"),
                [tr("the base's") if a.shrink == 1 else tr("{share:g} of it", share=a.shrink) for a in arms],
            )
        )
    if any(a.head != "fresh" for a in arms):
        rows.append(_recipe_row(tr("head"), [translated(a.head.replace("_", " ")) for a in arms]))
    if any(a.pretraining.objective for a in arms):
        rows.append(_recipe_row(tr("reads the task's text before"), [_before(a) for a in arms]))
    rows += [
        _recipe_row(translated(n.replace("_", " ")), [_setting(getattr(a.recipe, n)) for a in arms]) for n in names
    ]
    table = Table(caption="", header=("", *(plain(a.name, 40) for a in arms)), rows=tuple(rows))
    lead = tr("Declared per arm; everything else is the same for all.") if arms else tr("Not recorded.")
    return Section(anchor="recipes", title=tr("Recipes"), lead=lead, tables=(table,) if arms else ())


def _recipe_row(name: str, values: Sequence[str]) -> tuple[Entry, ...]:
    return (Entry(name), *(Entry(plain(v, 60)) for v in values))


def _trained(arm: Arm) -> str:
    method = METHODS[arm.method]
    part = translated(method.trained_part)
    return tr("{part} (rank {rank})", part=part, rank=arm.lora.rank) if method.adapts else part


def _before(arm: Arm) -> str:
    asked = arm.pretraining
    if asked.objective is None:
        return tr("no")
    return tr(
        "{objective}, {epochs:g} epochs of {size}",
        objective=translated(asked.objective.replace("_", " ")),
        epochs=asked.recipe.epochs,
        size=size_name(asked.size),
    )


def _setting(value: float | int | str) -> str:
    return translated(value) if isinstance(value, str) else numeral(value, "g")


def repeat(findings: Findings, about: About) -> Section:
    """The command that repeats the study and what it ran on."""
    facts = [
        (tr("Machine"), plain(translated_sentence(about.machine), 300)),
        (tr("Precision"), plain(about.precision, 60)),
        (tr("Cells at a time"), str(about.concurrency)),
        (tr("Seeds"), _seeds(findings.seeds)),
        (tr("Made"), plain(about.created, 60)),
        (tr("Versions"), ", ".join(f"{plain(k, 60)} {plain(v, 60)}" for k, v in sorted(about.versions.items()))),
    ]
    shown = tuple((k, v) for k, v in facts if v)
    lead = tr("The same command finds the finished cells again and trains only what is missing.")
    return Section(anchor="repeat", title=tr("Repeat it"), lead=lead, code=about.command, facts=shown)


def _seeds(seeds: Sequence[int]) -> str:
    return (
        ", ".join(map(str, seeds))
        if len(seeds) <= 20
        else tr("{number}, from {first} to {last}", number=count(len(seeds)), first=min(seeds), last=max(seeds))
    )

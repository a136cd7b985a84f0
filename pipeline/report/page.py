"""Sets the sections as one HTML page that needs nothing else: no script, no font, no other file."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from pipeline.language import language_tag, nouns, tr, translated
from pipeline.records import Findings
from pipeline.report.figures.panel import WIDE, panel_width
from pipeline.report.layout import Section
from pipeline.report.palette import Palette
from pipeline.report.svg import drawing_settings, themed_svg
from pipeline.report.verdicts import VerdictView, looks_text, verdict_views
from pipeline.report.wording import TIMES, plain, plural, size_name


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands above the sections: what the page is about, its name, its question, and the answers to it."""

    kind: str
    name: str
    question: str
    intro: str
    verdicts: Sequence[VerdictView]
    answer: str  # where there are no verdicts
    palette: Palette
    looks: str = ""  # the planned looks, and which of them this is
    top: Section | None = None  # a section that stands before the verdicts


def html_page(
    findings: Findings, sections: Sequence[Section], finished: int, palette: Palette, top: Section | None = None
) -> str:
    """The report of a study as HTML."""
    head = Head(
        kind=tr("Headstart study"),
        name=findings.study,
        question=translated(findings.question),
        intro=intro(findings, finished),
        verdicts=verdict_views(findings),
        answer=tr("The study states no claim, so there is no verdict."),
        palette=palette,
        looks=looks_text(findings),
        top=top,
    )
    return render(head, sections)


def render(head: Head, sections: Sequence[Section]) -> str:
    """The page as HTML. Every text is escaped by the template; only our own drawings go in as they are."""
    import jinja2
    from markupsafe import Markup

    folder = files("pipeline.report") / "templates"
    names = ("report.html.j2", "parts.html.j2", "style.css.j2")
    loader = jinja2.DictLoader({name: (folder / name).read_text("utf-8") for name in names})
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    drawings = {anchor: [Markup(svg) for svg in svgs] for anchor, svgs in _drawings(head.palette, sections).items()}
    text = environment.get_template("report.html.j2").render(
        kind=head.kind,
        language=language_tag(),
        verdict_label=tr("Verdict"),
        sections_label=tr("Sections"),
        name=plain(head.name, 100),
        question=plain(head.question, 400),
        intro=head.intro,
        planned=head.looks,
        verdicts=head.verdicts,
        answer=head.answer,
        top=head.top,
        sections=sections,
        drawings=drawings,
        narrow={s.anchor: bool(s.panels) and panel_width(s.panels) < WIDE for s in sections},
        legends={s.anchor: any(panel.legend for panel in s.panels) for s in sections},
        looks=head.palette.looks,
        arms=[plain(a, 40) for a in head.palette.looks],
    )
    # A text read from JSON may hold half a surrogate pair, which no file can.
    return text.encode("utf-8", "replace").decode("utf-8")


def _drawings(palette: Palette, sections: Sequence[Section]) -> dict[str, list[str]]:
    theme, variables = palette.placeholders, palette.variables
    drawn: dict[str, list[str]] = {}
    with drawing_settings():
        for section in sections:
            drawn[section.anchor] = [
                themed_svg(
                    panel.draw(theme, panel_width(section.panels)),
                    name=f"{section.anchor}-{i}",
                    title=f"{section.title}: {panel.title}",
                    variables=variables,
                )
                for i, panel in enumerate(section.panels)
            ]
    return drawn


def intro(findings: Findings, finished: int) -> str:
    """One line on what was compared: "base minilm · task sentiment · 3 arms x 3 sizes x 3 seeds · 27 cells"."""
    sizes = findings.sizes if len(findings.sizes) <= 6 else (findings.sizes[0], "…", findings.sizes[-1])
    amounts = ", ".join(size_name(s) for s in sizes)
    others = tuple(dict.fromkeys(arm.partition("@")[2] for arm in findings.arms if "@" in arm))
    done = plural(finished, "finished cell")
    parts = [
        f"{nouns('base', 1 + len(others))} {', '.join(plain(name, 60) for name in (findings.base, *others))}",
        tr("task {task}", task=plain(findings.task, 60)),
        f"{plural(len(findings.arms), 'arm')} {TIMES} {plural(len(findings.sizes), 'size')} "
        f"({amounts} {nouns(findings.counted)}) {TIMES} {plural(len(findings.seeds), 'seed')}",
        tr("{done}, {failed:,} failed", done=done, failed=len(findings.failed)) if findings.failed else done,
    ]
    return " · ".join(parts)

"""The report as Markdown: the same sections without figures, every text escaped."""

import re
from collections.abc import Sequence

from pipeline.language import tr, translated
from pipeline.records import Findings
from pipeline.report.layout import Entry, Section, Table
from pipeline.report.page import Head, intro
from pipeline.report.verdicts import VerdictView, looks_text, verdict_views
from pipeline.report.wording import plain

_SPECIAL = re.compile(r"([\\`*_\[\]|~#$!])")


def markdown_page(findings: Findings, sections: Sequence[Section], finished: int, top: Section | None = None) -> str:
    """The report as GitHub-flavoured Markdown, the verdict first, but after a section for the top."""
    parts = [f"# {escape(translated(findings.question) or findings.study, 400)}", escape(intro(findings, finished))]
    parts += [escape(text) for text in (looks_text(findings),) if text]
    parts += _section(top) if top else []
    parts += [_verdict(v) for v in verdict_views(findings)]
    return _page(parts, sections)


def plain_page(head: Head, sections: Sequence[Section]) -> str:
    """A page without verdicts as GitHub-flavoured Markdown, its answer first."""
    return _page([f"# {escape(head.question or head.name, 400)}", escape(head.intro), escape(head.answer)], sections)


def _page(parts: list[str], sections: Sequence[Section]) -> str:
    parts.append(tr("The figures are in report.html beside this file."))
    for section in sections:
        parts += _section(section)
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace").decode("utf-8")


def escape(text: str, limit: int = 2000) -> str:
    """`text` on one line, shown as it stands: no markup, link, HTML or table bar in it takes effect."""
    line = _SPECIAL.sub(r"\\\1", plain(text, limit))
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"^(\d+)([.)])", r"\1\\\2", line)
    line = re.sub(r"^([-+=])", r"\\\1", line)
    # A zero-width joint keeps an address from becoming a link.
    return re.sub(r"(?i)(https?|ftp)://", "\\1:\u200b//", line).replace("www.", "www\u200b.")


def _verdict(v: VerdictView) -> str:
    lines = [f"> **{v.judgement.upper()}{escape(f', {v.how}') if v.how else ''}.** {escape(v.sentence)}"]
    lines += [
        f"> {escape(text)}"
        for text in (tr("Claim: {claim}", claim=v.claim), v.question, v.details, v.next_step, *v.notes)
        if text
    ]
    return "  \n".join(lines)


def _section(section: Section) -> list[str]:
    parts = [f"## {escape(section.title)}"]
    parts += [escape(section.lead)] if section.lead else []
    parts += [fenced(section.code)] if section.code else []
    for table in section.tables:
        parts += [_table(table), *([escape(table.caption)] if table.caption else [])]
    facts = [f"- {escape(name)}: {escape(value)}" for name, value in section.facts]
    parts += ["\n".join(facts)] if facts else []
    parts += ["\n".join(f"- {escape(b)}" for b in section.bullets)] if section.bullets else []
    return parts


def fenced(code: str) -> str:
    """`code` in a fence longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code.strip()}\n{fence}"


def _table(table: Table) -> str:
    names = ["---"] * table.names + ["---:"] * (len(table.header) - table.names)
    lines = [[escape(h) for h in table.header], names, *([_entry(e) for e in row] for row in table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _entry(entry: Entry) -> str:
    text = f"**{escape(entry.text)}**" if entry.strong else escape(entry.text)
    return f"{text} ({escape(entry.sub)})" if entry.sub else text

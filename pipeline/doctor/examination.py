"""The whole examination, and how it is shown."""

from itertools import groupby
from pathlib import Path

from pipeline.config.schema import Config
from pipeline.config.search_path import own_root
from pipeline.doctor.check import Check
from pipeline.doctor.machine import choice_checks, hardware_checks, storage_checks
from pipeline.doctor.samples import sample_checks
from pipeline.doctor.versions import version_checks


def doctor(config: Config) -> int:
    """Print what was found, in colour on a terminal and plain elsewhere.

    Returns:
        The exit code: 1 if something is wrong, else 0.
    """
    checks = examine(config)
    _show(checks)
    return 1 if any(c.wrong for c in checks) else 0


def examine(config: Config) -> list[Check]:
    """Every check, in the order shown. Nothing is written but one temporary file beside the results."""
    return [
        *version_checks(own_root() / "constraints.txt"),
        *hardware_checks(),
        *choice_checks(config),
        *sample_checks(config),
        *storage_checks(Path(config.paths.root)),
    ]


def _show(checks: list[Check]) -> None:
    from rich.text import Text

    from pipeline.execution.console import Terminal
    from pipeline.terminal import visible

    console = Terminal(soft_wrap=True)
    width = max(len(c.name) for c in checks) + 2
    for section, lines in groupby(checks, key=lambda c: c.section):
        console.print(Text(f"\n{section}", style="bold"))
        for check in lines:
            mark, style = ("✗", "red") if check.wrong else ("✓", "green")
            console.print(Text.assemble((f"  {mark} ", style), check.name.ljust(width), visible(check.value)))
    wrong = [c for c in checks if c.wrong]
    heading = f"{len(wrong)} to put right:" if wrong else "Nothing is wrong."
    console.print(Text(f"\n{heading}", style="bold red" if wrong else "bold green"))
    for i, check in enumerate(wrong, start=1):
        problem = check.problem.rstrip(".")
        console.print(visible(f"  {i}. {problem}.\n     Remedy: {check.remedy}"))

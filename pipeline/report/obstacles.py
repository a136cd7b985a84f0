"""Sentences on what keeps a claim from being judged: why, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.records import Findings, Obstacle, ObstacleKind, Verdict
from pipeline.report.wording import plural

Text = Callable[[Findings, Verdict, Obstacle], str]


@dataclass(frozen=True)
class Words:
    """What is said of one kind of obstacle; either may be empty."""

    why: Text
    remedy: Text


def why(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    """A sentence on what stands in the way."""
    return _WORDS[obstacle.kind].why(findings, v, obstacle)


def remedy_of(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    """A sentence on how to clear it."""
    return _WORDS[obstacle.kind].remedy(findings, v, obstacle)


def _said(text: str) -> Text:
    return lambda findings, v, obstacle: text


def _lacking(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    several = findings.looks is not None and len(findings.looks.seeds) > 1
    seeds, cells = round(obstacle.numbers["seeds"]), obstacle.cells
    more = f" and {len(cells) - 3:,} more" if len(cells) > 3 else ""
    look = "first look" if several else "look"
    return f"The {look}, at {plural(seeds, 'seed')}, lacks {', '.join(cells[:3])}{more}."


def _known_sets(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    others = dict.fromkeys(s.dataset for s in findings.scores if s.role == "out_of_domain")
    return f"Use one of {', '.join(['test', *others])}."


_WORDS: dict[ObstacleKind, Words] = {
    "missing_cells": Words(_lacking, _said("Run the study again: it trains only the cells that are missing.")),
    "no_target": Words(_said("The study states no target."), _said("Set study.target to a validation score.")),
    "unknown_dataset": Words(lambda f, v, o: f"No set is called {o.dataset!r}.", _known_sets),
    "gap_without_dataset": Words(
        _said("A gap needs an out-of-domain set, or train."), _said("Name one of them in the claim's dataset.")
    ),
    "no_common_scores": Words(lambda f, v, o: f"{v.arm} and {v.against} have no scores in common for it.", _said("")),
    "one_seed": Words(_said("One seed cannot show what varies from seed to seed."), _said("Use five seeds or more.")),
    "one_item": Words(
        _said("One test item cannot show what varies from item to item."), _said("Use a larger test set.")
    ),
    "at_chance": Words(
        lambda f, v, o: f"{o.arm} is not above chance on {o.dataset}, so its gap says nothing.",
        lambda f, v, o: f"Add {f.counted}s.",
    ),
}

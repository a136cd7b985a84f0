"""Sentences on what keeps a claim from being judged: why, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.records import Findings, Obstacle, ObstacleKind, Verdict
from pipeline.report.wording import plural, ratio_text, scale_of, scale_of_effect

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


def _scored_sets(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    others = dict.fromkeys(s.dataset for s in findings.scores if s.role == "out_of_domain")
    return f"Evaluate the cells that lack them, or use one of {', '.join(['test', *others])}."


def _one_set(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    gap = v.metric == "generalisation_gap"
    return f"{'A gap' if gap else 'Effective robustness'} needs an out-of-domain set{', or train' if gap else ''}."


def _examine(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return (
        "Run evaluate, which examines cells whose weights were kept. To have the others trained again, with their "
        "weights kept, delete their folders and run the study with train.keep=all."
    )


def _outside(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    labels = obstacle.numbers["labels"]
    return f"The claim compares with {obstacle.arm} at {labels:,.0f} {findings.counted}s, which is outside its sizes."


def _add_size(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    if v.size == "all":
        return "At all of them there are no more to compare with: name a smaller size in the claim."
    return f"Add {obstacle.numbers['labels']:.0f} to study.sizes."


def _budgets(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    ratio, delta = ratio_text(obstacle.numbers["ratio"]), ratio_text(obstacle.numbers["delta"])
    took = f"Runs of {obstacle.arm} took {ratio} times the training computation of {v.arm}"
    return f"{took}, but the claim asks for {delta}."


def _longer(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return f"Give {obstacle.arm} a longer recipe, or {v.arm} a shorter one, as an arm of its own (docs/recipes.md)."


def _unfinished(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    runs = plural(len(obstacle.cells), "run")
    return f"Early stopping ended {runs} of {obstacle.arm} before the learning rate had decayed."


def _not_reached(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    score, best = (scale_of(findings.metric).score(obstacle.numbers[name]) for name in ("score", "best"))
    return f"No size of {obstacle.arm} is as good in-domain as {v.arm}: {best} at most, and {score}."


def _passed(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    score, first = (scale_of(findings.metric).score(obstacle.numbers[name]) for name in ("score", "first"))
    return f"The smallest size of {obstacle.arm} is better in-domain than {v.arm} already: {first}, and {score}."


def _failed(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    cells = obstacle.cells
    more = f" and {len(cells) - 3:,} more" if len(cells) > 3 else ""
    return (
        f"{plural(len(cells), 'training')} failed ({', '.join(cells[:3])}{more}). A verdict on the others would not "
        "hold for trainings that may fail."
    )


def _two_kinds(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale = obstacle.numbers, scale_of_effect(findings.metric, v)
    return (
        f"{numbers['rare']:.0f} of {plural(round(numbers['seeds']), 'seed')} lie {scale.amount(numbers['distance'])} "
        f"from the others ({', '.join(obstacle.cells[:3])}), as {numbers['p']:.1%} of Gaussian seeds would: no "
        "interval holds for trainings of two kinds."
    )


def _not_converged(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale, who = obstacle.numbers, scale_of(findings.metric), f"{obstacle.arm} n={obstacle.size}"
    if "late_gain" not in numbers:
        fall = f"{numbers['late_loss_fall']:.0%}"
        return f"{who} has not converged: its validation loss still fell by {fall} over the last quarter of its steps."
    ends = " to ".join(scale.score(numbers[end]) for end in ("low", "high"))
    return (
        f"{who} has not converged: from the third quarter of its steps to the last it gained "
        f"{scale.amount(numbers['late_gain'])} ({100 * numbers['level']:.4g}% interval {ends}), and twice that would "
        "undo the verdict."
    )


def _below(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale = obstacle.numbers, scale_of(findings.metric)
    score = scale.score(numbers["score"])
    if obstacle.kind == "below_words":
        return (
            f"A bag of words scores {scale.score(numbers['words'])} where {obstacle.arm} scores {score}: without "
            "pretraining one can do better than that, and the verdict does not hold against it."
        )
    return (
        f"{obstacle.arm} scores {score} on {obstacle.dataset}, and the best answer that reads no text "
        f"{scale.score(numbers['constant'])}: the verdict does not hold against that."
    )


_WORDS: dict[ObstacleKind, Words] = {
    "missing_cells": Words(_lacking, _said("Run the study again: it trains only the cells that are missing.")),
    "no_target": Words(_said("The study states no target."), _said("Set study.target to a validation score.")),
    "unknown_dataset": Words(lambda f, v, o: f"Not every cell has scores on {o.dataset!r}.", _scored_sets),
    "unexamined": Words(lambda f, v, o: f"Not every cell was examined by the audit {v.audit}.", _examine),
    "gap_without_dataset": Words(_one_set, _said("Name one in the claim's dataset.")),
    "no_common_scores": Words(lambda f, v, o: f"{v.arm} and {v.against} have no scores in common for it.", _said("")),
    "one_seed": Words(_said("One seed cannot show what varies from seed to seed."), _said("Use five seeds or more.")),
    "one_item": Words(
        _said("One test item cannot show what varies from item to item."), _said("Use a larger test set.")
    ),
    "at_chance": Words(
        lambda f, v, o: f"{o.arm} is not above chance on {o.dataset}, so its {v.audit or 'gap'} has no meaning.",
        lambda f, v, o: f"Add {f.counted}s.",
    ),
    "size_outside": Words(_outside, _add_size),
    "budgets_too_close": Words(_budgets, _longer),
    "stopped_early": Words(_unfinished, _said("Set train.patience=0.")),
    "score_not_reached": Words(
        _not_reached, lambda f, v, o: f"Add larger sizes to study.sizes, or claim it at a smaller size of {v.arm}."
    ),
    "score_passed": Words(
        _passed, lambda f, v, o: f"Add smaller sizes to study.sizes, or claim it at a larger size of {v.arm}."
    ),
    "failed_cells": Words(
        _failed,
        _said("The report lists the reasons. Remove them, for example by a lower train.lr, and run the study again."),
    ),
    "two_kinds_of_seeds": Words(
        _two_kinds,
        _said("Look at these cells: a lower train.lr or a longer train.warmup may make trainings more similar."),
    ),
    "not_converged": Words(_not_converged, _said("Train every arm longer: train.min_steps, or train.epochs.")),
    "below_constant": Words(_below, lambda f, v, o: f"Add {f.counted}s, or use another metric."),
    "below_words": Words(_below, _said("Add seeds and test items, or state the claim against best_from_scratch.")),
}

"""Sentences on what keeps a claim from being judged: why, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.language import nouns, numeral, tr, translated
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
    return lambda findings, v, obstacle: translated(text)


def _lacking(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    several = findings.looks is not None and len(findings.looks.seeds) > 1
    seeds, cells = round(obstacle.numbers["seeds"]), obstacle.cells
    more = tr(" and {number:,} more", number=len(cells) - 3) if len(cells) > 3 else ""
    look = tr("first look") if several else tr("look")
    return tr(
        "The {look}, at {seeds}, lacks {cells}{more}.",
        look=look,
        seeds=plural(seeds, "seed"),
        cells=", ".join(cells[:3]),
        more=more,
    )


def _scored_sets(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    others = dict.fromkeys(s.dataset for s in findings.scores if s.role == "out_of_domain")
    return tr("Evaluate the cells that lack them, or use one of {sets}.", sets=", ".join(["test", *others]))


def _one_set(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    if v.metric == "generalisation_gap":
        return tr("A gap needs an out-of-domain set, or train.")
    return tr("Effective robustness needs an out-of-domain set.")


def _unexamined(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    if v.dataset == "test":
        return tr("Not every cell was examined by the audit {audit}.", audit=v.audit)
    return tr("Not every cell was examined by the audit {audit} on {dataset}.", audit=v.audit, dataset=v.dataset)


def _examine(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return tr(
        "Run evaluate, which examines cells whose weights were kept. To have the others trained again, with their "
        "weights kept, delete their folders and run the study with train.keep=all."
    )


def _outside(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    labels = obstacle.numbers["labels"]
    return tr(
        "The claim compares with {arm} at {number:,.0f} {labels}, which is outside its sizes.",
        arm=obstacle.arm,
        number=labels,
        labels=nouns(findings.counted),
    )


def _add_size(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    if v.size == "all":
        return tr("At all of them there are no more to compare with: name a smaller size in the claim.")
    return tr("Add {labels} to study.sizes.", labels=f"{obstacle.numbers['labels']:.0f}")


def _budgets(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    ratio, delta = ratio_text(obstacle.numbers["ratio"]), ratio_text(obstacle.numbers["delta"])
    return tr(
        "Runs of {against} took {ratio} times the training computation of {arm}, but the claim asks for {delta}.",
        against=obstacle.arm,
        ratio=ratio,
        arm=v.arm,
        delta=delta,
    )


def _longer(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return tr(
        "Give {against} a longer recipe, or {arm} a shorter one, as an arm of its own (docs/recipes.md).",
        against=obstacle.arm,
        arm=v.arm,
    )


def _unfinished(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    runs = plural(len(obstacle.cells), "run")
    return tr("Early stopping ended {runs} of {arm} before the learning rate had decayed.", runs=runs, arm=obstacle.arm)


def _not_reached(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    score, best = (scale_of(findings.metric).score(obstacle.numbers[name]) for name in ("score", "best"))
    return tr(
        "No size of {against} is as good in-domain as {arm}: {best} at most, and {score}.",
        against=obstacle.arm,
        arm=v.arm,
        best=best,
        score=score,
    )


def _passed(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    score, first = (scale_of(findings.metric).score(obstacle.numbers[name]) for name in ("score", "first"))
    return tr(
        "The smallest size of {against} is better in-domain than {arm} already: {first}, and {score}.",
        against=obstacle.arm,
        arm=v.arm,
        first=first,
        score=score,
    )


def _failed(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    cells = obstacle.cells
    more = tr(" and {number:,} more", number=len(cells) - 3) if len(cells) > 3 else ""
    return tr(
        "{trainings} failed ({cells}{more}). A verdict on the others would not hold for trainings that may fail.",
        trainings=plural(len(cells), "training"),
        cells=", ".join(cells[:3]),
        more=more,
    )


def _two_kinds(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale = obstacle.numbers, scale_of_effect(findings.metric, v)
    return tr(
        "{rare:.0f} of {seeds} lie {distance} "
        "from the others ({cells}), as {share:.1%} of Gaussian seeds would: no "
        "interval holds for trainings of two kinds.",
        rare=numbers["rare"],
        seeds=plural(round(numbers["seeds"]), "seed"),
        distance=scale.amount(numbers["distance"]),
        cells=", ".join(obstacle.cells[:3]),
        share=numbers["p"],
    )


def _skewed(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale = obstacle.numbers, scale_of_effect(findings.metric, v)
    return tr(
        "If seeds are skewed, the {level:.4g}% interval has to be up to {factor:.3g} times as wide, {low} to {high}, "
        "and then the verdict does not hold.",
        level=100 * numbers["level"],
        factor=numbers["factor"],
        low=scale.number(numbers["low"]),
        high=scale.number(numbers["high"]),
    )


def _may_fail(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale = obstacle.numbers, scale_of(findings.metric)
    room = (numbers["share"] - numbers["failed"] / numbers["seeds"]) * numbers["loss"]
    said = {"arm": obstacle.arm, "seeds": plural(round(numbers["seeds"]), "seed"), "share": numbers["share"]}
    amounts = {"loss": scale.amount(numbers["loss"]), "room": scale.amount(room)}
    if not numbers["failed"]:
        return tr(
            "No training of {arm} was seen to fail, but {seeds} cannot rule out that up to {share:.0%} do. One that "
            "fails keeps its start, {loss} worse on validation: a mean that is {room} worse would undo the verdict.",
            **said,
            **amounts,
        )
    said["failed"] = plural(round(numbers["failed"]), "training")
    if room > 0:
        return tr(
            "{failed} of {arm} kept the start, and with {seeds} up to {share:.0%} may. The others gained {loss} on "
            "validation: a mean that is {room} worse would undo the verdict.",
            **said,
            **amounts,
        )
    return tr(
        "{failed} of {arm} kept the start, but with {seeds} it may be {share:.0%} in truth. The others gained {loss} "
        "on validation: a mean that is {room} better would undo the verdict.",
        **said,
        **amounts,
    )


def _none_improved(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return tr(
        "All {trainings} of {arm} kept the start, but up to {share:.0%} of its trainings may do better than that, and "
        "none shows by how much.",
        trainings=plural(round(obstacle.numbers["seeds"]), "training"),
        arm=f"{obstacle.arm} n={obstacle.size}",
        share=obstacle.numbers["share"],
    )


def _some_kept(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return tr(
        "{failed} of {trainings} of {arm} kept the start: what is compared here is trainings that improve on it.",
        failed=round(obstacle.numbers["failed"]),
        trainings=plural(round(obstacle.numbers["seeds"]), "training"),
        arm=f"{obstacle.arm} n={obstacle.size}",
    )


def _not_converged(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale, who = obstacle.numbers, scale_of(findings.metric), f"{obstacle.arm} n={obstacle.size}"
    if "late_gain" not in numbers:
        fall = numeral(numbers["late_loss_fall"], ".0%")
        return tr(
            "{who} has not converged: its validation loss still fell by {fall} over the last quarter of its steps.",
            who=who,
            fall=fall,
        )
    low, high = (scale.score(numbers[end]) for end in ("low", "high"))
    return tr(
        "{who} has not converged: from the third quarter of its steps to the last it gained "
        "{gain} ({level:.4g}% interval {low} to {high}), and twice that would "
        "undo the verdict.",
        who=who,
        gain=scale.amount(numbers["late_gain"]),
        level=100 * numbers["level"],
        low=low,
        high=high,
    )


def _below(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    numbers, scale = obstacle.numbers, scale_of(findings.metric)
    score = scale.score(numbers["score"])
    if obstacle.kind == "below_words":
        return tr(
            "A bag of words scores {words} where {arm} scores {score}: without "
            "pretraining one can do better than that, and the verdict does not hold against it.",
            words=scale.score(numbers["words"]),
            arm=obstacle.arm,
            score=score,
        )
    return tr(
        "{arm} scores {score} on {dataset}, and the best answer that reads no text "
        "{constant}: the verdict does not hold against that.",
        arm=obstacle.arm,
        score=score,
        dataset=obstacle.dataset,
        constant=scale.score(numbers["constant"]),
    )


def _nothing_shared(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    return tr("{arm} and {against} have no scores in common for it.", arm=v.arm, against=v.against)


def _at_chance(findings: Findings, v: Verdict, obstacle: Obstacle) -> str:
    where = {"arm": obstacle.arm, "dataset": obstacle.dataset}
    if v.audit is None:
        return tr("{arm} is not above chance on {dataset}, so its gap has no meaning.", **where)
    return tr(
        "{arm} is not above chance on {dataset}, so its {audit} has no meaning.", audit=translated(v.audit), **where
    )


_ANOTHER_RATE = _said(
    "Try another train.lr. If none improves it, compare with frozen, whose head is solved and not trained."
)
_MORE_SEEDS = _said("More seeds would tell, at a planned look or in a new study.")
_WORDS: dict[ObstacleKind, Words] = {
    "missing_cells": Words(_lacking, _said("Run the study again: it trains only the cells that are missing.")),
    "unknown_dataset": Words(
        lambda f, v, o: tr("Not every cell has scores on {dataset!r}.", dataset=o.dataset), _scored_sets
    ),
    "unexamined": Words(_unexamined, _examine),
    "gap_without_dataset": Words(_one_set, _said("Name one in the claim's dataset.")),
    "no_common_scores": Words(
        _nothing_shared,
        _said(""),
    ),
    "one_seed": Words(_said("One seed cannot show what varies from seed to seed."), _said("Use five seeds or more.")),
    "one_item": Words(
        _said("One test item cannot show what varies from item to item."),
        _said("Use a larger test set."),
    ),
    "at_chance": Words(
        _at_chance,
        lambda f, v, o: tr("Add {labels}.", labels=nouns(f.counted)),
    ),
    "size_outside": Words(_outside, _add_size),
    "budgets_too_close": Words(_budgets, _longer),
    "stopped_early": Words(_unfinished, _said("Set train.patience=0.")),
    "score_not_reached": Words(
        _not_reached,
        lambda f, v, o: tr("Add larger sizes to study.sizes, or claim it at a smaller size of {arm}.", arm=v.arm),
    ),
    "score_passed": Words(
        _passed,
        lambda f, v, o: tr("Add smaller sizes to study.sizes, or claim it at a larger size of {arm}.", arm=v.arm),
    ),
    "failed_cells": Words(
        _failed,
        _said("The report lists the reasons. Remove them, for example by a lower train.lr, and run the study again."),
    ),
    "two_kinds_of_seeds": Words(
        _two_kinds,
        _said("Look at these cells: a lower train.lr or a longer train.warmup may make trainings more similar."),
    ),
    "skewed_seeds": Words(_skewed, _MORE_SEEDS),
    "unseen_failures": Words(_may_fail, _MORE_SEEDS),
    "some_kept_start": Words(_some_kept, _ANOTHER_RATE),
    "no_training_improved": Words(_none_improved, _ANOTHER_RATE),
    "not_converged": Words(_not_converged, _said("Train every arm longer: train.min_steps, or train.epochs.")),
    "below_constant": Words(
        _below, lambda f, v, o: tr("Add {labels}, or use another metric.", labels=nouns(f.counted))
    ),
    "below_words": Words(_below, _said("State the claim against best_from_scratch in a new study.")),
}

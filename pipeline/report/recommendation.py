"""A recommendation in words: which arm to use, which costs least, and whether more labels would pay."""

from collections.abc import Iterator

from pipeline.language import nouns, tr
from pipeline.records import Estimate, Findings
from pipeline.report.wording import Scale, count, plain, plural, scale_of, size_name
from pipeline.study.finding.recommendation import AS_GOOD, ENOUGH, Recommendation


def recommendation_text(recommendation: Recommendation, *, counted: str, higher_is_better: bool) -> str:
    """A few lines for the terminal."""
    return "\n".join(
        _lines(recommendation, scale_of(recommendation.best.metric), counted, 1.0 if higher_is_better else -1.0)
    )


def no_recommendation_text(findings: Findings) -> str:
    """Why no arm is recommended yet."""
    return tr(
        "No arm is recommended yet: each of {arms} has to be trained under {seeds} at least with {size} {labels}.",
        arms=", ".join(plain(arm, 40) for arm in findings.arms),
        seeds=plural(ENOUGH, "seed"),
        size=size_name(findings.sizes[-1]),
        labels=nouns(findings.counted),
    )


def _lines(recommendation: Recommendation, scale: Scale, counted: str, sign: float) -> Iterator[str]:
    best, arm = recommendation.best.estimate, plain(recommendation.best.arm, 40)
    yield (
        tr(
            "Best with {size} {labels}: {arm}, {score} ({span}){ahead}.",
            size=size_name(recommendation.best.size),
            labels=nouns(counted),
            arm=arm,
            score=scale.score(best.value),
            span=scale.span(best),
            ahead=_ahead(recommendation, scale, sign),
        )
    )
    if recommendation.cheapest != recommendation.best.arm:
        times = (
            tr("{number} times less computation", number=count(recommendation.cheaper))
            if recommendation.cheaper >= 2
            else tr("less computation")
        )
        yield tr(
            "About as good (within {amount}) for {computation}: {arm}.",
            amount=scale.amount(AS_GOOD),
            computation=times,
            arm=plain(recommendation.cheapest, 40),
        )
    if recommendation.more is not None and recommendation.smaller is not None:
        yield _more(recommendation.more, recommendation, scale, counted, sign)


def _ahead(recommendation: Recommendation, scale: Scale, sign: float) -> str:
    if recommendation.second is None or recommendation.ahead is None:
        return ""
    by = tr(
        "{amount} more than {arm}",
        amount=scale.amount(recommendation.ahead.value),
        arm=plain(recommendation.second, 40),
    )
    if not _clear(recommendation.ahead, sign):
        return tr(
            "; {difference}, which may be chance ({span})",
            difference=by,
            span=scale.span(recommendation.ahead, signed=True),
        )
    return f"; {by} ({scale.span(recommendation.ahead, signed=True)})"


def _more(more: Estimate, recommendation: Recommendation, scale: Scale, counted: str, sign: float) -> str:
    step = tr(
        "From {smaller} to {larger} {labels} it gained",
        smaller=size_name(recommendation.smaller or ""),
        larger=size_name(recommendation.best.size),
        labels=nouns(counted),
    )
    gained = f"{step} {scale.change(sign * more.value)} ({scale.span(more, signed=True)})"
    if _clear(more, sign):
        return tr("{gained}: more {labels} are likely to pay.", gained=gained, labels=nouns(counted))
    return tr("{gained}: whether more {labels} would pay is not shown.", gained=gained, labels=nouns(counted))


def _clear(difference: Estimate, sign: float) -> bool:
    """Whether the whole interval is on the better side of 0."""
    return (difference.low if sign > 0 else -difference.high) > 0

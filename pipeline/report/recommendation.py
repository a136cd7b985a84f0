"""A recommendation in words: which arm to use, which costs least, and whether more labels would pay."""

from collections.abc import Iterator

from pipeline.records import Estimate
from pipeline.report.wording import Scale, count, plain, scale_of, size_name
from pipeline.study.finding.recommendation import AS_GOOD, Recommendation


def recommendation_text(recommendation: Recommendation, *, counted: str, higher_is_better: bool) -> str:
    """A few lines for the terminal."""
    return "\n".join(
        _lines(recommendation, scale_of(recommendation.best.metric), counted, 1.0 if higher_is_better else -1.0)
    )


def _lines(recommendation: Recommendation, scale: Scale, counted: str, sign: float) -> Iterator[str]:
    best, arm = recommendation.best.estimate, plain(recommendation.best.arm, 40)
    yield (
        f"Best with {size_name(recommendation.best.size)} {counted}s: {arm}, {scale.score(best.value)} "
        f"({scale.span(best)}){_ahead(recommendation, scale, sign)}."
    )
    if recommendation.cheapest != recommendation.best.arm:
        times = (
            f"{count(recommendation.cheaper)} times less computation"
            if recommendation.cheaper >= 2
            else "less computation"
        )
        yield f"About as good (within {scale.amount(AS_GOOD)}) for {times}: {plain(recommendation.cheapest, 40)}."
    if recommendation.more is not None and recommendation.smaller is not None:
        yield _more(recommendation.more, recommendation, scale, counted, sign)


def _ahead(recommendation: Recommendation, scale: Scale, sign: float) -> str:
    if recommendation.second is None or recommendation.ahead is None:
        return ""
    by = f"{scale.amount(recommendation.ahead.value)} more than {plain(recommendation.second, 40)}"
    if not _clear(recommendation.ahead, sign):
        return f"; {by}, which may be chance ({scale.span(recommendation.ahead, signed=True)})"
    return f"; {by} ({scale.span(recommendation.ahead, signed=True)})"


def _more(more: Estimate, recommendation: Recommendation, scale: Scale, counted: str, sign: float) -> str:
    step = (
        f"From {size_name(recommendation.smaller or '')} to {size_name(recommendation.best.size)} {counted}s it gained"
    )
    gained = f"{step} {scale.change(sign * more.value)} ({scale.span(more, signed=True)})"
    if _clear(more, sign):
        return f"{gained}: more {counted}s are likely to pay."
    return f"{gained}: whether more {counted}s would pay is not shown."


def _clear(difference: Estimate, sign: float) -> bool:
    """Whether the whole interval is on the better side of 0."""
    return (difference.low if sign > 0 else -difference.high) > 0

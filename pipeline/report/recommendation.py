"""A recommendation in words: which arm to use, which costs least, and whether more labels would pay."""

from collections.abc import Iterator

from pipeline.records import Estimate
from pipeline.report.wording import Scale, count, plain, scale_of, size_name
from pipeline.study.finding.recommendation import AS_GOOD, Recommendation


def recommendation_text(found: Recommendation, *, counted: str, higher_is_better: bool) -> str:
    """A few lines for the terminal."""
    return "\n".join(_lines(found, scale_of(found.best.metric), counted, 1.0 if higher_is_better else -1.0))


def _lines(found: Recommendation, scale: Scale, counted: str, sign: float) -> Iterator[str]:
    best, arm = found.best.estimate, plain(found.best.arm, 40)
    yield (
        f"Best with {size_name(found.best.size)} {counted}s: {arm}, {scale.score(best.value)} ({scale.span(best)})"
        f"{_ahead(found, scale, sign)}."
    )
    if found.cheapest != found.best.arm:
        times = f"{count(found.cheaper)} times less computation" if found.cheaper >= 2 else "less computation"
        yield f"About as good (within {scale.amount(AS_GOOD)}) for {times}: {plain(found.cheapest, 40)}."
    if found.more is not None and found.smaller is not None:
        yield _more(found.more, found, scale, counted, sign)


def _ahead(found: Recommendation, scale: Scale, sign: float) -> str:
    if found.second is None or found.ahead is None:
        return ""
    by = f"{scale.amount(found.ahead.value)} more than {plain(found.second, 40)}"
    if not _clear(found.ahead, sign):
        return f"; {by}, which may be chance ({scale.span(found.ahead, signed=True)})"
    return f"; {by} ({scale.span(found.ahead, signed=True)})"


def _more(more: Estimate, found: Recommendation, scale: Scale, counted: str, sign: float) -> str:
    step = f"From {size_name(found.smaller or '')} to {size_name(found.best.size)} {counted}s it gained"
    gained = f"{step} {scale.change(sign * more.value)} ({scale.span(more, signed=True)})"
    if _clear(more, sign):
        return f"{gained}: more {counted}s are likely to pay."
    return f"{gained}: whether more {counted}s would pay is not shown."


def _clear(difference: Estimate, sign: float) -> bool:
    """Whether the whole interval is on the better side of 0."""
    return (difference.low if sign > 0 else -difference.high) > 0

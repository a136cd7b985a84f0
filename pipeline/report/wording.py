"""Numbers as people read them: "79.9%", "18.2 points", "1.3 TFLOPs", "3 min 20 s"."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.audits import AUDITS
from pipeline.language import nouns, numeral, tr, translated
from pipeline.records import Censoring, Estimate, Verdict
from pipeline.records.metrics import SHARES, called

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
_MOST_DOUBLINGS = 20.0  # of a ratio that is shown as it is, about a million
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"


@dataclass(frozen=True)
class Scale:
    """How a metric is shown: `factor` and `digits` for every number, `suffix` after a score, `unit` after a change."""

    factor: float
    digits: int
    suffix: str
    unit: str

    def number(self, value: float) -> str:
        """The value without its suffix, "79.9"."""
        return MISSING if math.isnan(value) else _fixed(value * self.factor, self.digits)

    def score(self, value: float) -> str:
        """The value with its suffix, "79.9%"."""
        return MISSING if math.isnan(value) else self.number(value) + self.suffix

    def change(self, value: float) -> str:
        """A difference with its sign and unit, "+18.2 points"."""
        return MISSING if math.isnan(value) else self.signed(value) + translated(self.unit)

    def amount(self, value: float) -> str:
        """A difference without its sign and without zeros at the end, "2 points"."""
        text = _fixed(abs(value) * self.factor, self.digits, trimmed=True)
        return (MISSING if math.isnan(value) else text) + translated(self.unit)

    def signed(self, value: float) -> str:
        """A difference with its sign, "+18.2"; what rounds to zero has none."""
        text = self.number(value)
        return f"+{text}" if value > 0 and any(c in "123456789" for c in text) else text

    def span(self, estimate: Estimate, *, signed: bool = False) -> str:
        """The interval, "77.8 to 82.0"."""
        show = self.signed if signed else self.number
        if math.isnan(estimate.low) or math.isnan(estimate.high):
            return tr("no interval")
        return tr("{low} to {high}", low=show(estimate.low), high=show(estimate.high))

    def edge(self, value: float, *, both_ways: bool) -> str:
        """Where an effect begins to matter, with its sign: "+2 points"."""
        sign = PLUS_MINUS if both_ways else "+" if value > 0 else MINUS
        return f"{sign}{self.amount(value)}" if value else self.nothing

    @property
    def nothing(self) -> str:
        """No difference."""
        return "0"


@dataclass(frozen=True)
class Factor(Scale):
    """How a difference of logarithms to base 2 is shown: as the ratio that it is, "6.3 times"."""

    factor: float = 1.0
    digits: int = 3
    suffix: str = TIMES
    unit: str = ""

    def number(self, value: float) -> str:
        """The ratio, "6.3"."""
        if math.isnan(value):
            return MISSING
        censored: Censoring = "above" if value > _MOST_DOUBLINGS else "below" if value < -_MOST_DOUBLINGS else "none"
        return ratio_text(2.0 ** max(-_MOST_DOUBLINGS, min(value, _MOST_DOUBLINGS)), censored)

    def change(self, value: float) -> str:
        """The ratio with its unit, "6.3 times"."""
        return MISSING if math.isnan(value) else tr("{ratio} times", ratio=self.number(value))

    def amount(self, value: float) -> str:
        """A difference without its sign, "a factor of 2"."""
        return MISSING if math.isnan(value) else tr("a factor of {ratio}", ratio=self.number(abs(value)))

    def signed(self, value: float) -> str:
        """The ratio, which has no sign."""
        return self.number(value)

    def edge(self, value: float, *, both_ways: bool) -> str:
        """Where an effect begins to matter, "2x"; of two edges the upper one."""
        return self.score(abs(value) if both_ways else value)

    @property
    def nothing(self) -> str:
        """No difference."""
        return f"1{TIMES}"


PERCENT = Scale(100.0, 1, "%", " points")
PLAIN = Scale(1.0, 3, "", "")
DOUBLINGS = Factor()


def scale_of(metric: str) -> Scale:
    """Per cent for metrics that are shares of one, three decimals for all others."""
    return PERCENT if metric in SHARES else PLAIN


def scale_of_effect(metric: str, v: Verdict) -> Scale:
    """The scale of a verdict's estimate, delta and margin: of its audit's measure, or of the study's metric."""
    return scale_of_claim(metric, v.audit)


def scale_of_claim(metric: str, audit: str | None) -> Scale:
    """The same of a claim that names this audit, or none, in a study of this metric."""
    if audit is None:
        return scale_of(metric)
    measure = AUDITS[audit].measure
    if measure.timed:
        return DOUBLINGS
    return PERCENT if measure.share else PLAIN


def _fixed(value: float, digits: int, *, trimmed: bool = False) -> str:
    """With so many digits, without zeros at the end if `trimmed`."""
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    rounded = round(value, digits)
    while trimmed and digits and round(rounded, digits - 1) == rounded:
        digits -= 1
    text = numeral(rounded, f",.{digits}f")
    return text.replace("-", "" if rounded == 0 else MINUS)


def ratio(value: float) -> str:
    """A ratio with two figures that matter, "6.3x"; infinite ends are for the caller to word."""
    if math.isnan(value):
        return MISSING
    if not math.isfinite(value):
        return _fixed(value, 0)
    return f"{_figures(value)}{TIMES}"


def ratio_text(value: float, censored: Censoring = "none") -> str:
    """A ratio in three digits or fewer, as a bound if it is censored: "6.3", "> 16", "< 0.5", "not determined"."""
    if censored == "both":
        return tr("not determined")
    mark = {"above": "> ", "below": "< "}.get(censored, "")
    if value >= 100.0:
        return f"{mark}{_fixed(value, 0)}"
    return f"{mark}{numeral(value, '.3g')}"


def counting_validation(multiplier: float, labels: int, validation: int) -> float:
    """The label multiplier with the V validation labels that both arms used: (N* + V) / (n + V)."""
    return (multiplier * labels + validation) / (labels + validation)


def ratio_span(estimate: Estimate, floor: float = -math.inf, ceiling: float = math.inf) -> str:
    """The interval of a ratio; an end outside what was measured reads "> ceiling" or "< floor"."""
    low, high = estimate.low, estimate.high
    if math.isnan(low) or math.isnan(high):
        return tr("no interval")
    if math.isinf(ceiling) and math.isinf(high):
        return tr("{low} or more", low=_figures(low)) if low > 0 and math.isfinite(low) else tr("without bounds")
    if high == math.inf and low >= 0.999 * ceiling:
        return f"> {_figures(ceiling)}"
    return tr("{low} to {high}", low=_ratio_end(low, floor, ceiling), high=_ratio_end(high, floor, ceiling))


def _ratio_end(value: float, floor: float, ceiling: float) -> str:
    if value == math.inf:
        return f"> {_figures(ceiling)}" if math.isfinite(ceiling) else "∞"
    if value == -math.inf or value <= 0:
        return f"< {_figures(floor)}" if math.isfinite(floor) else "0"
    return _figures(value)


def _figures(value: float) -> str:
    digits = 0 if abs(value) >= 20 else 1 if abs(value) >= 1 else 2
    return _fixed(value, digits, trimmed=True)


def count(value: float) -> str:
    """A whole number with thousands separated, "7,676"."""
    return MISSING if math.isnan(value) else numeral(value, ",.0f")


def short_count(value: float) -> str:
    """A large count in few characters, "22.7 M"."""
    return _prefixed(value, 1000.0, ("", " k", " M", " G", " T"))


def flops(value: float) -> str:
    """Floating-point operations, "1.3 TFLOPs"."""
    return _prefixed(value, 1000.0, (" FLOPs", " kFLOPs", " MFLOPs", " GFLOPs", " TFLOPs", " PFLOPs", " EFLOPs"))


def byte_size(value: float) -> str:
    """Bytes in decimal units, "90.9 MB"."""
    return _prefixed(value, 1000.0, (" B", " kB", " MB", " GB", " TB"))


def _prefixed(value: float, step: float, names: tuple[str, ...]) -> str:
    if math.isnan(value):
        return MISSING
    rank = 0
    while abs(value) >= step * 0.9995 and rank < len(names) - 1:
        value, rank = value / step, rank + 1
    digits = 0 if rank == 0 or abs(value) >= 99.95 else 1
    return f"{numeral(value, f',.{digits}f')}{names[rank]}"


def duration(seconds: float) -> str:
    """A time span, "0.8 s", "42 s", "3 min 20 s", "1 h 05 min"."""
    if math.isnan(seconds):
        return MISSING
    if seconds < 9.95:
        return f"{numeral(seconds, '.1f')} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def p_value(value: float | None) -> str:
    """A p-value, "0.003" or "< 0.001"."""
    if value is None or math.isnan(value):
        return MISSING
    return f"< {numeral(0.001)}" if value < 0.001 else numeral(value, ".3f")


def size_name(size: int | str) -> str:
    """A train size in words, "1,000" or "all"."""
    return numeral(size, ",") if isinstance(size, int) else translated(size)


def plural(number: int, noun: str) -> str:
    """ "1 seed", "3 seeds"."""
    return f"{numeral(number, ',')} {nouns(noun, number)}"


def behind(estimates: Iterable[Estimate]) -> str:
    """What stands behind several numbers, in words: "95% intervals, 3 seeds x 1,500 items", "interval" for one."""
    known = list(estimates)
    if not known:
        return ""
    levels = sorted({e.level for e in known})
    shown = tr(" and ").join(f"{numeral(100 * level, '.3g')}%" for level in levels)
    seeds, items = _range([e.seeds for e in known], "seed"), _range([e.items for e in known], "item")
    noun = nouns("interval", len(known))
    what = tr("{levels} {intervals}, {seeds}", levels=shown, intervals=noun, seeds=seeds)
    return f"{what} {TIMES} {items}" if max(e.items for e in known) else what


def _range(numbers: list[int], noun: str) -> str:
    low, high = min(numbers), max(numbers)
    return (
        plural(high, noun) if low == high else tr("{low:,} to {high:,} {nouns}", low=low, high=high, nouns=nouns(noun))
    )


def metric_name(metric: str) -> str:
    """What people call a metric, in the middle of a sentence."""
    return plain(translated(called(metric)), 40)


def plain(text: str, limit: int = 2000) -> str:
    """`text` on one line without control characters, cut at `limit`: it may come from data or from an error."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def spreadsheet_field(text: str) -> str:
    """One line that no spreadsheet takes for a formula."""
    line = plain(text)
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line

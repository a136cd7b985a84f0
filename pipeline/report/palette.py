"""One colour and one marker per arm, the same in every figure and table, safe for colour-blind readers.

What an arm looks like stands in its YAML (`look`); hues after Okabe and Ito (2008), lightened for dark paper so that
both stand out from it. Figures are drawn in placeholder colours that the page turns into CSS variables.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.config import schema


@dataclass(frozen=True)
class Look:
    """How an arm looks: CSS variable, colour on light and on dark, matplotlib marker, placeholder colour."""

    variable: str
    light: str
    dark: str
    marker: str
    placeholder: str


@dataclass(frozen=True)
class Theme:
    """The colours a figure is drawn in: text, faint text, rules, background and one per arm."""

    ink: str
    muted: str
    rule: str
    paper: str
    arms: dict[str, str]
    markers: dict[str, str]


_SPARE = (
    ("#9b2c2c", "#f49a9a", "p"),
    ("#5f7a1f", "#b5d46b", "d"),
    ("#2b6a5b", "#8fd9c4", "H"),
    ("#4d6470", "#a9bcc7", "X"),
)
PLACEHOLDERS = {"#010101": "--ink", "#010102": "--muted", "#010103": "--rule", "#010104": "--paper"}


@dataclass(frozen=True)
class Palette:
    """The look of each arm of a report, by name."""

    looks: Mapping[str, Look]

    @classmethod
    def of(cls, arms: Iterable[schema.Arm]) -> "Palette":
        """Each arm in its own colours; if it has none, or those of an arm before it, in spare ones."""
        looks: dict[str, Look] = {}
        for number, arm in enumerate({arm.name: arm for arm in arms}.values()):
            own, taken = arm.look, {look.light for look in looks.values()}
            free = [spare for spare in _SPARE if spare[0] not in taken] or [_SPARE[number % len(_SPARE)]]
            light, dark, marker = free[0]
            if own.light and own.light not in taken:
                light, dark, marker = own.light, own.dark or own.light, own.marker
            looks[arm.name] = Look(f"--arm-{number}", light, dark, marker, f"#02{number:04x}")
        return cls(looks)

    @property
    def placeholders(self) -> Theme:
        """Colours that `variables` maps to the page's own."""
        ink, muted, rule, paper = PLACEHOLDERS
        return self._theme(ink, muted, rule, paper, {arm: look.placeholder for arm, look in self.looks.items()})

    @property
    def on_white(self) -> Theme:
        """Colours for a picture on white."""
        light = {arm: look.light for arm, look in self.looks.items()}
        return self._theme("#1c2329", "#5d6870", "#dfe4e8", "#ffffff", light)

    @property
    def variables(self) -> dict[str, str]:
        """Placeholder colour to CSS variable, `#020000` to `--arm-0`."""
        return {**PLACEHOLDERS, **{look.placeholder: look.variable for look in self.looks.values()}}

    def _theme(self, ink: str, muted: str, rule: str, paper: str, arms: dict[str, str]) -> Theme:
        return Theme(ink, muted, rule, paper, arms, {arm: look.marker for arm, look in self.looks.items()})

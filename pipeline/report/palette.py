"""One colour and one marker per arm, the same in every figure and table, safe for colour-blind readers.

Hues after Okabe and Ito (2008); the dark ones are lightened so that both stand out from their background.
Figures are drawn in placeholder colours that the page turns into CSS variables.
"""

from collections.abc import Sequence
from dataclasses import dataclass


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


_HUES = {
    "pretrained": ("#0068a8", "#5fb8f2", "o"),
    "scratch": ("#cf5200", "#ff9a57", "s"),
    "frozen": ("#00805e", "#3fcf9f", "^"),
    "lora": ("#a83f83", "#ec9acb", "D"),
    "self_pretrained": ("#8a6a00", "#e6c14a", "v"),
    "class_means": ("#5b4bb5", "#b3a6ff", "P"),
    "scratch_small": ("#7a5230", "#d3a57c", "*"),
    "adapted": ("#2f7d8c", "#7fd3e0", "h"),
}
_SPARE = (
    ("#4d6470", "#a9bcc7", "X"),
    ("#9b2c2c", "#f49a9a", "p"),
    ("#5f7a1f", "#b5d46b", "d"),
    ("#2b6a5b", "#8fd9c4", "H"),
)
PLACEHOLDERS = {"#010101": "--ink", "#010102": "--muted", "#010103": "--rule", "#010104": "--paper"}


def looks(arms: Sequence[str]) -> dict[str, Look]:
    """The look of each arm; an arm without a colour of its own takes the next spare one."""
    found: dict[str, Look] = {}
    for arm in dict.fromkeys(arms):
        order = len(found)
        spare = sum(name not in _HUES for name in found)
        light, dark, marker = _HUES.get(arm) or _SPARE[spare % len(_SPARE)]
        variable = f"--arm-{arm.replace('_', '-')}" if arm in _HUES else f"--arm-other-{spare + 1}"
        found[arm] = Look(variable, light, dark, marker, f"#02{order // 256 % 256:02x}{order % 256:02x}")
    return found


def placeholder_theme(arms: Sequence[str]) -> Theme:
    """Colours that `css_variables` maps to the page's own."""
    known = looks(arms)
    colours = {arm: look.placeholder for arm, look in known.items()}
    ink, muted, rule, paper = PLACEHOLDERS
    return Theme(ink, muted, rule, paper, colours, {arm: look.marker for arm, look in known.items()})


def css_variables(arms: Sequence[str]) -> dict[str, str]:
    """Placeholder colour to CSS variable, `#020000` to `--arm-pretrained`."""
    return {**PLACEHOLDERS, **{look.placeholder: look.variable for look in looks(arms).values()}}


def light_theme(arms: Sequence[str]) -> Theme:
    """Colours for a picture on white."""
    known = looks(arms)
    colours = {arm: look.light for arm, look in known.items()}
    return Theme("#1c2329", "#5d6870", "#dfe4e8", "#ffffff", colours, {arm: look.marker for arm, look in known.items()})

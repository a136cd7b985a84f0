"""How much of the data's own text people are shown, as `privacy.texts` and where runs are recorded decide it."""

from typing import Literal

from pipeline.config.schema import Config

Shown = Literal["none", "few", "all"]


def texts_shown(config: Config) -> Shown:
    """What privacy.texts says; auto shows a few texts, and none where runs are recorded on a server."""
    asked = config.privacy.texts
    if asked != "auto":
        return asked
    return "none" if config.tracking.name == "server" else "few"


def may_show_texts(config: Config) -> bool:
    """Whether any text of the data may be shown or sent to the tracking store."""
    return texts_shown(config) != "none"

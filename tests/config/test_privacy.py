"""How much of the data's own text is shown follows from privacy.texts and from where runs are recorded."""

import pytest

from pipeline.config.cell import cell_of
from pipeline.config.compose import compose
from pipeline.config.privacy import texts_shown

SERVER = ("tracking=server", "tracking.uri=http://mlflow.example.org")


@pytest.mark.parametrize(
    ("overrides", "shown"),
    [
        ((), "few"),
        (SERVER, "none"),
        ((*SERVER, "privacy.texts=all"), "all"),
        (("privacy.texts=none",), "none"),
    ],
)
def test_no_text_leaves_the_machine_unless_it_is_asked_for(overrides: tuple[str, ...], shown: str) -> None:
    assert texts_shown(compose(overrides)) == shown


def test_where_no_text_may_be_shown_no_samples_are_taken() -> None:
    assert cell_of(compose(), precision="fp32").train.samples > 0
    assert cell_of(compose(SERVER), precision="fp32").train.samples == 0

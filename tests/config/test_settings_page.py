"""docs/settings.md is the reference of the settings as they are."""

from tests.config.settings_page import FILE, page


def test_the_page_is_that_of_these_settings() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "python -m tests.config.settings_page > docs/settings.md"


def test_every_setting_has_a_meaning() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert [row for row in rows if row.endswith("|  |")] == []

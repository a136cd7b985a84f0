"""What a person sees: the saved views hold the study's runs, and the report opens."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tracking_kit import LOCAL, SENTENCE, STUDY, Look, grid, record_study, wait_for

from pipeline.tracking import links
from pipeline.tracking.replay import Replay
from pipeline.tracking.store import Store
from tests.serving import a_server, free_port

pytestmark = pytest.mark.browser
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1100",
)


@pytest.fixture
def browser(need_program: Callable[[str], str], tmp_path: Path) -> Iterator[Any]:
    chromium, driver = need_program("chromium"), need_program("chromedriver")
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    browser = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    yield browser
    browser.quit()


def text(browser: Any) -> str:
    return str(browser.execute_script("return document.body ? document.body.innerText : ''"))


def sees(browser: Any, *words: str) -> bool:
    return wait_for(lambda: all(word in text(browser) for word in words), 40)


def test_the_saved_views_and_the_report_are_seen(browser: Any, store: Store, tmp_path: Path) -> None:
    record_study(store.root, grid(sizes=(100, 400), seeds=2))
    assert Replay(store).round().problem is None
    port = free_port()
    study = Look(store.uri).study()
    with a_server(store, port):
        saved = {link.title: link.url.replace(":5000", f":{port}") for link in links(LOCAL, store.root, STUDY)}
        browser.get(saved["Leaderboard"])
        assert sees(browser, "8 matching runs", "pretrained n=400 seed 1", "test/accuracy", SENTENCE), text(browser)
        browser.get("about:blank")
        browser.get(saved["Pretrained against scratch"])
        assert sees(browser, "8 matching runs", "Group by: arm", "val/accuracy", "scratch (val/accuracy)"), text(
            browser
        )
        browser.get("about:blank")
        browser.get(saved["By cell"])
        assert sees(browser, "Group by: cell", "pretrained n=100 (val/accuracy)"), text(browser)
        browser.get("about:blank")
        run = f"http://127.0.0.1:{port}/#/experiments/{study.info.experiment_id}/runs/{study.info.run_id}"
        browser.get(f"{run}/artifacts/report.html?workflowType=machine_learning")
        assert sees(browser, "report.html", "findings.json"), text(browser)
        assert wait_for(lambda: in_frame(browser, "The report"), 20)


def in_frame(browser: Any, word: str) -> bool:
    """Whether an embedded page shows `word`."""
    shown = False
    for frame in browser.find_elements("tag name", "iframe"):
        browser.switch_to.frame(frame)
        shown = shown or word in text(browser)
        browser.switch_to.default_content()
    return shown

"""The explorer for everybody: what axe finds, the keyboard alone, and pictures for the docs."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from api.routes.examples import CRESCENT_QUESTION
from docs.screenshots import IMAGES, SHOTS, WIDTH, take
from tests.api.axe import findings
from tests.api.browser import WINDOW, Browser, chromium
from tests.api.explorer_page import (
    CRESCENT,
    TURKEY,
    ask,
    drawn,
    lit,
    show,
)
from tests.api.explorer_world import Explorer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]


VIEWS = {
    "ask": "", "entity": TURKEY, "search": "?view=search&s=crescent",
    "review": "?view=review", "jobs": "?view=jobs", "saved": "?view=saved",
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(browser: Browser, explorer: Explorer, view: str) -> None:
    if view == "ask":
        ask(browser, explorer, CRESCENT_QUESTION)
        browser.run(
            "document.querySelectorAll('.answers > :first-child > .answer-head, summary')"
            ".forEach((head) => head.click())"
        )
        browser.click("#tab-form")
        browser.wait("document.querySelector('.condition')")
    else:
        show(browser, explorer, VIEWS[view])
    assert findings(browser) == []
    browser.prefer("dark")
    assert findings(browser, rules=("color-contrast",)) == []


def test_axe_can_find_something(browser: Browser, explorer: Explorer) -> None:
    show(browser, explorer, "?view=saved")
    browser.run("document.querySelector('#view').append(document.createElement('button'))")
    assert any("button-name" in line for line in findings(browser))


def test_the_keyboard_reaches_and_does_everything(browser: Browser, explorer: Explorer) -> None:
    browser.open(explorer.address)
    browser.wait("document.querySelector('.chip')")
    reached = []
    for _ in range(12):
        browser.press("Tab")
        reached.append(browser.run("document.activeElement.id || document.activeElement.innerText"))
    for name in ("Skip to what is shown", "Ask", "Review", "search", "tab-text", "question", "ask"):
        assert name in reached, reached
    browser.run("document.getElementById('tab-text').focus()")
    browser.press("ArrowRight")
    assert browser.run("document.activeElement.id") == "tab-form"
    browser.wait("document.querySelector('.condition')")
    show(browser, explorer, TURKEY)
    drawn(browser)
    browser.run("document.querySelector('a.chip').focus()")
    assert lit(browser) == [CRESCENT]  # what a mouse shows by hovering
    browser.press("Enter")
    browser.wait("document.querySelector('#view h2').innerText.startsWith('white crescent')")
    assert browser.run("document.activeElement.tagName") == "H2"  # a reader is told the new view


def test_the_pictures_of_the_docs_can_be_taken(browser: Browser, explorer: Explorer) -> None:
    shot = next(shot for shot in SHOTS if shot.name == "explorer-entity")
    png = take(browser, explorer.address, shot)
    browser.resize(*WINDOW)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (WIDTH, shot.height)
        assert len(picture.getcolors() or ()) > 20  # there is something on it
    assert len(png) < 150_000
    assert {path.stem for path in IMAGES.glob("explorer*.png")} == {shot.name for shot in SHOTS}

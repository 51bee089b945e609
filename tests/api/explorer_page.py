"""What the tests of the explorer do on its page, as a person would."""

from __future__ import annotations

from urllib.parse import quote

from tests.api.browser import Browser
from tests.api.explorer_world import Explorer

__all__ = ["CRESCENT", "TURKEY", "ask", "choose_entity", "drawn", "lit", "show", "taken", "text_of"]

TURKEY = "?view=entity&key=country%3ATR"
CRESCENT = "part:country:TR/0"


def text_of(browser: Browser, selector: str) -> str:
    found: str = browser.run(f"document.querySelector({selector!r}).innerText")
    return found


def ask(browser: Browser, explorer: Explorer, question: str, more: str = "") -> None:
    browser.open(f"{explorer.address}/?q={quote(question)}{more}")
    browser.wait("document.getElementById('answers').ariaBusy === 'false'")
    browser.wait("document.querySelector('.group')")


def show(browser: Browser, explorer: Explorer, address: str) -> None:
    browser.open(f"{explorer.address}/{address}")
    browser.wait("document.querySelector('#view .title')")


def drawn(browser: Browser, selector: str = ".graph") -> None:
    browser.wait(f"document.querySelector({selector!r})?.graph")


def taken(browser: Browser) -> None:
    """Let the page show what it gives out as a file: it then stands in `window.taken`."""
    browser.run(
        "(() => { window.taken = null; const made = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => { window.taken = blob; return made(blob); }; })()"
    )


def choose_entity(browser: Browser, selector: str, beginning: str) -> None:
    """Type the beginning of a name and take the first suggestion by keyboard."""
    browser.fill(selector, beginning)
    browser.wait("document.querySelector('.choices:not([hidden]) li')")
    browser.press("ArrowDown")
    browser.press("Enter")


def lit(browser: Browser) -> list[str]:
    """Keys of the nodes that the graph lights up."""
    found: list[str] = browser.run(
        "document.querySelector('.graph').graph.nodes('.lit').map((node) => node.id())"
    )
    return found

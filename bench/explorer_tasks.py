"""The ten main tasks of an analyst in the explorer on the demo's graph, for `bench.explorer`.

Each function does its task by mouse and keyboard and returns what it saw, for the page; it raises
if what a person waits for does not come. `tests/api/test_explorer*.py` check the same in depth.
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from api.cli.main import main as umbra
from docs.screenshots import QUESTION
from tests.api.browser import Browser

__all__ = ["TASKS", "Place", "ask"]

CHAD = "MATCH (c:Country)-[:borders]->(:Country {name: 'Chad'}) RETURN c"


@dataclass(frozen=True)
class Place:
    """Where the tasks are done.

    Attributes:
        browser: The browser.
        address: Of the demo's page.
        folder: The demo's working folder.
        hub: Address of a page with an entity of 100,000 neighbours.
    """

    browser: Browser
    address: str
    folder: Path
    hub: str


def ask(place: Place, question: str, more: str = "") -> None:
    """Open the page at a question and wait for all groups of answers."""
    place.browser.open(f"{place.address}/?q={quote(question)}{more}")
    place.browser.wait("document.getElementById('answers').ariaBusy === 'false'")
    place.browser.wait("document.querySelector('.group')")


def _show(place: Place, address: str) -> None:
    place.browser.open(f"{place.address}/{address}")
    place.browser.wait("document.querySelector('#view .title')")


def _count(place: Place, selector: str) -> int:
    found: int = place.browser.run(f"document.querySelectorAll({selector!r}).length")
    return found


def by_form(place: Place) -> str:
    """Ask by form."""
    browser = place.browser
    browser.open(place.address)
    browser.click("#tab-form")
    browser.wait("document.querySelector('.condition')")
    browser.run("document.querySelector('.relation').value = '>borders'; 0")
    browser.fill(".target", "Chad")
    browser.wait("document.querySelector('.choices:not([hidden]) li')")
    browser.press("ArrowDown")
    browser.press("Enter")
    browser.click("#ask")
    browser.wait("document.querySelector('.answer')")
    return f"{_count(place, '.group.known .answer')} known answers"


def by_text(place: Place) -> str:
    """Ask by text, completed from the schema."""
    browser = place.browser
    browser.open(place.address)
    browser.wait("document.querySelector('.chip')")
    browser.fill("#question", "MATCH (c:Cou")
    for typed in ("", ")-[:bord", "]->(:Country {name: 'Chad"):
        browser.write(typed) if typed else None
        browser.wait("document.querySelector('.completed .choices:not([hidden]) li')")
        browser.press("ArrowDown")
        browser.press("Enter")
        browser.wait("!document.querySelector('.completed .choices:not([hidden])')")
    browser.write("'}) RETURN c")
    browser.press("Control+Enter")
    browser.wait("document.querySelector('.answer')")
    written = browser.run("document.getElementById('question').value")
    if written != CHAD:
        raise AssertionError(written)
    return "label, relation and name completed"


def told_apart(place: Place) -> str:
    """Tell known, likely and excluded answers apart."""
    ask(place, QUESTION)
    kinds = ("known", "likely", "excluded")
    found = {kind: _count(place, f".group.{kind} .answer") for kind in kinds}
    if not all(found.values()):
        raise AssertionError(found)
    return ", ".join(f"{count} {kind}" for kind, count in found.items())


def proof(place: Place) -> str:
    """See an answer's proof as a graph with sources."""
    ask(place, QUESTION, "&k=3")
    place.browser.click(".group.known .answer-head")
    place.browser.wait("document.querySelector('.graph')?.graph")
    edges = place.browser.run("document.querySelector('.graph').graph.edges('[from]').length")
    return f"{edges} edges, each with its source"


def picture(place: Place) -> str:
    """See a picture with parts that light up their nodes."""
    browser = place.browser
    _show(place, "?view=entity&key=country%3ATR")
    browser.wait("document.querySelector('.graph')?.graph")
    browser.wait("document.querySelector('.picture image').href.baseVal")
    browser.point(*browser.place("a.chip"))
    browser.wait("document.querySelector('.graph').graph.nodes('.lit').length === 1")
    return f"{_count(place, '.region')} parts outlined"


def verdicts(place: Place) -> str:
    """Accept or reject a likely fact and a link; all is taken back."""
    browser = place.browser
    ask(place, QUESTION, "&k=3")
    browser.click(".group.likely .answer-head")
    browser.click(".group.likely .verdict button:nth-of-type(2)")
    browser.wait("document.querySelector('.said.reject')")
    browser.click(".said.reject + button")
    browser.wait("!document.querySelector('.said')")
    _show(place, "?view=review")
    browser.click(".case [aria-label^='Accept']")
    browser.click(".case.done [role=status] button")
    browser.wait("!document.querySelector('.case.done')")
    return "a fact rejected, a link accepted, both taken back"


def search(place: Place) -> str:
    """Search everything."""
    browser = place.browser
    browser.open(place.address)
    browser.fill("#search", "white crescent")
    browser.press("Enter")
    browser.wait("document.querySelector('.hit mark')")
    return f"{_count(place, '.hit')} hits"


def jobs(place: Place) -> str:
    """Start a job and watch it end."""
    browser = place.browser
    _show(place, "?view=jobs")
    before = _count(place, ".job")
    browser.fill("#mentions", "Turkish\nCongo\nGuinean\nKorea")
    browser.click("form .plain[type=submit]")
    browser.wait(f"document.querySelectorAll('.job').length === {before + 1}")
    browser.wait("document.querySelector('.job.done .bar[aria-label=\"4 of 4 records\"]')")
    return "4 mentions linked"


def recipe(place: Place) -> str:
    """Reopen a view by its address, save it, and run the recipe on the command line."""
    browser = place.browser
    ask(place, CHAD, "&k=3")
    key = browser.run("document.querySelector('.answer').dataset.key")
    browser.click(".answer-head")
    there = browser.run("location.href")
    browser.open("about:blank")
    browser.open(there)
    browser.wait(f"document.querySelector('.answer[data-key=\"{key}\"] .proof .edge')")
    browser.click(".recipe summary")
    line = browser.run("document.querySelector('.recipe pre').innerText")
    browser.click(".recipe .save")
    with redirect_stdout(io.StringIO()) as printed:
        code = umbra([*shlex.split(line)[1:], "--folder", str(place.folder)])
    name = browser.run("document.querySelector('.answer .name').innerText")
    if code or name not in printed.getvalue():
        raise AssertionError(line)
    return "the command line gives the same answers"


def hub(place: Place) -> str:
    """Open an entity with 100,000 neighbours."""
    browser = place.browser
    browser.open(place.hub)
    browser.wait("document.querySelector('.graph')?.graph")
    nodes = browser.run("document.querySelector('.graph').graph.nodes().length")
    if nodes > 25:
        raise AssertionError(nodes)
    return f"{nodes} nodes drawn, {_count(place, '.edges > .edge')} lines listed"


TASKS: dict[str, Callable[[Place], str]] = {
    "ask by form": by_form,
    "ask by text with completion": by_text,
    "tell known, likely and excluded apart": told_apart,
    "open a proof as a graph with sources": proof,
    "light up a part and its node": picture,
    "search everything": search,
    "watch a job": jobs,
    "reopen by address, run the recipe": recipe,
    "open a node with 100,000 neighbours": hub,
    "accept or reject a fact and a link": verdicts,
}

"""Main tasks of an analyst who looks, decides and waits, each done in a real browser."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

import pytest

from api.cli.main import make_parser
from kg.model import EntityKey
from tests.api.browser import Browser, chromium
from tests.api.explorer_page import (
    CRESCENT,
    TURKEY,
    ask,
    drawn,
    lit,
    show,
    taken,
    text_of,
)
from tests.api.explorer_world import HUB, Explorer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]


def test_5_a_part_and_its_node_light_each_other_up(browser: Browser, explorer: Explorer) -> None:
    show(browser, explorer, TURKEY)
    drawn(browser)
    browser.wait("document.querySelector('.picture image').href.baseVal")
    outline = browser.run("document.querySelector('.region path.over').getAttribute('d')")
    assert outline.startswith("M")
    browser.point(1, 1)
    assert lit(browser) == []
    x, y = browser.place(".region")
    width = browser.run("document.querySelector('.region').getBoundingClientRect().width")
    browser.point(x - 0.4 * width, y)  # the middle of a crescent is not within it
    browser.wait("document.querySelector('.graph').graph.nodes('.lit').length")
    assert lit(browser) == [CRESCENT]
    browser.run("document.querySelector('.graph').scrollIntoView({block: 'center'})")
    x, y = browser.run(
        f"(() => {{ const frame = document.querySelector('.graph');"
        f"const at = frame.graph.getElementById({CRESCENT!r}).renderedPosition();"
        "const box = frame.getBoundingClientRect(); return [box.x + at.x, box.y + at.y]; })()"
    )
    browser.point(x, y)
    browser.wait("document.querySelector('.region.lit')")
    assert "crescent" in text_of(browser, "a.chip.lit")
    browser.point(1, 1)
    browser.wait("!document.querySelector('.region.lit')")


def test_a_graph_that_is_left_asks_for_no_more_frames(browser: Browser, explorer: Explorer) -> None:
    show(browser, explorer, TURKEY)
    drawn(browser)
    browser.run("void (window.left = document.querySelector('.graph').graph)")
    assert not browser.run("window.left.destroyed()")
    browser.run("document.querySelector('.graph').remove()")
    browser.wait("window.left.destroyed()")


def test_6_a_likely_fact_and_a_link_are_accepted_and_rejected(
    browser: Browser, explorer: Explorer
) -> None:
    question = "MATCH (c:Country)-[:borders]->(:Country {key: 'country:TR'}) RETURN c"
    ask(browser, explorer, question)
    row = ".answer[data-key='country:GE']"
    browser.click(f"{row} .answer-head")
    browser.click(f"{row} .verdict button:nth-of-type(2)")
    browser.wait("document.querySelector('.said.reject')")
    ask(browser, explorer, question)
    assert "Georgia" not in text_of(browser, "#answers")
    assert "people rejected left out" in text_of(browser, "#answers .warning")
    assert "--without" in browser.run("document.querySelector('.recipe pre').textContent")
    show(browser, explorer, "?view=review")
    said = browser.run("document.querySelector('.recipe pre').textContent").splitlines()
    verdict = make_parser().parse_args(shlex.split(said[-1])[1:])
    assert (verdict.command, verdict.action, verdict.relation) == ("facts", "reject", "borders")
    assert {verdict.head, verdict.tail} == {"country:GE", "country:TR"}
    browser.click("[aria-label^='Undo the verdict on Georgia']")
    browser.wait("!document.querySelector('.said.reject')")
    edges = explorer.engine.store.edges(head=EntityKey("country:GE"), relation="borders")
    assert len([edge for edge in edges if edge.tail == "country:TR"]) == 1

    explorer.linker.steps.release(2)
    show(browser, explorer, "?view=jobs")
    browser.fill("#mentions", "Turkiye\nHellas")
    browser.click("form .plain[type=submit]")
    browser.wait("document.querySelector('.same pre')")
    said = browser.run("document.querySelector('.same pre').textContent").splitlines()
    *_, first, second, _, _ = shlex.split(said[0])
    assert [json.loads(one)["mention"] for one in (first, second)] == ["Turkiye", "Hellas"]
    assert make_parser().parse_args(shlex.split(said[1])[1:]).action == "run"
    job = ".job:nth-of-type(1)"  # the newest; jobs of other tests may stand below it
    browser.wait(f"document.querySelector('{job}.done .bar')?.ariaLabel === '2 of 2 records'")
    browser.click(f"{job} [aria-label^='Review its links']")
    browser.wait("document.querySelectorAll('.case').length === 2")
    case = ".case:nth-of-type(1)"
    browser.click(f"{case} [aria-label='Accept Turkey']")
    browser.wait(f'document.querySelector("{case}.done")')
    browser.click(".case:not(.done) [aria-label^='Reject all']")
    browser.wait("document.querySelectorAll('.case.done').length === 2")
    show(browser, explorer, "?view=review")
    assert "Links: 0 open, 2 decided" in text_of(browser, "#view")


def test_7_one_box_searches_everything(browser: Browser, explorer: Explorer) -> None:
    browser.open(explorer.address)
    browser.run("document.activeElement.blur()")
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"
    browser.write("white crescent")
    browser.press("Enter")
    browser.wait("document.querySelector('.hit mark')")
    assert "crescent" in text_of(browser, ".hit mark").lower() or "white" in text_of(
        browser, ".hit mark"
    )
    assert browser.run("new URLSearchParams(location.search).get('s')") == "white crescent"
    browser.click(".hit[data-key='country:TR'] a")
    browser.wait("document.querySelector('#view h2').innerText.startsWith('Turkey')")


HELD_BACK = """(() => {
  const fetched = window.fetch;
  const open = new Promise((done) => { window.letGo = done; });
  window.fetch = async (path, ...more) => {
    if (String(path).startsWith("/v1/suggestions")) await open;
    return fetched(path, ...more);
  };
})()"""


@pytest.mark.parametrize(("words", "chips"), [("republic", True), ("Bulgaria", False)])
def test_suggestions_move_no_hit_when_they_come(
    browser: Browser, explorer: Explorer, words: str, chips: bool
) -> None:
    top = "document.querySelector('.hit').getBoundingClientRect().top"
    browser.open(explorer.address)
    browser.run(HELD_BACK)
    browser.fill("#search", words)
    browser.press("Enter")
    browser.wait("document.querySelector('.hit mark')")
    assert browser.run("document.querySelector('.suggested').ariaBusy") == "true"
    before = browser.run(top)
    browser.run("window.letGo()")
    browser.wait("document.querySelector('.suggested').ariaBusy === 'false'")
    assert browser.run(top) == before
    assert browser.run("document.querySelectorAll('.suggested .chip').length > 0") is chips


def test_a_suggestion_leads_to_as_many_as_it_says(browser: Browser, explorer: Explorer) -> None:
    show(browser, explorer, "?view=search&s=republic")
    browser.wait("document.querySelector('.suggested .chip')")
    told = int(browser.run("document.querySelector('.suggested .chip').dataset.results"))
    browser.click(".suggested .chip")
    browser.wait(f"document.querySelector('#view .title')?.innerText.startsWith('{told} found')")
    assert "--within" in browser.run("document.querySelector('.recipe pre').textContent")
    ask(browser, explorer, "MATCH (c:Country) RETURN c", "&k=50&answerer=exact")
    browser.wait("document.querySelector('.suggested .chip')")
    told = int(browser.run("document.querySelector('.suggested .chip').dataset.results"))
    browser.click(".suggested .chip")
    browser.wait(f"document.querySelector('#title-known')?.innerText.includes('{told} in the')")


def test_8_a_job_shows_how_far_it_is(browser: Browser, explorer: Explorer) -> None:
    show(browser, explorer, "?view=jobs")
    browser.fill("#mentions", "a\nb\nc\nd")
    browser.click("form .plain[type=submit]")
    job = ".job:nth-of-type(1)"
    for done in (1, 3):
        explorer.linker.steps.release(done if done == 1 else 2)
        browser.wait(f"document.querySelector('{job} .bar')?.ariaLabel === '{done} of 4 records'")
    assert text_of(browser, f"{job} .state") == "running"
    explorer.linker.steps.release(1)
    browser.wait(f"document.querySelector('{job} .state').innerText === 'done'")
    assert "4 review" in text_of(browser, job)
    taken(browser)
    browser.click(f"{job} [aria-label^='Take its output']")
    browser.wait("window.taken")
    links = [json.loads(line) for line in browser.run("window.taken.text()").splitlines()]
    assert [link["mention"] for link in links] == ["m1", "m2", "m3", "m4"]


def test_10_a_hundred_thousand_neighbours_are_never_drawn_whole(
    browser: Browser, explorer: Explorer
) -> None:
    show(browser, explorer, f"?view=entity&key={quote(HUB)}")
    drawn(browser)
    assert browser.run("document.querySelector('.graph').graph.nodes().length") == 25
    assert text_of(browser, ".drawn") == "24 of more than 100 edges drawn"
    lines = "document.querySelectorAll('.edges > .edge').length"
    assert browser.run(lines) == 100
    browser.click(".more-edges")
    browser.wait(f"{lines} === 200")

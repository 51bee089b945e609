"""The ten main tasks of an analyst, each done in a real browser as a person would."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from api.cli.main import make_parser
from api.routes.examples import CRESCENT_QUESTION
from docs.screenshots import IMAGES, SHOTS, WIDTH, take
from kg.model import EntityKey
from tests.api.axe import findings
from tests.api.browser import Browser, chromium
from tests.api.explorer_world import HUB, Explorer, exploring

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]

ARABIC = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
TURKEY = "?view=entity&key=country%3ATR"
CRESCENT = "part:country:TR/0"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    with exploring(tmp_path_factory.mktemp("explorer") / ".umbra") as explorer:
        yield explorer


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
    browser.press("ArrowDown", code=40)
    browser.press("Enter", code=13)


def test_1_a_form_asks_without_a_language(browser: Browser, explorer: Explorer) -> None:
    browser.open(explorer.address)
    browser.click("#tab-form")
    browser.wait("document.querySelector('.condition')")
    browser.run(
        "(() => { const field = document.querySelector('.relation'); field.value = '>borders';"
        "field.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )
    choose_entity(browser, ".target", "Turk")
    browser.click("#ask")
    browser.wait("document.querySelector('.answer')")
    assert "Greece" in text_of(browser, ".group.known")
    asked = browser.run("document.getElementById('question').value")
    assert asked == "MATCH (c:Country)\nMATCH (c)-[:borders]->({key: 'country:TR'})\nRETURN c"


def test_2_a_text_is_completed_from_the_schema_and_the_graph(
    browser: Browser, explorer: Explorer
) -> None:
    browser.open(explorer.address)
    browser.wait("document.querySelector('.chip')")
    browser.fill("#question", "MATCH (c:Cou")
    for typed, offered in (
        ("", "Country"),
        (")-[:bord", "borders"),
        ("]->(:Country {name: 'Turk", "Turkey"),
    ):
        if typed:
            browser.write(typed)
        shown = "document.querySelector('.completed .choices:not([hidden]) li')"
        browser.wait(f"{shown}?.innerText.startsWith({offered!r})")
        browser.press("ArrowDown", code=40)
        active = "document.getElementById('question').getAttribute('aria-activedescendant')"
        assert browser.run(f"document.getElementById({active}).ariaSelected") == "true"
        browser.press("Enter", code=13)
    browser.write("'}) RETURN c")
    browser.press("Enter", code=13, control=True)
    browser.wait("document.querySelector('.answer')")
    question = browser.run("document.getElementById('question').value")
    assert question == "MATCH (c:Country)-[:borders]->(:Country {name: 'Turkey'}) RETURN c"
    assert "Bulgaria" in text_of(browser, ".group.known")


def test_a_sentence_is_shown_as_a_query_before_it_is_asked(
    browser: Browser, explorer: Explorer
) -> None:
    question = "Which countries border Turkey but do not speak Arabic?"
    read = explorer.engine.plain(question)
    browser.open(explorer.address)
    browser.wait("document.querySelector('.chip')")
    browser.fill("#question", question)
    browser.press("Enter", code=13, control=True)
    browser.wait("document.querySelector('.ask-it')")
    assert browser.run("document.getElementById('question').value") == read.query
    shown = text_of(browser, ".read")
    assert read.heard
    for one in read.heard:
        assert f"“{one.words}” as {one.relation}" in shown
    assert findings(browser) == []
    assert browser.run("document.querySelectorAll('.answer').length") == 0
    assert browser.run("document.activeElement.className").endswith("ask-it")
    browser.press("Enter", code=13)
    browser.wait("document.querySelector('.answer')")
    assert "Greece" in text_of(browser, ".group.known")
    browser.fill("#question", "How do you do today?")
    browser.press("Enter", code=13, control=True)
    browser.wait("document.querySelector('#problem').innerText")
    assert browser.run("document.querySelectorAll('.answer').length") == 0


def test_3_known_likely_and_excluded_answers_are_told_apart(
    browser: Browser, explorer: Explorer
) -> None:
    ask(browser, explorer, CRESCENT_QUESTION)
    groups = {kind: text_of(browser, f".group.{kind}") for kind in ("known", "likely", "excluded")}
    assert "Greece" in groups["known"]
    assert "Georgia" in groups["likely"]
    assert "Syria" in groups["excluded"]
    assert "fails by: Syria is none of: speaks" in groups["excluded"]
    signs = [browser.run(f"document.querySelector('.{kind} .badge').innerText") for kind in groups]
    assert [sign.split()[0] for sign in signs] == ["✓", "≈", "✕"]  # not by colour alone
    browser.fill("#why-entity", "Russia")
    browser.click(".why button")
    browser.wait("document.querySelector('.whynot .proof .edge')")
    assert "fails by: Azerbaijan" in text_of(browser, ".whynot")


def test_4_a_proof_is_a_graph_with_the_sources_of_its_edges(
    browser: Browser, explorer: Explorer
) -> None:
    ask(browser, explorer, CRESCENT_QUESTION)
    row = ".answer[data-key='country:GR']"
    browser.click(f"{row} .answer-head")
    drawn(browser, f"{row} .graph")
    graph = f'document.querySelector("{row} .graph").graph'
    edges: list[dict[str, Any]] = browser.run(f"{graph}.edges().map((edge) => edge.data())")
    by_relation = {edge["relation"]: edge for edge in edges}
    assert by_relation["borders"]["label"] == "borders\ncountries.jsonl, row 1, 100 %"
    assert by_relation["has_part"]["label"].startswith("has part\nseen in a picture")
    assert by_relation["borders"]["source"] == "country:GR"
    assert "countries.jsonl, row 1" in text_of(browser, f"{row} .edges")  # and for who cannot see
    told = browser.run(f'document.querySelector("{row} .graph").ariaLabel')
    assert "entities" in told
    assert "the list below says the same" in told


def lit(browser: Browser) -> list[str]:
    """Keys of the nodes that the graph lights up."""
    found: list[str] = browser.run(
        "document.querySelector('.graph').graph.nodes('.lit').map((node) => node.id())"
    )
    return found


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
    browser.press("/", code=191)
    assert browser.run("document.activeElement.id") == "search"
    browser.write("white crescent")
    browser.press("Enter", code=13)
    browser.wait("document.querySelector('.hit mark')")
    assert "crescent" in text_of(browser, ".hit mark").lower() or "white" in text_of(
        browser, ".hit mark"
    )
    assert browser.run("new URLSearchParams(location.search).get('s')") == "white crescent"
    browser.wait("document.querySelector('.suggested').ariaBusy === 'false'")  # moves what follows
    browser.click(".hit[data-key='country:TR'] a")
    browser.wait("document.querySelector('#view h2').innerText.startsWith('Turkey')")


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


def test_9_an_address_opens_the_same_view_and_the_recipe_runs_on_the_command_line(
    browser: Browser, explorer: Explorer
) -> None:
    ask(browser, explorer, ARABIC, "&k=4&answerer=exact")
    browser.click(".answer[data-key='country:TN'] .answer-head")
    browser.wait("location.search.includes('open=country')")
    there = browser.run("location.href")
    browser.open("about:blank")
    browser.open(there)
    browser.wait("document.querySelector('.answer[data-key=\"country:TN\"] .proof .edge')")
    browser.click(".recipe summary")
    browser.click(".recipe .save")
    show(browser, explorer, "?view=saved")
    taken(browser)
    browser.click(".download")
    recipe: str = browser.run("window.taken.text()")
    (line,) = [row for row in recipe.splitlines() if row.startswith("umbra ")]
    arguments = make_parser().parse_args(shlex.split(line)[1:])
    assert (arguments.question, arguments.k, arguments.answerer) == (ARABIC, 4, "exact")
    answers = explorer.engine.ask(arguments.question, k=arguments.k, answerer=arguments.answerer)
    browser.click("#view .saved a")
    browser.wait("document.querySelector('.answer')")
    assert browser.run("document.getElementById('question').value") == ARABIC
    shown = browser.run("[...document.querySelectorAll('.answer')].map((row) => row.dataset.key)")
    assert shown == [answer.key for answer in answers.answers]


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
        browser.press("Tab", code=9)
        reached.append(browser.run("document.activeElement.id || document.activeElement.innerText"))
    for name in ("Skip to what is shown", "Ask", "Review", "search", "tab-text", "question", "ask"):
        assert name in reached, reached
    browser.run("document.getElementById('tab-text').focus()")
    browser.press("ArrowRight", code=39)
    assert browser.run("document.activeElement.id") == "tab-form"
    browser.wait("document.querySelector('.condition')")
    show(browser, explorer, TURKEY)
    drawn(browser)
    browser.run("document.querySelector('a.chip').focus()")
    assert lit(browser) == [CRESCENT]  # what a mouse shows by hovering
    browser.press("Enter", code=13)
    browser.wait("document.querySelector('#view h2').innerText.startsWith('white crescent')")
    assert browser.run("document.activeElement.tagName") == "H2"  # a reader is told the new view


def test_the_pictures_of_the_docs_can_be_taken(browser: Browser, explorer: Explorer) -> None:
    shot = next(shot for shot in SHOTS if shot.name == "explorer-entity")
    png = take(browser, explorer.address, shot)
    browser.call("Emulation.clearDeviceMetricsOverride")
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (WIDTH, shot.height)
        assert len(picture.getcolors() or ()) > 20  # there is something on it
    assert len(png) < 150_000
    assert {path.stem for path in IMAGES.glob("explorer*.png")} == {shot.name for shot in SHOTS}

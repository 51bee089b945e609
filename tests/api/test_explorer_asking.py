"""Main tasks of an analyst who asks, each done in a real browser as a person would."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from api.cli.main import make_parser
from api.routes.examples import CRESCENT_QUESTION
from tests.api.axe import findings
from tests.api.browser import Browser, chromium
from tests.api.explorer_page import (
    ask,
    choose_entity,
    drawn,
    show,
    taken,
    text_of,
)
from tests.api.explorer_world import Explorer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]

ARABIC = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"


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
        browser.press("ArrowDown")
        active = "document.getElementById('question').getAttribute('aria-activedescendant')"
        assert browser.run(f"document.getElementById({active}).ariaSelected") == "true"
        browser.press("Enter")
    browser.write("'}) RETURN c")
    browser.press("Control+Enter")
    browser.wait("document.querySelector('.answer')")
    question = browser.run("document.getElementById('question').value")
    assert question == "MATCH (c:Country)-[:borders]->(:Country {name: 'Turkey'}) RETURN c"
    assert "Bulgaria" in text_of(browser, ".group.known")


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("MATCH (c:Country) RETURN c", ".answer"),
        ("MATCH (a:Country)-[:borders]->(b:Country) RETURN a, b", "tbody tr"),
    ],
)
def test_more_answers_come_a_page_at_a_time(
    browser: Browser, explorer: Explorer, question: str, shown: str
) -> None:
    count = f"document.querySelectorAll('#answers .group.known {shown}').length"
    more = "document.querySelector('.more-answers')"
    ask(browser, explorer, question, "&k=4")
    first = text_of(browser, ".group.known")
    for pages in (2, 3):
        browser.click(".more-answers")
        browser.wait(f"{count} === {4 * pages}")
        browser.wait(f"!{more}.disabled")
    assert text_of(browser, ".group.known").count("country:") >= first.count("country:")
    assert "12 shown" in text_of(browser, ".group.known h2")
    while browser.run(f"!{more}.hidden"):
        before = browser.run(count)
        browser.click(".more-answers")
        browser.wait(f"!{more}.disabled && {count} > {before}")
    found = explorer.engine.ask(question, k=1000, proofs=False)
    assert browser.run(count) == found.total_known
    lines = f"[...document.querySelectorAll('#answers .group.known {shown}')]"
    told = browser.run(f"{lines}.map((line) => line.innerText)")
    assert len(set(told)) == found.total_known


def test_more_hits_come_a_page_at_a_time(browser: Browser, explorer: Explorer) -> None:
    whole = explorer.engine.search("country", k=100)
    assert len(whole.hits) > 8
    show(browser, explorer, "?view=search&s=country&k=4")
    assert text_of(browser, ".title") == "The best 4 for “country”"
    browser.click(".more-hits")
    browser.wait("document.querySelectorAll('.hit').length > 4")
    shown = browser.run("[...document.querySelectorAll('.hit')].map((hit) => hit.dataset.key)")
    assert shown == [hit.key for hit in whole.hits[:8]]


def test_a_sentence_is_shown_as_a_query_before_it_is_asked(
    browser: Browser, explorer: Explorer
) -> None:
    question = "Which countries border Turkey but do not speak Arabic?"
    read = explorer.engine.plain(question)
    browser.open(explorer.address)
    browser.wait("document.querySelector('.chip')")
    browser.fill("#question", question)
    browser.press("Control+Enter")
    browser.wait("document.querySelector('.ask-it')")
    assert browser.run("document.getElementById('question').value") == read.query
    shown = text_of(browser, ".read")
    assert read.heard
    for one in read.heard:
        assert f"“{one.words}” as {one.relation}" in shown
    assert findings(browser) == []
    assert browser.run("document.querySelectorAll('.answer').length") == 0
    assert browser.run("document.activeElement.className").endswith("ask-it")
    browser.press("Enter")
    browser.wait("document.querySelector('.answer')")
    assert "Greece" in text_of(browser, ".group.known")
    browser.fill("#question", "How do you do today?")
    browser.press("Control+Enter")
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

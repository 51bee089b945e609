"""The page in a real browser: asks, tells known from likely, opens a proof, outlines the part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from api.routes.examples import CRESCENT_QUESTION
from api.settings import Settings
from tests.api.browser import Browser, chromium
from tests.api.pages import listening
from tests.api.world import WorldEngine, open_world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]

KEY = "a-key-that-is-long-enough"


@pytest.fixture(scope="module")
def address(world: WorldEngine) -> Iterator[str]:
    with listening(world) as address:
        yield address


def text_of(browser: Browser, selector: str) -> str:
    found: str = browser.run(f"document.querySelector({selector!r}).innerText")
    return found


def ask(browser: Browser, address: str, question: str, k: int = 10) -> None:
    browser.open(f"{address}/?q={quote(question)}&k={k}")
    browser.wait("document.querySelector('.group, .problem')")


def test_what_a_page_throws_and_what_its_policy_blocks_is_heard(
    browser: Browser, address: str
) -> None:
    browser.open(address)
    browser.run("setTimeout(() => { throw new Error('thrown on purpose'); }); 0")
    browser.run(
        "new Promise((done) => { const picture = new Image(); picture.onerror = () => done(1);"
        "picture.src = 'https://elsewhere.invalid/a.png'; })"
    )
    heard = " ".join(browser.complaints)
    browser.complaints.clear()
    assert "thrown on purpose" in heard
    assert "Content Security Policy" in heard


def test_known_and_likely_are_told_apart_by_word_and_sign(browser: Browser, address: str) -> None:
    ask(browser, address, CRESCENT_QUESTION)
    known, likely = text_of(browser, ".group.known"), text_of(browser, ".group.likely")
    assert "✓ known" in known.lower()
    assert "Greece" in known
    assert "≈ likely" in likely.lower()
    assert "Georgia" in likely
    assert "Georgia" not in known
    assert "70 %" in likely
    assert "weakest support: generated: picture " in known
    assert "weakest step: Georgia borders Turkey, 70 %" in likely


def test_several_variables_are_a_table_and_a_count_is_said(browser: Browser, address: str) -> None:
    ask(browser, address, "MATCH (a)-[:borders]->(b)-[:speaks]->(l) WHERE a <> b RETURN a, l")
    assert text_of(browser, ".group.known th:nth-child(2)") == "l"
    assert "Arabic" in text_of(browser, ".group.known tbody")
    ask(browser, address, "SELECT (COUNT(DISTINCT ?c) AS ?n) { ?c a label:Country }")
    assert "more likely" in text_of(browser, "#status")


def outlined(browser: Browser, row: str, shape: str) -> tuple[float, float, float, float]:
    """Return the box of the outline in an open proof, in pixels of the picture."""
    browser.wait(f'document.querySelector("{row} figure image").href.baseVal')
    box: dict[str, float] = browser.run(
        f"(({{x, y, width, height}}) => ({{x, y, width, height}}))"
        f'(document.querySelector("{row} figure {shape}.outline.over").getBBox())'
    )
    return (box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"])


def test_a_part_without_a_mask_is_outlined_by_its_box(browser: Browser, address: str) -> None:
    ask(browser, address, CRESCENT_QUESTION)
    row = ".answer[data-key='country:ML']"
    browser.run(f'document.querySelector("{row} .answer-head").click()')
    assert outlined(browser, row, "rect") == (14, 8, 38, 32)


def test_what_a_model_saw_is_outlined_where_no_part_is_asked_for(
    browser: Browser, address: str
) -> None:
    ask(browser, address, "MATCH (c:Country)-[:depicts]->(:Shape {key: 'shape:crescent'}) RETURN c")
    row = ".answer[data-key='country:TR']"
    browser.run(f'document.querySelector("{row} .answer-head").click()')
    assert outlined(browser, row, "rect") == (14, 8, 38, 32)
    size = browser.run(f"document.querySelector(\"{row} figure svg\").getAttribute('viewBox')")
    assert size == "0 0 60 40"
    assert "crescent in the picture of Turkey" in text_of(browser, f"{row} figcaption")


def test_a_proof_opens_and_outlines_the_part(browser: Browser, address: str) -> None:
    ask(browser, address, CRESCENT_QUESTION)
    row = ".answer[data-key='country:GR']"
    assert browser.run(f'document.querySelector("{row} .proof").hidden') is True
    browser.run(f'document.querySelector("{row} .answer-head").click()')
    proof = text_of(browser, f"{row} .proof")
    for line in ("Greece — borders → Turkey", "countries.jsonl, row 1", "Arabic"):
        assert line in proof
    left, top, right, bottom = outlined(browser, row, "path")
    assert 13 <= left <= 15
    assert 34 <= right <= 39
    assert 7 <= top <= 9
    assert 31 <= bottom <= 33
    label = browser.run(f"document.querySelector(\"{row} figure svg\").getAttribute('aria-label')")
    assert label == "white crescent, outlined in the picture of Turkey"


def test_the_whole_proof_opens_as_a_tree(browser: Browser, address: str) -> None:
    ask(browser, address, CRESCENT_QUESTION)
    row = ".answer[data-key='country:GR']"
    browser.run(f'document.querySelector("{row} .answer-head").click()')
    assert browser.run(f'document.querySelector("{row} .tree").open') is False
    browser.run(f'document.querySelector("{row} .tree summary").click()')
    tree = text_of(browser, f"{row} .tree")
    assert "Greece: all of" in tree
    assert "Greece — borders → Turkey 100 %" in tree
    assert "must not hold" in tree


def test_a_likely_answer_shows_the_sentence_that_it_rests_on(
    browser: Browser, address: str
) -> None:
    ask(browser, address, CRESCENT_QUESTION)
    row = ".answer[data-key='country:GE']"
    browser.run(f'document.querySelector("{row} .answer-head").click()')
    assert "Land boundaries" in text_of(browser, f"{row} blockquote")
    assert "≈ predicted" in text_of(browser, f"{row} .proof")


def test_the_keyboard_is_enough(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait("document.querySelector('.chip')")
    browser.run("document.getElementById('question').select()")
    browser.run("document.getElementById('question').focus()")
    browser.write("MATCH (c:Country)-[:borders]->(:Country {key: 'country:ML'}) RETURN c")
    browser.press("Control+Enter")
    browser.wait("document.querySelector('.answer')")
    for _ in range(12):
        browser.press("Tab")
        if browser.run("document.activeElement.classList.contains('answer-head')"):
            break
    browser.press("Enter")
    browser.wait("document.activeElement.getAttribute('aria-expanded') === 'true'")
    assert "Algeria" in text_of(browser, ".answer .proof")


def test_an_example_is_asked_by_a_click_and_stands_in_the_address(
    browser: Browser, address: str
) -> None:
    browser.open(address)
    browser.wait("document.querySelector('.chip')")
    browser.run("document.querySelector('.chip').click()")
    browser.wait("document.querySelector('.answer')")
    assert browser.run("new URLSearchParams(location.search).get('q').includes('crescent')")
    assert browser.run("new URLSearchParams(location.search).get('k')") == "10"
    browser.run("history.back()")
    browser.wait("!location.search")


def test_a_problem_is_shown_with_its_place(browser: Browser, address: str) -> None:
    ask(browser, address, "MATCH (c:Country) RETURN )")
    assert browser.run("document.querySelector('.problem').dataset.type").endswith("query-syntax")
    assert "^" in text_of(browser, ".problem pre")
    assert browser.run("document.activeElement.id") == "question"
    ask(browser, address, "MATCH (c:Country)-[:bordrs]->(d:Country) RETURN c")
    assert "borders" in text_of(browser, ".problem .hint")


def test_markup_in_the_graph_stays_text(browser: Browser, address: str) -> None:
    ask(browser, address, "MATCH (c:Country {key: 'country:<b>&'}) RETURN c")
    browser.run("document.querySelector('.answer-head').click()")
    assert "<img src=x" in text_of(browser, ".answer .name")
    assert browser.run("document.querySelectorAll('.answer .name img').length") == 0
    assert browser.run("document.title") == "Umbra"
    ask(browser, address, "<script>document.title='broken'</script>")
    assert browser.run("document.querySelectorAll('#problem script').length") == 0
    assert browser.run("document.title") == "Umbra"


def test_nothing_comes_from_elsewhere(browser: Browser, address: str) -> None:
    ask(browser, address, CRESCENT_QUESTION)
    origins: list[Any] = browser.run(
        "[...new Set(performance.getEntriesByType('resource').map((r) => new URL(r.name).origin))]"
    )
    assert origins == [address]


CONTRAST = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number).map((v) => {
    v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  const light = (c) => 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return light(rgb(colour));
    }
    return 1;
  };
  const poor = [];
  for (const node of document.querySelectorAll('body *')) {
    const said = [...node.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
    if (!said || !node.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), ground(node)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_dark(
    browser: Browser, address: str, scheme: str
) -> None:
    browser.prefer(scheme)
    ask(browser, address, CRESCENT_QUESTION)
    browser.run("document.querySelectorAll('.answer-head').forEach((head) => head.click())")
    assert browser.run(CONTRAST) == []
    unlabelled = browser.run(
        "[...document.querySelectorAll('input, select, textarea')]"
        ".filter((field) => !field.labels.length).length"
    )
    assert unlabelled == 0


def test_the_page_asks_for_the_key_and_uses_it(browser: Browser, tmp_path: Path) -> None:
    settings = Settings(api_key=KEY)
    with (
        open_world(tmp_path / ".umbra", settings=settings) as engine,
        listening(engine) as address,
    ):
        ask(browser, address, CRESCENT_QUESTION)
        assert browser.run("document.getElementById('key-form').checkVisibility()")
        browser.run(f"document.getElementById('key').value = {KEY!r}")
        browser.run("document.getElementById('key-form').requestSubmit()")
        browser.wait("document.querySelector('.answer')")
        browser.wait("document.querySelector('img.thumb').naturalWidth === 60")
        assert KEY not in browser.run("location.href")

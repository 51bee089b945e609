"""Documents: every word that a reader sees is in one unit, at the place that is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.documents import Figure, Passage, Table, document_graph, read_document
from kg.documents.html import html_units
from kg.documents.markdown import markdown_units
from kg.documents.plain import plain_units
from kg.documents.units import Unit
from kg.errors import LimitError, RecordError

MARKDOWN = """# Rivers

The *Nile* is
long.

## Africa

- Nile
- Congo ![a map](maps/congo.png "Congo")

| river | km |
|---|---:|
| Nile | 6650 |
| ![x](x.png) Congo | 4700 |

```
code  here
```

<table><tr><td>Volga</td></tr></table>
"""

HTML = (
    "<html><head><title>no</title></head><body>lead<h1>Rivers</h1>"
    '<p>The <b>Nile</b> <img src="a.png" alt="A map"> is long.</p>'
    '<figure><img src="b.png"><figcaption>Its delta</figcaption></figure>'
    "<ul><li>One<ul><li>Two</li></ul>Three</li></ul>"
    "<table><caption>Lengths</caption><tr><th>river</th><th>km</th></tr>"
    '<tr><td>Nile</td><td>6650 <img src="c.png"></td></tr></table>tail'
    "<script>never()</script><!-- nor this --><pre>\n a  b\n</pre></body></html>"
)


def told(units: list[Unit]) -> list[object]:
    return [
        unit.text if isinstance(unit, Passage)
        else (unit.picture, unit.caption) if isinstance(unit, Figure) else unit.rows
        for unit in units
    ]  # fmt: skip


def test_markdown_in_order_with_sections_and_lines() -> None:
    units = list(markdown_units(MARKDOWN))
    assert told(units) == [
        "The Nile is long.", "Nile", "Congo", ("maps/congo.png", "a map"),
        (("river", "km"), ("Nile", "6650"), ("Congo", "4700")), ("x.png", "x"),
        "code  here", (("Volga",),),
    ]  # fmt: skip
    first, second = units[0], units[1]
    assert MARKDOWN[first.place.start : first.place.end] == "The *Nile* is\nlong.\n"
    assert (first.place.section, second.place.section) == (("Rivers",), ("Rivers", "Africa"))


def test_html_in_order_with_captions_and_spans() -> None:
    units = list(html_units(HTML))
    assert told(units) == [
        "lead", "The Nile", ("a.png", "A map"), "is long.", ("b.png", "Its delta"),
        "One", "Two", "Three", (("river", "km"), ("Nile", "6650")), ("c.png", ""), "tail", " a  b",
    ]  # fmt: skip
    spans = [HTML[unit.place.start : unit.place.end] for unit in units]
    for unit, span in zip(units, spans, strict=True):
        if isinstance(unit, Figure):
            assert span.startswith("<img")
            assert span.endswith(">")
        elif isinstance(unit, Passage):
            assert (unit.text.split()[0], unit.text.split()[-1]) == (
                span.split("<")[0].split()[0], span.split(">")[-1].split()[-1],
            )  # fmt: skip
    (table,) = (unit for unit in units if isinstance(unit, Table))
    assert table.caption == "Lengths"


WORDS = st.text("abc é", min_size=1, max_size=12)
TAGS = st.sampled_from(("p", "div", "b", "li", "ul", "span", "h2", "pre"))
TREES = st.recursive(
    WORDS,
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", TAGS, st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES)
@settings(max_examples=60)
def test_no_letter_of_html_is_lost_or_doubled(html: str) -> None:
    from bs4 import BeautifulSoup

    units = list(html_units(html))
    headings = BeautifulSoup(html, "html.parser").find_all("h2")
    seen = "".join(unit.text for unit in units if isinstance(unit, Passage))
    wanted = "".join(BeautifulSoup(html, "html.parser").get_text().split())
    if not headings:
        assert "".join(seen.split()) == wanted
    starts = [unit.place.start for unit in units]
    assert starts == sorted(starts)


@given(st.lists(st.text("ab \n\f", max_size=8), max_size=6))
def test_paragraphs_of_plain_text_are_its_words(parts: list[str]) -> None:
    text = "\n\n".join(parts)
    units = list(plain_units(text))
    assert " ".join(unit.text for unit in units if isinstance(unit, Passage)).split() == (
        text.split()
    )
    for unit in units:
        span = text[unit.place.start : unit.place.end]
        assert span.split() == told([unit])[0].split()  # type: ignore[attr-defined]


def test_pages_keys_and_records(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("First.\n\nSecond.\fThird.\n", encoding="utf-8-sig")
    document = read_document(path, name="notes.txt")
    graph = document_graph(document, {})
    whole, *units = graph.entities
    assert (whole.key, whole.label, whole.name) == ("document:notes.txt", "Document", "notes.txt")
    assert [unit.key for unit in units] == [f"document:notes.txt#{n}" for n in (1, 2, 3)]
    assert [unit.provenance[0].locator for unit in units] == [
        "page 1, chars 0-6", "page 1, chars 8-15", "page 2, chars 16-22",
    ]  # fmt: skip
    assert {edge.key for edge in graph.edges} == {
        *((whole.key, "contains", unit.key) for unit in units),
        (units[1].key, "follows", units[0].key),
        (units[2].key, "follows", units[1].key),
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"%PDF", "no kind of document"),
        ("a.md", b"\xff", "byte 0 is no UTF-8"),
        ("missing.md", None, "no such document"),
    ],
)
def test_what_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=said):
        read_document(tmp_path / name)


def test_hostile_documents_end_at_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "<div>" * 5_000 + "x"
    assert told(list(html_units(deep))) == ["x"]
    with pytest.raises(LimitError, match="500,000 tags"):
        list(html_units("<" * 500_001))
    with pytest.raises(LimitError, match="nested deeper"):
        list(markdown_units("> " * 500 + "x"))
    path = tmp_path / "many.txt"
    path.write_text("a\n\n" * 30)
    monkeypatch.setattr("kg.documents.reading.MAX_UNITS", 20)
    with pytest.raises(LimitError, match="20 units"):
        read_document(path)
    monkeypatch.setattr("kg.documents.reading.MAX_BYTES", 20)
    with pytest.raises(LimitError, match="20 bytes"):
        read_document(path)

"""What a notebook shows of entities, proofs and pictures: drawings that run nothing."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from api.neighbours_svg import SHOWN, neighbours_svg
from kg.errors import InputError, MissingPartError
from tests.api.world import WorldEngine

SVG = "{http://www.w3.org/2000/svg}"


def drawing(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own drawing


def test_an_entity_is_drawn_with_its_edges(world: WorldEngine) -> None:
    turkey = world.entity("country:TR")
    root = drawing(neighbours_svg(turkey))
    lines = root.findall(f"{SVG}line")
    assert len(lines) == len(turkey.edges)
    likely = [line for line in lines if line.get("class") == "edge likely"]
    assert len(likely) == sum(not edge.known for edge in turkey.edges) > 0
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"Turkey", "Greece", "crescent", "← borders", "→ borders"} <= texts
    html = turkey._repr_html_()
    assert "<td>country:TR</td>" in html
    many = turkey.model_copy(update={"edges": turkey.edges * 10})
    assert len(drawing(neighbours_svg(many)).findall(f"{SVG}line")) == SHOWN
    assert f"{len(many.edges) - SHOWN} more edges" in many._repr_html_()


def test_names_from_the_graph_are_texts(world: WorldEngine) -> None:
    html = world.entity("country:<b>&")._repr_html_()
    assert "<img" not in html
    assert "&lt;img src=x" in html


def test_an_answer_shows_its_proof_and_a_part_its_outline(world: WorldEngine) -> None:
    asked = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
    answer = world.ask(asked, k=1).answers[0]
    drawn = answer._repr_svg_()
    assert drawn is not None
    assert "speaks" in drawn
    assert "countries.jsonl" in drawn
    assert world.ask(asked, k=1, proofs=False).answers[0]._repr_svg_() is None
    whole = drawing(world.picture("country:TR")._repr_svg_())
    assert [child.tag for child in whole] == [f"{SVG}title", f"{SVG}image"]
    outlined = drawing(world.picture("part:country:TR/0")._repr_svg_())
    sheet = world.sheet("country:TR")._repr_svg_()
    assert drawing(sheet).tag.endswith("svg")
    assert world.entity("part:country:TR/0").name in sheet
    assert len(outlined.findall(f"{SVG}path")) == 2
    with pytest.raises(InputError, match="no picture"):
        world.picture("language:ara")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("country:GR", "no parts of the picture are known, in country:GR"),
        ("language:ara", "no picture, in language:ara"),
        ("part:country:TR/0", "a part has no parts, in part:country:TR/0"),
    ],
)
def test_a_sheet_says_what_its_entity_lacks(world: WorldEngine, key: str, said: str) -> None:
    with pytest.raises(MissingPartError, match=f"^{said}") as raised:
        world.sheet(key)
    assert raised.value.hint
    assert world.sheet(key, "country:TR")

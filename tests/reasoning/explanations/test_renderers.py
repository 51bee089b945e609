"""Proofs as outline, text and SVG: nothing is left out, and no name breaks the format."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.model import EntityKey
from reasoning.exact import ExactAnswerer
from reasoning.explanations.outline import outline, readable
from reasoning.explanations.shown import ShownEdge, ShownNode, show
from reasoning.explanations.svg import WIDTH, proof_svg
from reasoning.explanations.text import proof_text
from reasoning.proof_tree import Proof, ProofEdge, ProofFact, ProofProjection
from tests.strategies import Case, cases

HOSTILE = (
    "</text><script>alert(1)</script>",
    "&amp; ]]> <!-- <![CDATA[",
    "\x00\x1b[2J\x07",
    "line\nbreak\u2028",
    "\u202egnp.exe",
    "\ud800",
    "\uffff",
    "漢" * 300,
    "",
)
SVG = "{http://www.w3.org/2000/svg}"


def step(name: str) -> ShownNode:
    key = EntityKey("e")
    edge = ShownEdge(
        head=key,
        head_name=name,
        relation=name,
        tail=key,
        tail_name=name,
        status="predicted",
        probability=0.5,
    )
    return ShownNode(kind="projection", variable=0, entity=key, name=name, truth=0.5, edge=edge)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30) | st.sampled_from(HOSTILE))
@example(HOSTILE[0])
@example(HOSTILE[2])
@example(HOSTILE[5])
@example(HOSTILE[7])
def test_no_name_breaks_a_picture_or_a_terminal(name: str) -> None:
    drawing = ET.fromstring(proof_svg(step(name), lambda _: [name]))  # noqa: S314
    tags = {element.tag for element in drawing.iter()}
    assert tags <= {SVG + tag for tag in ("svg", "title", "style", "rect", "path", "text")}
    text = proof_text(step(name), lambda _: [name])
    assert len(text.split("\n")) == 3
    assert not set(text) & {chr(code) for code in range(32) if code != 10}
    assert "\u202e" not in text
    text.encode()


def test_a_picture_is_as_wide_as_it_says_and_loads_nothing() -> None:
    drawing = ET.fromstring(proof_svg(step("x" * 500), lambda _: ["y " * 400]))  # noqa: S314
    assert drawing.get("width") == str(WIDTH)
    assert all(float(text.get("x", "nan")) <= WIDTH for text in drawing.iter(f"{SVG}text"))
    written = ET.tostring(drawing, encoding="unicode")
    assert "href" not in written
    assert "url(" not in written
    assert "@import" not in written


def test_a_long_proof_is_cut_and_says_so() -> None:
    key = EntityKey("e")
    branches = tuple(step("a") for _ in range(1_000))
    node = ShownNode(kind="union", variable=0, entity=key, name="a", truth=1.0, branches=branches)
    assert b"and 601 more lines" in proof_svg(node)


@settings(max_examples=30, deadline=None)
@given(cases())
def test_every_edge_of_a_proof_is_a_line(case: Case) -> None:
    [found] = ExactAnswerer(case.snapshot).answer([case.tree], 5, with_proofs=True)
    for answer in found.answers:
        assert answer.proof is not None
        shown = show(answer.proof, lambda key: f"name of {key}")
        lines = outline(shown)
        texts = {line.text for line in lines}
        for edge in answer.proof.edges:
            if edge.status == "known":
                head, tail = f"name of {edge.head}", f"name of {edge.tail}"
                assert readable(f"{head} -[{edge.relation}]-> {tail}") in texts
        assert len(proof_text(shown).split("\n")) == len(lines) + 1
        assert ET.fromstring(proof_svg(shown)).tag == f"{SVG}svg"  # noqa: S314


def test_variables_are_numbered_from_the_root() -> None:
    edge = ProofEdge(
        head=EntityKey("b"), relation="r", tail=EntityKey("a"), status="known", probability=1.0
    )
    child = ProofFact(entity=EntityKey("b"), text="b is a City")
    tree = ProofProjection(entity=EntityKey("a"), edge=edge, child=child)
    shown = show(Proof(tree=tree), str)
    assert shown.variable == 0
    assert [branch.variable for branch in shown.branches] == [1]

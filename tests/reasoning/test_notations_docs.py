"""Every query on the page about questions is read, and what it says is refused is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kg.errors import UnsafeQueryError, UnsupportedQueryError
from reasoning.normal_form import normalise
from reasoning.notations import read, read_query, write_pattern, write_query
from reasoning.patterns import Pattern
from reasoning.query import SoftAnchor, walk
from reasoning.safety import check_safe

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(cypher|json|sparql|python)\n(.*?)```", PAGE, re.DOTALL)

NOTATIONS = {"cypher": "cypher", "json": "json", "sparql": "sparql", "python": "betae"}


@pytest.mark.parametrize(("block", "text"), BLOCKS)
def test_each_example_is_read_is_safe_and_can_be_written(block: str, text: str) -> None:
    notation = NOTATIONS[block]
    asked = read(text).asked
    assert asked == read(text, notation=notation).asked
    if isinstance(asked, Pattern):
        assert read(write_pattern(asked)).asked == asked
        return
    check_safe(asked)
    assert normalise(read_query(write_query(asked, notation))) == normalise(asked)
    if not any(isinstance(node, SoftAnchor) for node in walk(asked)):
        for other in ("cypher", "sparql"):
            assert normalise(read_query(write_query(asked, other))) == normalise(asked)


def test_the_page_has_examples_of_all_notations() -> None:
    assert {notation for notation, _ in BLOCKS} == set(NOTATIONS)
    assert len(BLOCKS) >= 12


def test_what_the_page_calls_unsafe_and_refused_is() -> None:
    unsafe = "MATCH (c) WHERE NOT (c)-[:speaks]->(:Language)"
    assert unsafe in PAGE
    with pytest.raises(UnsafeQueryError):
        check_safe(read_query(f"{unsafe} RETURN c"))
    check_safe(read_query(f"{unsafe.replace('(c) W', '(c:Entity) W')} RETURN c"))
    one_clause = (
        "MATCH (a:Country)-[:borders]->(b:Country)<-[:borders]-(c:Country {key: 'country:AL'}) "
        "RETURN a"
    )
    with pytest.raises(UnsupportedQueryError, match="MATCH clause of its own"):
        read_query(one_clause)

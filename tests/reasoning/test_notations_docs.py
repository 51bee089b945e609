"""Every query on the page about questions is read, and what it says is refused is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kg.errors import UnsafeQueryError, UnsupportedQueryError
from reasoning.normal_form import normalise
from reasoning.notations import read_query, write_query
from reasoning.safety import check_safe

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(cypher|json)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", [text for _, text in BLOCKS])
def test_each_example_is_read_is_safe_and_can_be_written(text: str) -> None:
    tree = read_query(text)
    check_safe(tree)
    assert normalise(read_query(write_query(tree, "cypher"))) == normalise(tree)


def test_the_page_has_examples_of_both_notations() -> None:
    assert {notation for notation, _ in BLOCKS} == {"cypher", "json"}
    assert len(BLOCKS) >= 6


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

"""Hypothesis strategies for texts of the Cypher fragment, as a person might write them.

Not made from trees: variables, clauses and conditions are drawn as text, so that the reader is
tried on what no writer of ours would write. Some texts are to be refused (an edge used twice).
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.strategies import LABELS, RELATIONS

__all__ = ["cypher_texts"]

VALUES = ("1", "2", "3.5", "'a'", "'ab'", "true", "-1")
KEYS = ("'e:0'", "'e:1'", "'e:2'")


@st.composite
def cypher_texts(draw: st.DrawFn) -> str:
    """Draw a query that returns the keys of one variable."""
    count = draw(st.integers(1, 4))
    names = [f"v{number}" for number in range(count)]
    hops = [
        f"{_node(draw, names[draw(st.integers(0, number - 1))])}{_hop(draw)}"
        f"{_node(draw, names[number])}"
        for number in range(1, count)
    ]
    joins = [draw(st.sampled_from([", ", " MATCH "])) for _ in hops]
    clauses = [f"MATCH {_node(draw, 'v0', labelled=True)}"]
    clauses.extend(join + hop for join, hop in zip(joins, hops, strict=True))
    where = ""
    if draw(st.booleans()):
        parts = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2))
        where = " WHERE " + " AND ".join(_condition(draw, name, 2) for name in parts)
    root = draw(st.sampled_from(names))
    return f"{''.join(clauses)}{where} RETURN DISTINCT {root}.key AS key"


def _node(draw: st.DrawFn, name: str, *, labelled: bool = False) -> str:
    label = draw(st.sampled_from(["", f":{LABELS[0]}", f":{LABELS[1]}", ":Entity"]))
    if labelled and not label:
        label = f":{LABELS[0]}"
    inside = draw(st.sampled_from(["", "", "", f" {{key: {draw(st.sampled_from(KEYS))}}}"]))
    return f"({name}{label}{inside})"


def _hop(draw: st.DrawFn) -> str:
    types = draw(st.sampled_from([*RELATIONS, *RELATIONS, "|".join(RELATIONS)]))
    return draw(st.sampled_from([f"-[:{types}]->", f"<-[:{types}]-", f"-[:{types}]-"]))


def _condition(draw: st.DrawFn, name: str, depth: int) -> str:
    """Draw a condition on one variable; NOT, AND and OR down to `depth`."""
    kind = draw(st.integers(0, 6 if depth else 3))
    attribute = draw(st.sampled_from(["size", "motto", "name"]))
    value = draw(st.sampled_from(VALUES))
    match kind:
        case 0:
            return f"{name}.{attribute} {draw(st.sampled_from(['=', '<>', '<', '>=']))} {value}"
        case 1:
            return f"{name}.{attribute} {draw(st.sampled_from(['CONTAINS', 'STARTS WITH']))} 'a'"
        case 2:
            return f"{name}.{attribute} IN [{value}, {draw(st.sampled_from(VALUES))}]"
        case 3:
            null = draw(st.sampled_from(["IS NULL", "IS NOT NULL"]))
            return draw(st.sampled_from([f"{name}:{LABELS[0]}", f"{name}.{attribute} {null}"]))
        case 4:
            return f"NOT {_condition(draw, name, depth - 1)}"
        case 5:
            word = draw(st.sampled_from([" AND ", " OR "]))
            parts = [_condition(draw, name, depth - 1) for _ in range(2)]
            return f"({word.join(parts)})"
        case _:
            inner = f"w{depth}"
            test = f" WHERE {_condition(draw, inner, depth - 1)}" if draw(st.booleans()) else ""
            return f"EXISTS {{ ({name}){_hop(draw)}({inner}){_hop(draw)}(){test} }}"

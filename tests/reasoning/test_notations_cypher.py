"""The Cypher fragment: what it reads, what it refuses and where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import (
    EngineError,
    LimitError,
    QuerySyntaxError,
    UnsafeQueryError,
    UnsupportedQueryError,
)
from kg.model import EntityKey
from reasoning.exact import evaluate
from reasoning.normal_form import EVERYTHING
from reasoning.notations import read, read_query
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
)
from tests.reasoning.cypher_trees import ARABIC, COUNTRY, has, same, world

PRESENT = {name: Union((Compare(name, "=", ""), Compare(name, "<>", ""))) for name in "xyz"}
ASKED = (
    "MATCH (c:Country)-[:borders]->(n:Country)-[:has_part]->(:Part)-[:has_label]->"
    "(:Shape {key: 'shape:crescent'}) "
    "WHERE NOT (c)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c.name AS country"
)


def test_the_question_of_the_demo() -> None:
    shape = Intersection((Labelled("Shape"), Anchor(EntityKey("shape:crescent"))))
    part = Intersection((Labelled("Part"), has("has_label", shape)))
    neighbour = Intersection((COUNTRY, has("has_part", part)))
    arabic = Intersection((Labelled("Language"), Compare("name", "=", "Arabic")))
    same(
        ASKED,
        Intersection((COUNTRY, has("borders", neighbour), Negation(has("speaks", arabic)))),
    )
    assert read(ASKED).columns == ("country",)
    assert read(ASKED).limit is None


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("MATCH (c:Country) RETURN c", COUNTRY),
        ("match (c:`Country`) return distinct c.name as n, c.key limit 3;", COUNTRY),
        ("MATCH (c) RETURN c", EVERYTHING),
        ("MATCH (c:Entity) RETURN c", EVERYTHING),
        ("MATCH (c:Entity:Country) RETURN c", COUNTRY),
        ("MATCH (c)-[:speaks]->() RETURN c", has("speaks", EVERYTHING)),
        ("MATCH ({key: 'language:ara'})<-[:speaks]-(c) RETURN c", has("speaks", ARABIC)),
        ("MATCH (c)<-[r:speaks]-({key: 'language:ara'}) RETURN c", Projection("speaks", ARABIC)),
        (
            "MATCH (c)-[:speaks|writes]->({key: 'language:ara'}) RETURN c",
            Union((has("speaks", ARABIC), has("writes", ARABIC))),
        ),
        (
            "MATCH (c)-[:near]-({key: 'language:ara'}) RETURN c",
            Union((has("near", ARABIC), Projection("near", ARABIC))),
        ),
        (
            "MATCH (c:Country) WHERE c.size > 2 AND NOT c.size >= 1e3 RETURN c",
            Intersection((COUNTRY, Compare("size", ">", 2), Compare("size", "<", 1000.0))),
        ),
        (
            'MATCH (c:Country) WHERE 2 < c.size OR c.name STARTS WITH "A\\"\\\\" RETURN c',
            Intersection(
                (COUNTRY, Union((Compare("size", ">", 2), Compare("name", "starts with", 'A"\\'))))
            ),
        ),
        (
            "MATCH (c:Country) WHERE c.x IN [1, -2.5, 'a', TRUE] RETURN c",
            Intersection((COUNTRY, Compare("x", "in", (1, -2.5, "a", True)))),
        ),
        (
            "MATCH (c:Country) WHERE NOT (c.x = 1 OR c.y CONTAINS 'a') RETURN c",
            Intersection(
                (
                    COUNTRY,
                    Compare("x", "<>", 1),
                    Compare("y", "starts with", ""),
                    Negation(Compare("y", "contains", "a")),
                )
            ),
        ),
        (
            "MATCH (c:Country) WHERE NOT c.x IN [1, 2] RETURN c",
            Intersection((COUNTRY, Compare("x", "<>", 1), Compare("x", "<>", 2))),
        ),
        (
            "MATCH (c:Country) WHERE NOT coalesce(c.x = 1, false) RETURN c",
            Intersection((COUNTRY, Negation(Compare("x", "=", 1)))),
        ),
        (
            "MATCH (c:Country) WHERE c.x IS NULL AND c.y IS NOT NULL AND NOT c.z IS NULL RETURN c",
            Intersection((COUNTRY, Negation(PRESENT["x"]), PRESENT["y"], PRESENT["z"])),
        ),
        (
            "MATCH (c) WHERE c:Country AND NOT NOT NOT c:Island RETURN c",
            Intersection((COUNTRY, Negation(Labelled("Island")))),
        ),
        (
            "MATCH (c:Country) WHERE (c.x = 1 OR (c)-[:speaks]->({key: 'language:ara'})) RETURN c",
            Intersection((COUNTRY, Union((Compare("x", "=", 1), has("speaks", ARABIC))))),
        ),
        (
            "MATCH (c:Country) WHERE NOT EXISTS { (c)-[:borders]->(d) WHERE d.x = 1 } RETURN c",
            Intersection((COUNTRY, Negation(has("borders", Compare("x", "=", 1))))),
        ),
        (
            "MATCH (c:Country) WHERE EXISTS { MATCH (c)-[:a]->(d) MATCH (d)-[:a]->(:X) } RETURN c",
            Intersection((COUNTRY, has("a", has("a", Labelled("X"))))),
        ),
        (
            (
                "MATCH (c:Country) MATCH (c)-[:a]->(d:X) //\nMATCH (c)-[:a]->(e:X) "
                "WHERE d.x = 1 /*\n*/ AND e.x = 2 RETURN c"
            ),
            Intersection(
                (
                    COUNTRY,
                    has("a", Intersection((Labelled("X"), Compare("x", "=", 1)))),
                    has("a", Intersection((Labelled("X"), Compare("x", "=", 2)))),
                )
            ),
        ),
        (
            "MATCH (c:Country) RETURN c.name AS x UNION ALL MATCH (d:Region) RETURN d.name AS x",
            Union((COUNTRY, Labelled("Region"))),
        ),
        (
            "MATCH (c {key: $key})-[:a]->(d) WHERE d.x IN $list RETURN d",
            Intersection((Projection("a", ARABIC), Compare("x", "in", (1, 2)))),
        ),
    ],
)
def test_texts_and_their_trees(text: str, tree: Query) -> None:
    same(text, tree, key="language:ara", list=[1, 2])


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("MATCH (c)-[:a]->(d)-[:b]->(c) RETURN c", "b", "cycle"),
        ("MATCH (c)-[:a]->(d), (c)-[:b]->(d) RETURN c", "-[:b]->", "cycle"),
        ("MATCH (c)-[:a]->(c) RETURN c", "-[:a]->(c) R", "cycle"),
        ("MATCH (c:A), (d:B) RETURN c", "(d:B)", "nothing connects"),
        ("MATCH (c:A) OPTIONAL MATCH (c)-[:a]->(d) RETURN c", "OPTIONAL", "OPTIONAL MATCH"),
        ("MATCH (c:A) WITH c RETURN c", "WITH", "WITH makes steps"),
        ("MATCH (c:A) RETURN c ORDER BY c.name", "ORDER", "order of their own"),
        ("MATCH (c:A) RETURN c SKIP 2", "SKIP", "cannot be skipped"),
        ("MATCH (c:A)-[:a]->(d) RETURN count(c)", "count", "counts rows"),
        ("MATCH (c:A) RETURN *", "*", "every variable"),
        ("MATCH (c:A)-[:a]->(d) RETURN c, d", "c, d", "two variables are returned, c and d"),
        ("MATCH (c:A) RETURN d", "d\n", "returned but not matched"),
        ("MATCH (c)-[:a*1..3]->(d) RETURN c", "*", "any length"),
        ("MATCH (c)-[r]->(d) RETURN c", "[r]", "without a type"),
        ("MATCH (c)-->(d) RETURN c", "-->", "without a type"),
        ("MATCH (c)-[:a {x: 1}]->(d) RETURN c", "{x", "conditions on relationships"),
        ("MATCH p = (c)-[:a]->(d) RETURN c", "p =", "named path"),
        ("MATCH shortestPath((c)-[:a]->(d)) RETURN c", "shortestPath", "no tree of single hops"),
        ("MATCH (c:A|B) RETURN c", "|", "label expression"),
        ("MATCH (c:A) WHERE c.x = 1 XOR c.y = 2 RETURN c", "XOR", "XOR"),
        ("MATCH (c:A) WHERE c.x = NULL RETURN c", "NULL", "never true"),
        ("MATCH (c:A) WHERE c.x =~ 'a' RETURN c", "=~", "'=~' on an attribute"),
        ("MATCH (c:A) WHERE c.x + 1 = 2 RETURN c", "+", "'+' on an attribute"),
        ("MATCH (c:A) WHERE size(c.x) = 2 RETURN c", "size", "the function size"),
        ("MATCH (c:A)-[:a]->(d) WHERE c.x = d.x RETURN c", "d.x", "joins two variables"),
        ("MATCH (c:A)-[:a]->(d) WHERE c <> d RETURN c", "c <>", "two variables are compared"),
        ("MATCH (c:A)-[:a]->(d) WHERE c.x = 1 OR d.x = 2 RETURN c", "c.x = 1", "two variables"),
        ("MATCH (c:A) WHERE d.x = 1 RETURN c", "d.x", "d is not matched"),
        ("MATCH (c:A)-[:a]->(d) WHERE (c)-[:b]->(d) RETURN c", "(c)-[:b]", "joins c and d"),
        ("MATCH (c:A) WHERE (:B)-[:b]->() RETURN c", "(:B)", "no variable of the query"),
        ("MATCH (c:A) WHERE (c)-[:b]->(e) RETURN c", "(e)", "cannot name a new variable"),
        ("MATCH (c:A) WHERE exists(c.x) RETURN c", "exists", "EXISTS without braces"),
        ("MATCH (c:A) WHERE c.x = $x RETURN c", "$x", "$x has no value"),
        ("MATCH (c:A) WHERE c.x IN [] RETURN c", "c.x", "never true"),
        ("MATCH (c:A) WHERE c.x IN 'abc' RETURN c", "c.x", "takes a list"),
        ("MATCH (c:A) WHERE c.x = 9223372036854775808 RETURN c", "9223", "64 bits"),
        ("MATCH (c:A) RETURN c LIMIT 0", "0", "at least 1"),
        ("MATCH (c:A) RETURN c UNION MATCH (d:B) RETURN d", "d\n", "different columns"),
        ("CREATE (c:A) RETURN c", "CREATE", "would change the graph"),
        ("MATCH (c:A) SET c.x = 1 RETURN c", "SET", "would change the graph"),
        ("MATCH (c:A) DETACH DELETE c", "DETACH", "would change the graph"),
        ("CALL db.labels() YIELD label RETURN label", "CALL", "runs procedures"),
        ("LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row", "LOAD", "reads files"),
        ("MATCH (c)-[:a]->(d)<-[:a]-(e:X) RETURN c", "<-[:a]-", "MATCH clause of its own"),
        ("MATCH (c)-[:a]->(d), (c)-[:a]->(e:X) RETURN c", "-[:a]->(e", "different edges"),
        ("MATCH (c)-[:a]-(d)-[:a]->(e) RETURN c", "-[:a]->", "different edges"),
    ],
)
def test_what_lies_outside_is_refused_where_it_stands(text: str, place: str, reason: str) -> None:
    with pytest.raises(UnsupportedQueryError) as caught:
        read_query(text)
    assert reason in str(caught.value)
    expected = (text + "\n").rindex(place)
    if place in ("b", "(c)-[:b]"):
        expected = text.index("-[:b]" if place == "b" else place)
    assert caught.value.position == expected
    assert (caught.value.line, caught.value.column) == (1, expected + 1)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("MATCH (c", 1, 9),
        ("MATCH (c:A)\nRETRN c", 2, 1),
        ("MATCH (c:A) WHERE c.x = RETURN c", 1, 25),
        ("MATCH (c:A) WHERE RETURN c", 1, 19),
        ("MATCH (c:A) RETURN c }", 1, 22),
        ("MATCH (c:A) WHERE c.x IS 3 RETURN c", 1, 26),
        ("MATCH (c:A {x 1}) RETURN c", 1, 15),
        ("MATCH (c:A {x: 'never closed}) RETURN c", 1, 16),
        ("MATCH (c:A {x: 'a\\u0041'}) RETURN c", 1, 16),
        ("MATCH (c:A)\n\n  WHERE c.x = ? RETURN c", 3, 15),
        ("SEEK 1", 1, 1),
    ],
)
def test_what_is_not_cypher_is_refused_with_line_and_column(
    text: str, line: int, column: int
) -> None:
    with pytest.raises((QuerySyntaxError, UnsupportedQueryError)) as caught:
        read_query(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_hostile_texts_are_refused_in_time() -> None:
    for text in (
        "MATCH (a) WHERE " + "(" * 5_000 + "a.x = 1" + ")" * 5_000 + " RETURN a",
        "MATCH (a)" + "-[:r]->()" * 1_500 + " RETURN a",
        "MATCH (a)" + "-[:r]->()" * 1_500,
        "MATCH (a) WHERE " + "EXISTS { (a)-[:r]->(b) WHERE " * 500 + " RETURN a",
        "MATCH (a) RETURN a" + " " * 30_000,
    ):
        with pytest.raises(LimitError):
            read_query(text)
    assert read_query("MATCH (a:A) WHERE " + "NOT " * 2_000 + "a:B RETURN a") == Intersection(
        (Labelled("A"), Labelled("B"))
    )


def test_an_unsafe_text_is_refused_where_the_negation_stands() -> None:
    text = "MATCH (c) WHERE NOT (c)-[:speaks]->(:Language) RETURN c"
    graph = world()
    with pytest.raises(UnsafeQueryError) as caught:
        evaluate(read_query(text, snapshot=graph), graph)
    assert caught.value.position == text.index("(c)-")
    asked_for = text.replace("(c) WHERE", "(c:Entity) WHERE")
    assert len(evaluate(read_query(asked_for, snapshot=graph), graph)) == 5


TEXTS = st.lists(
    st.sampled_from(
        ["MATCH", "(c", ")", "(c:A)", "-[:a]->", "<-[:b]-", "(d)", "WHERE", "NOT", "AND", "OR",
         "c.x", "=", "1", "'a'", "IN", "[", "]", "EXISTS", "{", "}", "RETURN", "c", "LIMIT", ",",
         "UNION", "(", "coalesce(", ", false)", "$p", "-", "<", "`", "\\", ":", "|", "*", "\x00"]
    ),
    max_size=14,
).map(" ".join)  # fmt: skip


@settings(max_examples=150)
@given(TEXTS)
def test_any_text_is_read_or_refused_by_one_of_our_errors(text: str) -> None:
    try:
        read_query(text)
    except EngineError:
        return


def test_limit_and_columns_are_read_beside_the_tree() -> None:
    reading = read("MATCH (c:City) RETURN c.name, c.key AS id LIMIT 7")
    assert (reading.limit, reading.columns) == (7, ("c.name", "id"))

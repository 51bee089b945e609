"""The SPARQL fragment against trees, and written texts against pyoxigraph."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import EngineError, LimitError, QuerySyntaxError, UnsupportedQueryError
from kg.model import EntityKey
from kg.rdf.names import iri_of, iri_text, name_of
from reasoning.exact import evaluate
from reasoning.normal_form import normalise
from reasoning.notations import read, read_query, write_query
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    SoftAnchor,
    Union,
    walk,
)
from tests.reasoning.sparql_store import sparql_store, store_rows
from tests.strategies import Case, cases

COUNTRY = Labelled("Country")
AL = Anchor(EntityKey("country:AL"))
E = Anchor(EntityKey("e"))


def lands(relation: str, child: Query) -> Projection:
    """Return what has an edge to a child."""
    return Projection(relation, child, inverse=True)


def without_key_tests(tree: Query) -> bool:
    """Tell whether no comparison is on the key: one reads back as an anchor."""
    return not any(isinstance(part, Compare) and part.attribute == "key" for part in walk(tree))


@settings(max_examples=30)
@given(cases(max_leaves=5))
def test_a_written_text_reads_back_and_returns_the_exact_answers_from_a_store(case: Case) -> None:
    text = write_query(case.tree, "sparql")
    back = read_query(text)
    if without_key_tests(case.tree):
        assert normalise(back) == normalise(case.tree)
    snapshot = case.snapshot
    expected = [snapshot.entities.name(int(i)) for i in evaluate(case.tree, snapshot)]
    rows = store_rows(sparql_store(case.entities, case.edges), text)
    assert [name_of(iri)[1] for (iri,) in rows] == expected


@pytest.mark.parametrize(
    ("pattern", "tree"),
    [
        ("?c relation:borders entity:country:AL", lands("borders", AL)),
        ("entity:country:AL relation:borders ?c .", Projection("borders", AL)),
        ("?c a label:Country ; ^relation:borders entity:country:AL", None),
        (
            "?c relation:borders/relation:borders entity:country:AL",
            lands("borders", lands("borders", AL)),
        ),
        (
            "?c relation:borders|relation:speaks entity:country:AL",
            Union((lands("borders", AL), lands("speaks", AL))),
        ),
        (
            "?c (relation:borders|^relation:borders) entity:country:AL",
            Union((Projection("borders", AL), lands("borders", AL))),
        ),
        ("?c a label:Entity", Compare("key", "starts with", "")),
        ("?c attribute:name 'Chad'", Compare("name", "=", "Chad")),
        ("?c attribute:area ?v FILTER(?v >= -5.5)", Compare("area", ">=", -5.5)),
        ("?c attribute:area ?v FILTER(5 < ?v)", Compare("area", ">", 5)),
        ("?c attribute:area ?v FILTER(!(?v < 5))", Compare("area", ">=", 5)),
        ('?c attribute:code ?v FILTER STRSTARTS(?v, "A")', Compare("code", "starts with", "A")),
        ("?c attribute:code ?v FILTER(?v IN ('A', 1))", Compare("code", "in", ("A", 1))),
        ("?c attribute:code ?v VALUES ?v { 'A' 1 }", Compare("code", "in", ("A", 1))),
        (
            "?c attribute:code ?v",
            Union((Compare("code", "=", ""), Compare("code", "<>", ""))),
        ),
        ("VALUES ?c { entity:country:AL }", AL),
        (
            "?c a label:Country FILTER(?c != entity:country:AL)",
            Intersection((COUNTRY, Negation(AL))),
        ),
        (
            "?c a label:Country MINUS { ?c relation:borders ?d . ?d a label:Country }",
            Intersection((COUNTRY, Negation(lands("borders", COUNTRY)))),
        ),
        (
            "?c a label:Country FILTER NOT EXISTS { ?c relation:borders ?d . ?d a label:Country }",
            Intersection((COUNTRY, Negation(lands("borders", COUNTRY)))),
        ),
        (
            "?c a label:Country FILTER(EXISTS {?c relation:r entity:e} || !EXISTS {?c a label:A})",
            Intersection((COUNTRY, Union((lands("r", E), Negation(Labelled("A")))))),
        ),
        (
            "{ ?c relation:borders entity:country:AL } UNION { ?c a label:Country }",
            Union((lands("borders", AL), COUNTRY)),
        ),
        (
            "?c relation:borders ?d . { ?d a label:Country } UNION { VALUES ?d { entity:e } }",
            lands("borders", Union((COUNTRY, E))),
        ),
        (
            "?c <http://example.org/near> <http://example.org/x>",
            lands("http://example.org/near", Anchor(EntityKey("http://example.org/x"))),
        ),
        ("?c relation:borders entity:a\\,b", lands("borders", Anchor(EntityKey("a,b")))),
    ],
)
def test_texts_and_their_trees(pattern: str, tree: Query | None) -> None:
    expected = tree or Intersection((COUNTRY, Projection("borders", AL)))
    assert normalise(read_query(f"SELECT ?c WHERE {{ {pattern} }}")) == normalise(expected)


def test_prefixes_comments_limits_columns_and_counts() -> None:
    text = """# who?
    PREFIX e: <urn:umbra:entity:>
    select distinct $c ?name where { $c relation:borders e:country:AL ; attribute:name ?name . }
    LIMIT 7"""
    reading = read(text)
    assert reading.tree == lands("borders", AL)
    assert (reading.limit, reading.columns, reading.counted) == (7, ("c", "name"), False)
    counted = read("SELECT (COUNT(DISTINCT ?c) AS ?n) { ?c a label:Country }")
    assert (counted.tree, counted.columns, counted.counted) == (COUNTRY, ("n",), True)


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("SELECT ?c { ?c a label:A", 1, 25, "the text ends"),
        ("SELECT ?c\n{ ?c label:A }", 2, 6, "no relation"),
        ("SELECT ?c { ?c b ?d }", 1, 16, "'b' stands here"),
        ("SELECT { ?c a label:A }", 1, 8, "a variable was expected"),
        ("SELECT ?c { ?c a label:A ?d }", 1, 26, "a dot"),
        ("SELECT ?c { ?c x:r ?d }", 1, 16, "not declared"),
        ("SELECT ?c { ?c a label:A } X", 1, 28, "the end"),
        ('SELECT ?c { ?c attribute:x "a', 1, 28, "never closed"),
        ("SELECT ?c { ?c a label:A FILTER ?c }", 1, 33, "brackets"),
    ],
)
def test_what_is_not_sparql_is_refused_with_its_place(
    text: str, line: int, column: int, what: str
) -> None:
    with pytest.raises((QuerySyntaxError, UnsupportedQueryError)) as caught:
        read_query(text)
    assert what in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("ASK { ?c a label:A }", "ASK", "no answers"),
        ("SELECT * { ?c a label:A }", "*", "every variable"),
        ("SELECT (COUNT(?c) AS ?n) { ?c a label:A }", "?c) AS", "counts rows"),
        ("SELECT ?c (COUNT(?d) AS ?n) { ?c relation:r ?d } GROUP BY ?c", "(COUNT", "not grouped"),
        ("SELECT (COUNT(DISTINCT ?d) AS ?n) ?c { ?c relation:r ?d }", "?c {", "not grouped"),
        ("DELETE WHERE { ?s ?p ?o }", "DELETE", "change the graph"),
        ("INSERT DATA { entity:a relation:r entity:b }", "INSERT", "change the graph"),
        ("SELECT ?c FROM <x> { ?c a label:A }", "FROM", "one graph"),
        ("SELECT ?c { ?c a label:A OPTIONAL { ?c relation:r ?d } }", "OPTIONAL", "without a match"),
        ("SELECT ?c { ?c a label:A } ORDER BY ?c", "ORDER", "order of their own"),
        ("SELECT ?c { SERVICE <http://x> { ?c a label:A } }", "SERVICE", "another server"),
        ("SELECT ?c { { SELECT ?c { ?c a label:A } } }", "SELECT ?c { ?c", "inside a query"),
        ("SELECT ?c { ?c ?r ?d }", "?r", "a relation is a variable"),
        ("SELECT ?c { ?c relation:r+ ?d }", "+", "any length"),
        ("SELECT ?c { ?c a ?l }", "?l", "a label is no IRI"),
        ("SELECT ?c { ?c relation:r 'x' }", "'x'", "ends at a literal"),
        ("SELECT ?c { ?c attribute:x 5 }", "5", "one way of writing a number"),
        ("SELECT ?c { ?c attribute:x 'a'@en }", "@", "no language"),
        ("SELECT ?c { ?c attribute:x ?v FILTER(regex(?v, 'a')) }", "regex", "is not read"),
        ("SELECT ?c { ?c a label:A FILTER(?c < entity:x) }", "?c <", "no order"),
        ("SELECT ?c { ?c a label:A . ?d relation:r ?e }", "?d", "nothing connects"),
        ("SELECT ?d { ?c a label:A }", "?d", "not in the pattern"),
        ("SELECT ?c { MINUS { ?c relation:r ?d } ?c a label:A }", "{ ?c r", "before ?c is bound"),
        (
            "SELECT ?c { ?c relation:r ?d MINUS { ?c relation:s ?d } }",
            "{ ?c relation:s",
            "joins ?c and ?d",
        ),
        ("SELECT ?c { ?c a label:A MINUS { ?d a label:A } }", "{ ?d", "shares no variable"),
        ("SELECT ?c { ?c a label:A FILTER EXISTS { FILTER(?c = entity:x) } }", "?c =", "bind ?c"),
    ],
)
def test_what_lies_outside_is_refused_where_it_stands(text: str, place: str, reason: str) -> None:
    with pytest.raises(UnsupportedQueryError) as caught:
        read_query(text)
    assert reason in str(caught.value)
    assert caught.value.position == text.index(place)


def test_what_sparql_cannot_say_is_named() -> None:
    soft = SoftAnchor(((EntityKey("country:AL"), 0.5),))
    for tree, name in [
        (Projection("r", soft), "perhaps country:AL"),
        (Compare("x", "=", ("a",)), "a list"),
        (Labelled("Entity"), "every entity"),
    ]:
        with pytest.raises(UnsupportedQueryError, match=name):
            write_query(tree, "sparql")


@given(st.text(min_size=1, max_size=12), st.sampled_from(["entity", "relation", "label"]))
def test_every_name_has_an_iri_of_its_own(name: str, kind: str) -> None:
    try:
        iri = iri_of(kind, name)
    except UnsupportedQueryError:
        assert any("\ud800" <= letter <= "\udfff" for letter in name)
        return
    assert name_of(iri) == (kind, name)
    assert name_of(iri_of(kind, f"http://x/{iri}")) == (None, f"http://x/{iri}")
    text = f"SELECT ?c {{ {iri_text('entity', name)} relation:r ?c }}"
    assert read_query(text) == Projection("r", Anchor(EntityKey(name)))


PIECES = (
    "SELECT ?c ?d { } ( ) . ; , a label:A relation:r attribute:x FILTER MINUS UNION NOT EXISTS "
    "VALUES entity:e 'x' 5 < = != && || ! / | ^ DISTINCT COUNT AS LIMIT IN [] ?v"
)


@settings(max_examples=100)
@given(st.lists(st.sampled_from(PIECES.split()), max_size=25).map(" ".join), st.booleans())
def test_any_text_is_read_or_refused(text: str, wrapped: bool) -> None:
    try:
        reading = read(f"SELECT ?c {{ {text} }}" if wrapped else text, notation="sparql")
    except EngineError:
        return
    assert reading.asked


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?c " + "{" * 10_000,
        "SELECT ?c { ?c a label:A FILTER(" + "(" * 9_000,
        "SELECT ?c { ?c relation:r" + "/relation:r" * 1_500 + " entity:e }",
        "SELECT ?c { " + "?c a label:A . " * 2_000,
        "SELECT ?c { " + "a." * 9_000,
    ],
)
def test_hostile_texts_are_refused(text: str) -> None:
    with pytest.raises((LimitError, QuerySyntaxError, UnsupportedQueryError)):
        read_query(text)

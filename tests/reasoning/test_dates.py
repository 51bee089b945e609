"""Attributes compared as days: in every notation, by every interpreter, on a store."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, QuerySyntaxError, UnsupportedQueryError
from kg.rdf.names import name_of
from reasoning.comparisons import compares
from reasoning.exact import evaluate
from reasoning.normal_form import normalise
from reasoning.notations import read_query, write_query
from reasoning.predictors import NoPredictor
from reasoning.query import Compare, Date, Intersection, Labelled, Negation
from reasoning.symbolic.answerer import SymbolicAnswerer
from tests.reasoning.sparql_store import sparql_store, store_rows
from tests.strategies import Case, day_comparisons, graphs

SIGNS = {
    "=": date.__eq__,
    "<>": date.__ne__,
    "<": date.__lt__,
    "<=": date.__le__,
    ">": date.__gt__,
    ">=": date.__ge__,
}


@given(st.dates(), st.dates(), st.sampled_from(sorted(SIGNS)))
def test_texts_of_days_compare_as_days(one: date, other: date, sign: str) -> None:
    assert compares(one.isoformat(), sign, Date(other.isoformat())) == SIGNS[sign](one, other)
    assert compares(one.isoformat(), "in", (Date(other.isoformat()),)) == (one == other)


@pytest.mark.parametrize("value", ["1960", "1960-13-01", "1960-02-30", "a", "", 1960, True, None])
def test_what_is_no_day_never_compares_with_one(value: object) -> None:
    for sign in (*SIGNS, "contains", "starts with"):
        assert not compares(value, sign, Date("1960-08-11"))
    with pytest.raises(InputError):
        Date(value)


@settings(max_examples=15)
@given(graphs(), day_comparisons(), st.booleans())
def test_every_notation_says_it_and_a_store_agrees(
    graph: tuple, test: Compare, negative: bool
) -> None:
    tree = Intersection((Labelled("Country"), Negation(test) if negative else test))
    for notation in ("json", "cypher", "sparql"):
        assert normalise(read_query(write_query(tree, notation))) == normalise(tree)
    case = Case(*graph, tree)
    snapshot = case.snapshot
    found = [snapshot.entities.name(int(entity)) for entity in evaluate(tree, snapshot)]
    assert found == [
        entity.key
        for entity in case.entities
        if entity.label == "Country"
        and compares(entity.attributes.get("motto"), test.comparison, test.value) != negative
    ]
    rows = store_rows(sparql_store(case.entities, case.edges), write_query(tree, "sparql"))
    assert [name_of(iri)[1] for (iri,) in rows] == found
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [answers] = answerer.answer([tree], k=8)
    assert sorted(answer.entity for answer in answers.answers) == found


def test_texts_with_dates() -> None:
    founded = Compare("founded", ">=", Date("1960-08-11"))
    for text in (
        "MATCH (c) WHERE date(c.founded) >= date('1960-08-11') RETURN c",
        "MATCH (c) WHERE date('1960-08-11') <= date(c.founded) RETURN c",
        "MATCH (c) WHERE NOT date(c.founded) < date('1960-08-11') RETURN c",
        'SELECT ?c { ?c attribute:founded ?v FILTER(xsd:date(?v) >= "1960-08-11"^^xsd:date) }',
        'SELECT ?c { ?c attribute:founded ?v FILTER("1960-08-11"^^xsd:date <= xsd:date(?v)) }',
        '{"attribute": "founded", "comparison": ">=", "value": {"date": "1960-08-11"}}',
    ):
        assert read_query(text) == founded
    assert (
        read_query(
            "MATCH (c) WHERE date(c.founded) >= date($day) RETURN c",
            parameters={"day": "1960-08-11"},
        )
        == founded
    )
    for text in (
        "MATCH (c) WHERE c.founded >= date('1960-08-11') RETURN c",
        "MATCH (c) WHERE date(c.founded) >= '1960-08-11' RETURN c",
        "MATCH (c) WHERE date(c.founded) >= date('1960-8-11') RETURN c",
        'SELECT ?c { ?c attribute:founded ?v FILTER(?v >= "1960-08-11"^^xsd:date) }',
        'SELECT ?c { ?c attribute:founded ?v FILTER(xsd:date(?v) >= "1960-08-11") }',
    ):
        with pytest.raises(UnsupportedQueryError) as caught:
            read_query(text)
        assert caught.value.line == 1
    with pytest.raises(QuerySyntaxError, match="/value/date"):
        read_query({"attribute": "founded", "comparison": "=", "value": {"date": "soon"}})

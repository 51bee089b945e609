"""The allow-list item by item: each clause, function and procedure passes and is answered."""

from __future__ import annotations

from typing import Any

import pytest
from cypherast import ast
from cypherast.parser import Parser

from kg import cypher
from kg.backends.bolt import BoltStore
from kg.cypher import check
from kg.cypher_names import FUNCTIONS, PROCEDURES
from kg.errors import EngineError
from tests.conformance.store_rules import filled

CLAUSES = (
    "MATCH (n:Country) WHERE n.x IS NULL RETURN n.name AS a ORDER BY a DESC SKIP 0 LIMIT 1",
    "OPTIONAL MATCH (n)-[r:borders*1..2]->(m) WITH n, count(r) AS c RETURN DISTINCT *",
    "UNWIND [[1, -2, 3 % 2]] AS x RETURN x[0..1] AS y UNION ALL UNWIND [[1]] AS x RETURN x[0] AS y",
    "MATCH (n) CALL { WITH n RETURN n.key AS k } RETURN k, {a: k}, n {.key, b: 1}",
    "CALL db.labels() YIELD label RETURN label",
    "MATCH p = shortestPath((a:Country)-[*..3]-(b)) WHERE a <> b RETURN length(p)",
    "MATCH (n) WHERE EXISTS { (n)-[:borders]->() } OR (n)-->(:Language) RETURN COUNT { (n)--() }",
    "MATCH (n) RETURN [(n)-->(m) | m.key], n:Country, $p",
    "RETURN CASE WHEN true THEN 1 ELSE 0 END, coalesce(null, 1), reduce(s = 0, x IN [1] | s + x)",
    "RETURN [x IN range(1, 3) WHERE x > 1 | x], all(x IN [1] WHERE x = 1), NOT true XOR false",
)
NODE_KINDS_WITHOUT_TEXT = {
    ast.QuantifiedPath,  # ((a)-->(b)){1,3}: the engine does not know it
    ast.Range, ast.ListLambda, ast.PatternPredicate, ast.LabelExpression, ast.LabelPredicate,
}  # fmt: skip
"""Kinds of node that stand in the tree of some text above, or in none that the engine answers."""

_CALLS = """
avg(1) collect(1) count(1) max(1) min(1) percentileCont(1,0.5) percentileDisc(1,0.5) stDev(1)
stDevP(1) sum(1)
allShortestPaths elementId(n) endNode(r) exists(n.key) id(n) keys(n) labels(n) length(p) nodes(p)
properties(n) relationships(p) shortestPath startNode(r) type(r)
head([1]) isEmpty([]) last([1]) range(1,3) reverse([1]) size([1]) tail([1]) coalesce(1) nullIf(1,2)
btrim('a') char_length('a') character_length('a') left('ab',1) lower('A') ltrim('a')
replace('a','a','b') right('ab',1) rtrim('a') split('a,b',',') substring('abc',1) toLower('A')
toUpper('a') toString(1) toStringOrNull(1) trim('a') upper('a') normalize('a')
abs(-1) acos(1) asin(1) atan(1) atan2(1,1) ceil(1.5) cos(1) cosh(1) cot(1) coth(1) degrees(1) e()
exp(1) floor(1.5) haversin(1) isNaN(1.0) log(1) log10(1) pi() radians(1) rand() randomUUID()
round(1.5) sign(1) sin(1) sinh(1) sqrt(1) tan(1) tanh(1) toBoolean('true') toBooleanList(['true'])
toBooleanOrNull('x') toFloat('1') toFloatList(['1']) toFloatOrNull('x') toInteger('1')
toIntegerList(['1']) toIntegerOrNull('x') toStringList([1]) valueType(1)
distance(point({x:1,y:2}),point({x:1,y:3})) point({x:1,y:2})
point.distance(point({x:1,y:2}),point({x:1,y:3}))
point.withinBBox(point({x:1,y:1}),point({x:0,y:0}),point({x:2,y:2}))
vector.similarity.cosine([1.0],[1.0]) vector.similarity.euclidean([1.0],[1.0])
datetime.fromEpoch(1,0) datetime.fromEpochMillis(1) duration({days:1})
duration.between(date(),date()) duration.inDays(date(),date()) duration.inMonths(date(),date())
duration.inSeconds(date(),date()) timestamp()
"""
CALLS = [
    *_CALLS.split(),
    *(
        f"{kind}.truncate('{unit}',{kind}())"
        for kind, unit in (
            ("date", "year"), ("datetime", "year"), ("localdatetime", "year"), ("time", "hour"),
            ("localtime", "hour"),
        )
    ),
    *(
        f"{kind}{clock}()"
        for kind in ("date", "datetime", "localdatetime", "localtime", "time")
        for clock in ("", ".realtime", ".statement", ".transaction")
    ),
]  # fmt: skip
PATTERN_FUNCTIONS = {"allShortestPaths", "shortestPath"}


def name_of(call: str) -> str:
    return call.partition("(")[0]


def kinds_in(text: str) -> set[type]:
    return {type(node) for node in cypher._nodes(Parser(text).parse())}


def test_every_kind_of_node_on_the_list_is_tried() -> None:
    tried = set().union(*map(kinds_in, CLAUSES))
    missing = {
        kind
        for kind in cypher.READING
        if not any(issubclass(some, kind) for some in tried) and kind not in NODE_KINDS_WITHOUT_TEXT
    }
    assert missing == set()


@pytest.mark.parametrize("text", CLAUSES)
def test_every_clause_passes_and_is_answered(text: str, bolt_store: BoltStore) -> None:
    filled(bolt_store)
    assert check(text).text == text
    assert bolt_store.query(text, {"p": 1}).columns


def test_every_function_on_the_list_is_tried_and_no_other() -> None:
    assert {name_of(call).lower() for call in CALLS} == FUNCTIONS


def test_every_function_and_procedure_passes_and_is_answered(bolt_store: BoltStore) -> None:
    filled(bolt_store)
    failed: dict[str, Any] = {}
    for call in CALLS:
        if name_of(call) in PATTERN_FUNCTIONS:
            text = f"MATCH p = {call}((a:Country)-[*..3]-(b:Language)) RETURN count(p)"
        else:
            text = f"MATCH p = (n)-[r]->() RETURN {call} AS x LIMIT 1"
        assert check(text).text == text
        try:
            bolt_store.query(text)
        except EngineError as error:
            failed[name_of(call)] = error
    assert failed == {}
    for procedure in PROCEDURES:
        assert bolt_store.query(f"CALL {procedure}()").columns


ESCAPES = (
    "CREATE (n)", "MERGE (n:X)", "MATCH (n) SET n.x = 1", "MATCH (n) SET n += {x: 1}",
    "MATCH (n) REMOVE n.key", "MATCH (n) DETACH DELETE n", "CREATE (:X)-[:Y]->(:Z)",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "CREATE INDEX FOR (n:X) ON (n.x)", "CREATE USER u SET PASSWORD 'p'", "RETURN umbra.bump()",
    "CALL { CREATE (n) RETURN n } RETURN n", "FOREACH (x IN [1] | CREATE (:X))",
)  # fmt: skip


@pytest.mark.parametrize("text", ESCAPES)
def test_past_the_gate_the_reader_role_still_stands(
    text: str, bolt_store: BoltStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(bolt_store)
    before, version = list(bolt_store.entities()), bolt_store.version
    monkeypatch.setattr(
        cypher, "check", lambda text: cypher.CheckedQuery(text=text, parameters=frozenset())
    )
    with pytest.raises(EngineError):
        bolt_store.query(text)
    assert (list(bolt_store.entities()), bolt_store.version) == (before, version)

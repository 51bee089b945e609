"""Values of a query's rows: plain to JSON, and still of their type."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from neo4j.exceptions import Neo4jError
from neo4j.time import Date, DateTime, Duration, Time
from pytz import FixedOffset, timezone, utc

from kg.backends.bolt import BoltStore
from kg.backends.reading import plan_table
from kg.backends.translation import translate
from kg.backends.values import cypher_text, parameters_of, plain
from kg.cypher_columns import columns_of
from kg.errors import (
    ConstraintError,
    EngineError,
    InputError,
    QuerySyntaxError,
    QueryValueError,
    StoreError,
    UnsupportedQueryError,
)
from kg.query_values import EdgeValue, NodeValue, PathValue, PointValue, TemporalValue


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Date(1984, 10, 11), "1984-10-11"),
        (Time(10, 0), "10:00"),
        (Time(12, 31, 14, 645_000_000, tzinfo=FixedOffset(60)), "12:31:14.645+01:00"),
        (Time(0, 0, 0, 3, tzinfo=utc), "00:00:00.000000003Z"),
        (DateTime(2015, 7, 21, 21, 40), "2015-07-21T21:40"),
        (
            timezone("Europe/London").localize(DateTime(2015, 7, 21, 21, 40, 32)),
            "2015-07-21T21:40:32+01:00[Europe/London]",
        ),
        (DateTime(2015, 7, 21, tzinfo=FixedOffset(-90)), "2015-07-21T00:00-01:30"),
        (Duration(), "PT0S"),
        (Duration(months=149, days=14, seconds=58390), "P12Y5M14DT16H13M10S"),
        (Duration(months=-24), "P-2Y"),
        (Duration(seconds=-600, nanoseconds=-300_000_000), "PT-10M-0.3S"),
        (Duration(days=1, milliseconds=-1), "P1DT-0.001S"),
        (Duration(seconds=31539595, nanoseconds=999_000_000), "PT8760H59M55.999S"),
    ],
)
def test_times_are_written_as_cypher_writes_them(value: Any, text: str) -> None:
    assert cypher_text(value) == text
    made = plain([value])[0]
    assert isinstance(made, TemporalValue)
    assert (made, json.dumps(made)) == (text, json.dumps(text))
    assert parameters_of({"p": [made]}) == {"p": [value]}


def test_parameters_that_no_store_has_are_refused() -> None:
    for value in (2**63, -(2**63) - 1, {"a": [2**70]}, object(), 1j):
        with pytest.raises(InputError, match="parameter p"):
            parameters_of({"p": value})
    fine = {"a": 2**63 - 1, "b": [None, (1, 2)], "c": {"d": True}, "e": dt.date(2024, 1, 1)}
    assert parameters_of(fine) == {**fine, "b": [None, [1, 2]]}
    assert parameters_of(None) == {}


def test_the_store_keeps_types_both_ways(bolt_store: BoltStore) -> None:
    texts = {
        "date('2024-02-29')": "date",
        "time('10:15:30.000000001+01:00')": "time",
        "localtime('10:15')": "local time",
        "datetime('2024-02-29T10:15:30+02:00')": "datetime",
        "localdatetime('2024-02-29T10:15:30.5')": "local datetime",
        "duration('P1Y2M3DT4H5.5S')": "duration",
    }
    row = bolt_store.query(f"RETURN {', '.join(texts)}").rows[0]
    assert [value.kind for value in row] == list(texts.values())
    assert list(row) == [text.split("'")[1] for text in texts]
    again = bolt_store.query("RETURN $times", {"times": list(row)}).rows[0][0]
    assert [(value, value.kind) for value in again] == [(value, value.kind) for value in row]
    native = {"d": dt.date(2024, 2, 29), "t": dt.datetime(2024, 2, 29, 10), "p": dt.timedelta(1)}  # noqa: DTZ001
    assert bolt_store.query("RETURN $d, $t, $p", native).rows == (
        ("2024-02-29", "2024-02-29T10:00", "P1D"),
    )


def test_points_numbers_lists_and_maps_come_back(bolt_store: BoltStore) -> None:
    flat, round_ = bolt_store.query(
        "RETURN point({x: 1, y: 2, z: 3}), point({longitude: 5, latitude: 6})"
    ).rows[0]
    assert isinstance(flat, PointValue)
    assert flat == {"srid": 9157, "x": 1.0, "y": 2.0, "z": 3.0}
    assert round_ == {"srid": 4326, "x": 5.0, "y": 6.0}
    values = {
        "big": 2**63 - 1, "small": -(2**63), "nested": [[1, [None, "x"]], {"a": {"b": [1.5]}}],
        "nothing": None, "empty": [], "map": {}, "point": flat,
    }  # fmt: skip
    for name, value in values.items():
        assert bolt_store.query("RETURN $v AS v", {"v": value}).rows == ((value,),), name
    with pytest.raises(InputError):
        bolt_store.query("RETURN $v", {"v": 2**63})
    with pytest.raises(InputError):
        bolt_store.execute("RETURN $v", {"v": 2**63})


def test_nodes_edges_and_paths_know_what_they_are(bolt_store: BoltStore) -> None:
    bolt_store.execute("CREATE (:A {x: 1})-[:T {y: 2}]->(:B {x: 2})")
    node, edge, path = bolt_store.query("MATCH p = (b:B)<-[r]-(a) RETURN a, r, p").rows[0]
    assert isinstance(node, NodeValue)
    assert isinstance(edge, EdgeValue)
    assert isinstance(path, PathValue)
    assert (node, edge) == ({"_labels": ["A"], "x": 1}, {"_type": "T", "y": 2})
    assert (edge.type, edge.head_id, node.labels) == ("T", node.id, {"A"})
    assert [item.id for item in path.nodes] == [edge.tail_id, edge.head_id]
    assert path.edges == [edge]
    assert json.loads(json.dumps(path)) == path


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("MATCH (n) RETURN DISTINCT n . x , {a: [1, 2]} ORDER BY n", ("n . x", "{a: [1, 2]}")),
        ("MATCH (n) RETURN nOdEs( n ) AS `a b` LIMIT 1 UNION RETURN 2 AS x", ("a b",)),
        ("MATCH (n:RETURN) CALL { RETURN 1 AS x } RETURN n.return;", ("n.return",)),
        ("MATCH (n) RETURN *", ()),
        ("CREATE (n)", ()),
        ("RETURN 'open", ()),
        ("RETURN a.b /* one */ // two\n, /**/ c // \n", ("a.b", "c")),
        ("RETURN '// no' // no\n//", ("'// no'",)),
        ("RETURN a /* in */ + b /* x *//* x */ // c\n LIMIT 2", ("a /* in */ + b",)),
    ],
)  # fmt: skip
def test_columns_are_read_from_the_text(text: str, columns: tuple[str, ...]) -> None:
    assert columns_of(text) == columns


def test_an_empty_result_has_its_columns(bolt_store: BoltStore) -> None:
    assert bolt_store.query("MATCH (n:None) RETURN n.x, n.y AS y ").columns == ("n.x", "y")
    empty = bolt_store.execute("CREATE (n) WITH n WHERE false RETURN n AS made")
    assert (empty.columns, empty.rows) == (("made",), ())


SAID: tuple[tuple[str, str, type[EngineError], str | None, str | None], ...] = (
    ("SemanticError", "UndefinedVariable: Variable 'x' not defined", QuerySyntaxError, None,
     "UndefinedVariable"),
    ("SyntaxError", "ColumnNameConflict: a", QuerySyntaxError, None, "ColumnNameConflict"),
    ("SyntaxError", "mismatched input", QuerySyntaxError, None, None),
    ("SyntaxError", "MergeReadOwnWrites: x", QueryValueError, "SemanticError",
     "MergeReadOwnWrites"),
    ("SemanticError", "TypeError: InvalidArgumentValue - toX() cannot", QueryValueError,
     "TypeError", "InvalidArgumentValue"),
    ("ArgumentError", "List index must be a number", QueryValueError, "TypeError", None),
    ("ArithmeticError", "/ by zero", QueryValueError, "ArithmeticError", None),
    ("SemanticError", "something else", QueryValueError, None, None),
    ("ParameterMissing", "Expected parameter(s): p", InputError, None, None),
)  # fmt: skip


@pytest.mark.parametrize(("code", "text", "wanted", "kind", "detail"), SAID)
def test_the_engines_words_become_errors(
    code: str, text: str, wanted: type[EngineError], kind: str | None, detail: str | None
) -> None:
    error = translated_text(f"Neo.ClientError.Statement.{code}", text)
    assert type(error) is wanted
    assert getattr(error, "kind", None) == kind
    assert getattr(error, "detail", None) == detail


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("TypeError: Cannot access property 'x' on Long value", QueryValueError),
        ("DeletedEntityAccess: Cannot access a deleted entity", QueryValueError),
        ("DeleteConnectedNode: it has edges", ConstraintError),
        ("Unknown procedure/function: foo", UnsupportedQueryError),
        ("the disk is on fire", StoreError),
    ],
)
def test_an_unknown_error_of_the_engine_is_told_by_its_text(
    text: str, wanted: type[EngineError]
) -> None:
    assert type(translated_text("Neo.DatabaseError.General.UnknownError", text)) is wanted


def translated_text(code: str, text: str) -> EngineError:
    return translate(Neo4jError._hydrate_neo4j(code=code, message=text))


def test_a_plan_without_a_text_of_its_own_is_a_tree() -> None:
    plan = {
        "operatorType": "Produce", "args": {"rows": 1},
        "children": [{"operatorType": "Scan", "children": []}, {"operatorType": "Seek"}],
    }  # fmt: skip
    assert plan_table(plan).rows == (("Produce {'rows': 1}",), ("  Scan",), ("  Seek",))
    assert plan_table({"args": {"string-representation": "A\nB\n"}}).rows == (("A",), ("B",))

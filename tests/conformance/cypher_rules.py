"""The rules of `query` and `execute`, for stores that speak Cypher; and of those that do not."""

from __future__ import annotations

import time
from dataclasses import replace

from kg.backends.bolt import BoltStore
from kg.errors import (
    InputError,
    LimitError,
    MissingPartError,
    QuerySyntaxError,
    QueryTimeoutError,
    QueryValueError,
    ReadOnlyError,
)
from kg.model import EntityKey
from kg.store import Store
from tests.conformance.store_rules import Rule, content, fact, filled, refused, thing

CYPHER_RULES: dict[str, Rule] = {}
ENDLESS = (
    "UNWIND range(1, 30000) AS x UNWIND range(1, 300000) AS y "
    "WITH x, y WHERE (x * y) % 7 = 3 RETURN sum(x)"
)

MANY = "UNWIND range(1, 100000) AS x UNWIND range(1, 1000) AS y RETURN x, y"
"""More rows than anybody reads in the time of a test."""


def rule(function: Rule) -> Rule:
    CYPHER_RULES[function.__name__] = function
    return function


def runs_many(store: Store) -> bool:
    """Tell whether a store says that `MANY` runs."""
    assert isinstance(store, BoltStore)
    return any(one.text.startswith(MANY) for one in store.running_queries())


def no_cypher_is_said(store: Store) -> None:
    with refused(MissingPartError):
        store.query("RETURN 1")
    with refused(MissingPartError):
        store.execute("CREATE (n)")
    with refused(MissingPartError):
        store.stream("RETURN 1")


@rule
def labels_relations_and_attributes_are_cypher(store: Store) -> None:
    filled(store)
    store.upsert_entities([thing("AL", name="Albania", attributes={"area_km2": 28748})])
    table = store.query("MATCH (a:Country)-[:borders]->(b:Country) RETURN a.name, count(b)")
    assert table.columns == ("a.name", "count(b)")
    assert sorted(table.rows) == [("Albania", 1), ("GR", 1)]
    large = "MATCH (c:Country) WHERE c.area_km2 > $least RETURN c.key AS key;"
    assert store.query(large, {"least": 1000}).rows == (("AL",),)
    every = "MATCH (n:Entity) RETURN count(n), count(DISTINCT n.key)"
    assert store.query(every).rows == ((4, 4),)


@rule
def an_index_changes_no_answer(store: Store) -> None:
    filled(store)
    store.upsert_entities([thing("AL", name="Albania", attributes={"area_km2": 28748})])
    asked = [
        ("MATCH (n:Country {name: $x}) RETURN n.key", "Albania"),
        ("MATCH (n:Country) WHERE n.area_km2 >= $x RETURN n.key", 28748),
        ("MATCH (n:Country) WHERE n.name STARTS WITH $x RETURN n.key", "Al"),
        ("MATCH (n:Country {name: $x}) RETURN n.key", "Italia"),
    ]
    before = [store.query(text, {"x": value}).rows for text, value in asked]
    assert before[:3] == [(("AL",),)] * 3
    store.indexes.create("Country", "name")
    store.indexes.create("Country", "area_km2")
    assert [store.query(text, {"x": value}).rows for text, value in asked] == before
    store.upsert_entities([thing("IT", name="Italia"), thing("AL", attributes={"area_km2": 5})])
    assert [store.query(text, {"x": value}).rows for text, value in asked] == [
        (), (), (), (("IT",),),
    ]  # fmt: skip
    store.delete_entities([EntityKey("IT")])
    for name in ("name", "area_km2"):
        assert store.indexes.drop("Country", name)
    store.upsert_entities([thing("AL", name="Albania", attributes={"area_km2": 28748})])
    assert [store.query(text, {"x": value}).rows for text, value in asked[:3]] == before[:3]


@rule
def nodes_edges_and_paths_are_plain(store: Store) -> None:
    store.upsert_entities([thing("AL", aliases=("x",)), thing("el", "Language")])
    store.upsert_edges([fact("AL", "speaks", "el", share=0.5)])
    path = store.query("MATCH p = (a:Country)-[r]->(b) RETURN a, r, p, [b.key], {k: a.name}")
    country = {"_labels": ["Country"], "key": "AL", "name": "AL", "aliases": ["x"]}
    language = {"_labels": ["Language"], "key": "el", "name": "el"}
    edge = {"_type": "speaks", "share": 0.5}
    whole = {"nodes": [country, language], "edges": [edge]}
    assert path.rows == ((country, edge, whole, ["el"], {"k": "AL"}),)
    records = store.query("MATCH (:Country)-[r:speaks]->() RETURN r._records").rows
    assert '"source": "a.jsonl"' in records[0][0][0]


@rule
def writing_is_refused(store: Store) -> None:
    filled(store)
    before, version = content(store), store.version
    for text in (
        "CREATE (n:Country {key: 'x'})",
        "MATCH (n) SET n.x = 1",
        "MATCH (n) DETACH DELETE n RETURN 1",
        "CALL { CREATE (n) RETURN n } RETURN n",
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    ):
        with refused(ReadOnlyError):
            store.query(text)
    assert content(store) == before
    assert store.version == version


@rule
def a_wrong_text_says_where(store: Store) -> None:
    with refused(QuerySyntaxError) as caught:
        store.query("MATCH (n)\nRETURN (n")
    assert (caught[0].line, caught[0].column) == (2, 10)  # type: ignore[attr-defined]
    with refused(QuerySyntaxError, LimitError):  # it parses, and the engine will not have it
        store.query("RETURN 1" + " + 1" * 1000)
    with refused(InputError):
        store.query("RETURN $missing")
    with refused(InputError):
        store.query("RETURN 1", timeout_s=0)


@rule
def rows_are_cut_at_the_limit(store: Store) -> None:
    text = "UNWIND range(1, 5000) AS x RETURN x"
    whole = store.query(text)
    assert (len(whole.rows), whole.truncated) == (5000, False)
    for most in (0, 1, 4999):
        cut = store.query(text, max_rows=most)
        assert (cut.rows, cut.truncated) == (whole.rows[:most], True)
    assert not store.query(text, max_rows=5000).truncated


@rule
def a_plan_is_shown_and_nothing_is_run(store: Store) -> None:
    plan = store.query(f"EXPLAIN {ENDLESS}", timeout_s=5)
    assert plan.columns == ("plan",)
    assert len(plan.rows) > 1
    assert all(isinstance(line, str) for (line,) in plan.rows)
    with refused(ReadOnlyError):
        store.query("EXPLAIN CREATE (n)")


@rule
def a_query_ends_when_time_is_up(store: Store) -> None:
    with refused(QueryTimeoutError):
        store.query(ENDLESS, timeout_s=0.3)
    assert store.query("RETURN 1").rows == ((1,),)


@rule
def a_stream_gives_the_rows_of_the_query(store: Store) -> None:
    text = "UNWIND range(1, 5000) AS x RETURN x, $name AS name"
    whole = store.query(text, {"name": "n"})
    with store.stream(text, {"name": "n"}) as stream:
        assert stream.columns == whole.columns
        assert (tuple(stream), stream.truncated) == (whole.rows, False)
    for most in (0, 1, 4999):
        with store.stream(text, {"name": "n"}, max_rows=most) as stream:
            assert (tuple(stream), stream.truncated) == (whole.rows[:most], True)
    with store.stream("MATCH (n:Nothing) RETURN n.key AS key") as stream:
        assert (stream.columns, list(stream)) == (("key",), [])
    with store.stream(f"EXPLAIN {ENDLESS}", timeout_s=5, max_rows=1) as stream:
        assert len(list(stream)) > 1


@rule
def a_stream_says_what_is_wrong_before_its_rows(store: Store) -> None:
    with refused(ReadOnlyError), store.stream("CREATE (n)"):
        pass
    with refused(QuerySyntaxError), store.stream("MATCH (n)\nRETURN (n"):
        pass
    with refused(InputError), store.stream("RETURN $missing"):
        pass
    with refused(QueryTimeoutError), store.stream(ENDLESS, timeout_s=0.3):
        pass


@rule
def a_stream_is_ended_by_leaving_it(store: Store) -> None:
    with store.stream(MANY) as stream:
        first = [row for row, _ in zip(stream, range(3), strict=False)]
        assert first == [(1, 1), (1, 2), (1, 3)]
        assert runs_many(store)
    assert not runs_many(store)
    with refused(ZeroDivisionError), store.stream(MANY) as stream:
        assert next(iter(stream)) == (1, 1)
        raise ZeroDivisionError
    assert not runs_many(store)
    assert store.query("RETURN 1").rows == ((1,),)


@rule
def a_stream_ends_when_time_is_up_however_slowly_it_is_read(store: Store) -> None:
    with refused(QueryTimeoutError), store.stream(MANY, timeout_s=0.3) as stream:
        for _ in stream:
            time.sleep(0.4)
    with refused(QueryTimeoutError), store.stream(MANY, timeout_s=0.3) as stream:
        for _ in stream:
            pass
    assert not runs_many(store)


@rule
def what_fails_after_some_rows_is_told_with_the_next_one(store: Store) -> None:
    text = "UNWIND range(0, 2999) AS x RETURN 1 / (2500 - x) AS y"
    taken = []
    with refused(QueryValueError), store.stream(text) as stream:
        for row in stream:
            taken.append(row)  # noqa: PERF402 - those before the failure are wanted
    assert 0 < len(taken) <= 2500
    assert store.query("RETURN 1").rows == ((1,),)


@rule
def what_needs_too_much_memory_is_a_limit(store: Store) -> None:
    text = "UNWIND range(1, 2000000) AS x RETURN size(collect(x))"
    with refused(LimitError):
        store.query(text)
    assert store.query("RETURN 1").rows == ((1,),)


@rule
def execute_writes_and_counts(store: Store) -> None:
    filled(store)
    version = store.version
    table = store.execute("MATCH (n:Country {key: $key}) SET n.x = 7 RETURN n.x", {"key": "AL"})
    assert table.rows == ((7,),)
    assert store.version > version
    found = store.entity(EntityKey("AL"))
    assert found is not None
    assert found == replace(thing("AL"), attributes={"x": 7})

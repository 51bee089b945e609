"""`/v1/cypher` and `/v1/queries` on the embedded store: what is told of a query, and its forms."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.client import Client
from api.client.connection import RefusedError
from api.engine import Engine
from api.workspace import Workspace
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.conformance.cypher_rules import ENDLESS

EDGE = "MATCH (a:Country {key: 'country:TR'})-[r:borders]->(b:Country) RETURN a.name, r, b LIMIT 2"


@pytest.fixture(scope="module")
def http(stored: Workspace) -> Iterator[TestClient]:
    with Engine(stored) as engine, TestClient(create_app(engine), base_url=ADDRESS) as http:
        yield http


def asked(http: TestClient, query: str, **options: Any) -> Any:
    return http.post("/v1/cypher", json={"query": query, **options})


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("MATCH (n:Nothing) RETURN n.name", ["n.name"]),
        ("MATCH (n:Nothing) RETURN n.name AS x, n.area // all", ["x", "n.area"]),
        ("MATCH (n:Nothing) RETURN n.name;", ["n.name"]),
    ],
)
def test_an_empty_result_has_the_columns_of_the_query_alone(
    http: TestClient, query: str, columns: list[str]
) -> None:
    assert asked(http, query).json() == {"columns": columns, "rows": [], "truncated": False}


@pytest.mark.parametrize("query", ["", "MATCH (n", "MATCH (n) RETURN\n", "RETURN 'open"])
def test_an_error_stands_within_what_was_sent(http: TestClient, query: str) -> None:
    found = problem(asked(http, query), "query-syntax", 400)
    assert 0 <= found["position"] <= len(query)
    assert found["line"] <= query.count("\n") + 1
    assert "request" not in found["detail"]


def test_a_result_as_the_graph_in_it(http: TestClient) -> None:
    with Client(client=http) as graph:
        found = graph.cypher_graph(EDGE, max_rows=1)
        assert graph.cypher_graph("RETURN 1.0 / 0.0 AS x") == {
            "nodes": [], "edges": [], "truncated": False,
        }  # fmt: skip
    (edge,), (node,) = found["edges"], found["nodes"]
    assert (edge["type"], edge["tail"], node["labels"]) == ("borders", node["id"], ["Country"])
    assert edge["head"] != node["id"]  # it is named, though only its name stands in the row
    assert found["truncated"] is True
    assert not [name for name in node["properties"] if name.startswith("_")]


def test_a_running_query_is_listed_without_its_tags_and_ended(http: TestClient) -> None:
    with Client(client=http) as graph:
        assert graph.queries().queries == ()
        ended: list[Any] = []
        body = {"timeout_s": 60}
        caller = threading.Thread(target=lambda: ended.append(asked(http, ENDLESS, **body)))
        caller.start()
        end = time.monotonic() + 30
        while not (found := graph.queries().queries) and time.monotonic() < end:
            time.sleep(0.02)
        (query,) = found
        assert (query.user, query.text) == ("reader", ENDLESS)
        assert query.elapsed_s >= 0
        for _ in range(2):  # the second time it is told what the first one did
            assert graph.end_query(query.id, idempotency_key="once").ended == query.id
        caller.join(timeout=30)
        problem(ended[0], "query-timeout", 504)
        with pytest.raises(RefusedError, match="no query 'q1-0' runs"):
            graph.end_query("q1-0")
    problem(http.delete("/v1/queries/q1-0"), "not-found", 404)
    problem(http.delete("/v1/queries/a b"), "input-error", 400)

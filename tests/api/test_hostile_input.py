"""Whatever comes in, what goes out is an answer or a problem: never a failure of the server."""

from __future__ import annotations

import json
import string
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.routes.examples import CRESCENT_QUESTION

TEXT = st.text(st.characters(codec=None), max_size=30)
NAMES = st.sampled_from(
    ["anchor", "label", "relation", "of", "inverse", "all", "any", "not", "attribute",
     "comparison", "value"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["country:TR", "Country", "borders", "speaks", "language:ara", "population", "name", "<", "in"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | WORDS
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXT, inner, max_size=4),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [*CRESCENT_QUESTION.split(), "(", ")", "[", "]", "{", "}", "-", "->", "<-", ":", ",", "'",
     '"', "`", "$x", "UNION", "EXISTS", "NOT", "AND", "OR", "NULL", "1e999", "//", "/*", "\\u0041",
     "é", "\x00", "RETURN DISTINCT", "LIMIT", "*", "..", "=~"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map(" ".join) | TEXT

FEW = settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def check(client: TestClient, path: str, body: Any) -> None:
    content = json.dumps(body).encode()
    response = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code != 500, (body, response.text)
    if response.status_code != 200:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"].startswith("urn:umbra:problem:")


@FEW
@given(tree=TREES)
def test_any_tree_is_answered_or_refused(client: TestClient, tree: Any) -> None:
    check(client, "/v1/query", {"query": tree})
    check(client, "/v1/why-not", {"query": tree, "entity": "Greece"})


@FEW
@given(text=TEXTS)
def test_any_text_is_answered_or_refused(client: TestClient, text: str) -> None:
    check(client, "/v1/query", {"query": text, "parameters": {"x": "country:TR"}})
    check(client, "/v1/why-not", {"query": CRESCENT_QUESTION, "entity": text})


@FEW
@given(parameters=st.dictionaries(TEXT, TREES, max_size=3))
def test_any_parameter_is_taken_or_refused(client: TestClient, parameters: dict[str, Any]) -> None:
    query = "MATCH (c:Country) WHERE c.population < $x RETURN c"
    check(client, "/v1/query", {"query": query, "parameters": parameters | {"y": 1}})
    for value in parameters.values():
        check(client, "/v1/query", {"query": query, "parameters": {"x": value}})


@FEW
@given(key=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_address_is_answered_or_refused(client: TestClient, key: str) -> None:
    safe = string.ascii_letters
    quoted = "".join(c if c in safe else "".join(f"%{b:02X}" for b in c.encode()) for c in key)
    for path in (f"/v1/entities/{quoted}", f"/v1/jobs/{quoted}", f"/v1/images/{quoted}"):
        response = client.get(path)
        assert response.status_code in (200, 404, 422)
        if response.status_code != 200:
            assert response.headers["content-type"] == "application/problem+json"

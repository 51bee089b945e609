"""All answers and rows of a question can be read, a page at a time, by REST as by Python."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.cursors import cursor_of
from api.rows import NDJSON
from tests.api.test_guard import problem
from tests.api.world import WorldEngine

pytestmark = pytest.mark.xdist_group("answer_pages")

COUNTRIES = "MATCH (c:Country) RETURN c"
NEIGHBOURS = (
    "MATCH (c:Country)-[:borders]->(:Country)-[:borders]->(:Country {key: 'country:TR'}) RETURN c"
)
PAIRS = "MATCH (a:Country)-[:borders]->(b:Country) RETURN a, b"


def asked(client: TestClient, query: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/query", json={"query": query, "proofs": False, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pages(client: TestClient, query: str, k: int) -> list[dict[str, Any]]:
    found = [asked(client, query, k=k)]
    while found[-1]["next"] is not None:
        found.append(asked(client, query, k=k, after=found[-1]["next"]))
    return found


@pytest.mark.parametrize(("query", "k"), [(COUNTRIES, 3), (NEIGHBOURS, 1)])
def test_pages_join_to_all_answers(
    client: TestClient, world: WorldEngine, query: str, k: int
) -> None:
    whole = world.ask(query, k=1000, proofs=False)
    assert whole.next is None
    read = pages(client, query, k)
    assert len(read) > 2
    for status in ("known", "likely"):
        expected = [answer.key for answer in whole.answers if answer.status == status]
        rows = [[a["key"] for a in page["answers"] if a["status"] == status] for page in read]
        assert [key for page in rows for key in page] == expected
        assert max(map(len, rows)) <= k
    assert {page["total_known"] for page in read} == {whole.total_known}


def test_pages_join_to_all_rows_and_each_has_its_proofs(
    client: TestClient, world: WorldEngine
) -> None:
    whole = world.ask(PAIRS, k=1000).rows
    assert whole is not None
    read = [asked(client, PAIRS, k=7, proofs=True)]
    while read[-1]["next"] is not None:
        read.append(asked(client, PAIRS, k=7, proofs=True, after=read[-1]["next"]))
    assert len(read) == -(-whole.total // 7) > 2
    shown = [page["rows"] for page in read]
    rows = [tuple(cell["key"] for cell in row) for page in shown for row in page["rows"]]
    assert rows == [tuple(cell.key for cell in row) for row in whole.rows]
    assert all(len(page["proofs"]) == len(page["rows"]) for page in shown)


@pytest.mark.parametrize("query", [COUNTRIES, PAIRS])
def test_a_limit_counts_what_all_pages_told(client: TestClient, query: str) -> None:
    read = pages(client, f"{query} LIMIT 5", 2)
    counts = [len(p["answers"]) if p["rows"] is None else len(p["rows"]["rows"]) for p in read]
    assert counts == [2, 2, 1]


def test_pages_of_a_what_if_tell_each_change_once(client: TestClient, world: WorldEngine) -> None:
    """A question that loses most answers and wins two: its pages go on until all are told."""
    query = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
    near = [answer.key for answer in world.ask(query, answerer="exact").answers]
    edits: dict[str, Any] = {
        "without": [[key, "speaks", "language:ara"] for key in near[1:]],
        "assume": [[key, "speaks", "language:ara"] for key in ("country:BG", "country:GR")],
    }
    whole = world.ask(query, k=1000, answerer="exact", proofs=False, **edits).changes
    assert whole is not None
    assert sorted(change.key for change in whole.gone) == sorted(near[1:])
    read = [asked(client, query, k=1, answerer="exact", **edits)]
    while read[-1]["next"] is not None:
        after = read[-1]["next"]
        read.append(asked(client, query, k=1, answerer="exact", after=after, **edits))
    assert len(read) == len(near) > 3
    for group in ("new", "gone", "moved"):
        told = [change["key"] for page in read for change in page["changes"][group]]
        assert sorted(told) == sorted(change.key for change in getattr(whole, group))
    rows = world.ask(PAIRS, without=["country:TR borders country:GR"])
    assert rows.changes is None
    assert any("one variable only" in text for text in rows.warnings)


def test_lines_say_where_to_go_on(client: TestClient) -> None:
    body = {"query": COUNTRIES, "k": 2, "proofs": False}
    lines = client.post("/v1/query", json=body, headers={"Accept": NDJSON}).text.splitlines()
    assert json.loads(lines[0])["next"] == asked(client, COUNTRIES, k=2)["next"] is not None


@pytest.mark.parametrize(
    ("query", "cursor"),
    [
        (COUNTRIES, "junk"),
        (COUNTRIES, cursor_of(["1", "b"])),
        (COUNTRIES, cursor_of(["-1", "1.0", "b", "", ""])),
        (COUNTRIES, cursor_of(["1", "nan", "b", "", ""])),
        (COUNTRIES, cursor_of(["1", "one", "b", "", ""])),
        (PAIRS, cursor_of(["1", "b"])),
        (PAIRS, cursor_of(["x", "a", "b"])),
    ],
)
def test_what_is_no_cursor_is_refused(client: TestClient, query: str, cursor: str) -> None:
    answer = client.post("/v1/query", json={"query": query, "after": cursor})
    assert "`next`" in problem(answer, "input-error", 400)["hint"]

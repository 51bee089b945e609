"""Rows as lines, and pages of jobs: nothing is lost, doubled, or silently cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from api.app import create_app
from api.rows import NDJSON, lines_response
from tests.api.test_guard import problem
from tests.api.test_runner import KINDS
from tests.api.world import open_world

LINES = {"Accept": NDJSON}
QUERY = "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"


def lines_of(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(NDJSON)
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


def test_answers_as_lines_are_the_answers(client: TestClient) -> None:
    body = {"query": QUERY, "k": 3}
    whole = client.post("/v1/query", json=body).json()
    for _ in range(2):  # the second time it is kept
        head, *answers, last = lines_of(client.post("/v1/query", json=body, headers=LINES))
        assert answers == whole["answers"]
        assert last == {"rows": len(answers), "truncated": False}
        assert head | {"answers": answers} == whole


def test_rows_of_several_variables_are_lines(client: TestClient) -> None:
    body = {"query": "MATCH (a)-[:borders]->(b)-[:speaks]->(l) WHERE a <> b RETURN a, l"}
    whole = client.post("/v1/query", json=body).json()
    head, *rows, last = lines_of(client.post("/v1/query", json=body, headers=LINES))
    assert rows == whole["rows"]["rows"]
    assert rows
    assert last["rows"] == len(rows)
    assert head["rows"]["columns"] == whole["rows"]["columns"]


def test_a_problem_is_a_problem_also_for_who_wants_lines(client: TestClient) -> None:
    problem(client.post("/v1/query", json={"query": "MATCH ("}, headers=LINES), "query-syntax", 400)
    denied = client.post("/v1/cypher", json={"query": "CREATE (n)"}, headers=LINES)
    problem(denied, "read-only", 403)


def test_many_rows_come_in_pieces_and_the_last_line_counts_them() -> None:
    response = lines_response(["n"], ([n] for n in range(1000)), truncated=True)

    async def pieces() -> list[bytes]:
        return [bytes(piece) async for piece in response.body_iterator]  # type: ignore[arg-type]

    import asyncio

    found = asyncio.run(pieces())
    assert len(found) > 3
    head, *rows, last = map(json.loads, b"".join(found).splitlines())
    assert (head, rows, last) == (
        ["n"], [[n] for n in range(1000)], {"rows": 1000, "truncated": True},
    )  # fmt: skip


def test_pages_of_jobs_hold_each_once(tmp_path: Path) -> None:
    with (
        open_world(tmp_path / ".umbra") as engine,
        TestClient(create_app(engine, job_kinds=KINDS), base_url="http://127.0.0.1") as client,
    ):
        body = {"kind": "link", "parameters": {"to": 1}}
        made = [client.post("/v1/jobs", json=body).json()["id"] for _ in range(7)]
        seen, address = [], "/v1/jobs?limit=3"
        while address:
            response = client.get(address)
            seen += [job["id"] for job in response.json()["jobs"]]
            link = response.headers.get("link", "")
            address = link.partition(">")[0].removeprefix("<")
        assert sorted(seen) == sorted(made)
        assert seen == [job["id"] for job in client.get("/v1/jobs").json()["jobs"]]
        problem(client.get("/v1/jobs?after=0000000000000000"), "unknown-job", 404)

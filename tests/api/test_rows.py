"""Rows as lines, and pages of jobs: nothing is lost, doubled, or silently cut."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa  # type: ignore[import-untyped]
from starlette.responses import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.rows import ARROW, NDJSON, arrow_response, file_response, lines_response
from api.schemas import TableOut
from tests.api.test_guard import problem
from tests.api.test_runner import KINDS
from tests.api.world import open_world

LINES = {"Accept": NDJSON}
AS_ARROW = {"Accept": ARROW}
QUERY = "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"


def lines_of(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(NDJSON)
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


def pieces_of(response: Response) -> list[bytes]:
    async def pieces() -> list[bytes]:
        return [bytes(piece) async for piece in response.body_iterator]  # type: ignore[attr-defined]

    return asyncio.run(pieces())


def read(response: Response) -> bytes:
    return b"".join(pieces_of(response))


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
    found = pieces_of(response)
    assert len(found) > 3
    head, *rows, last = map(json.loads, b"".join(found).splitlines())
    assert (head, rows, last) == (
        ["n"], [[n] for n in range(1000)], {"rows": 1000, "truncated": True},
    )  # fmt: skip


def arrow_of(response: httpx.Response) -> pa.Table:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == ARROW
    return pa.ipc.open_stream(response.content).read_all()


def test_answers_as_arrow_are_the_answers(client: TestClient) -> None:
    body = {"query": QUERY, "k": 3}
    whole = client.post("/v1/query", json=body).json()
    table = arrow_of(client.post("/v1/query", json=body, headers=AS_ARROW))
    told = {name.decode(): json.loads(value) for name, value in table.schema.metadata.items()}
    assert told["head"] | {"answers": whole["answers"]} == whole
    assert (told["rows"], told["truncated"]) == (len(whole["answers"]), False)
    as_json = [field.name for field in table.schema if field.metadata]
    assert "proof" in as_json
    found = table.to_pylist()
    for row in found:
        row.update({name: json.loads(row[name]) for name in as_json if row[name] is not None})
    assert found == whole["answers"]
    pairs = {"query": "MATCH (a)-[:borders]->(b)-[:speaks]->(l) WHERE a <> b RETURN a, l"}
    rows = client.post("/v1/query", json=pairs).json()["rows"]["rows"]
    table = arrow_of(client.post("/v1/query", json=pairs, headers=AS_ARROW))
    assert table.column_names == ["a", "a_name", "l", "l_name"]
    assert table.column("a").to_pylist() == [row[0]["key"] for row in rows]
    assert table.column("l_name").to_pylist() == [row[1]["name"] for row in rows]


def test_a_table_as_arrow_keeps_its_types_and_a_problem_stays_one() -> None:
    rows = tuple((n, float(n), f"n{n}", None if n else True, {"n": n}) for n in range(5000))
    sent = arrow_response(["i"], TableOut(columns=tuple("ifsbm"), rows=rows), truncated=True)
    reader = pa.ipc.open_stream(read(sent))
    batches = list(reader)
    assert [batch.num_rows for batch in batches] == [4096, 904]
    assert [str(field.type) for field in reader.schema] == [
        "int64", "double", "string", "bool", "string",
    ]  # fmt: skip
    table = pa.Table.from_batches(batches)
    assert table.column("i").to_pylist() == list(range(5000))
    assert json.loads(table.column("m")[4999].as_py()) == {"n": 4999}
    assert reader.schema.metadata[b"truncated"] == b"true"


def test_the_output_of_a_job_as_arrow_is_its_lines(tmp_path: Path) -> None:
    rows = [
        {"mention": "a", "p": 1, "found": ["x"], "mixed": 1, "late": None},
        {"mention": "b", "p": 0.5, "found": [], "mixed": "two", "late": None},
        {"mention": None, "p": None, "found": None, "mixed": None, "late": True},
    ]
    path = tmp_path / "links.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = pa.ipc.open_stream(read(file_response(path))).read_all()
    assert [str(field.type) for field in table.schema] == [
        "string", "double", "string", "string", "bool",
    ]  # fmt: skip
    found = table.to_pylist()
    for row in found:
        row.update({n: json.loads(row[n]) for n in ("found", "mixed") if row[n] is not None})
    assert found == rows
    path.write_text("")
    assert pa.ipc.open_stream(read(file_response(path))).read_all().num_rows == 0


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
            following = httpx.QueryParams(address.partition("?")[2]).get("after")
            assert following == response.json()["next"]
        assert sorted(seen) == sorted(made)
        assert seen == [job["id"] for job in client.get("/v1/jobs").json()["jobs"]]
        problem(client.get("/v1/jobs?after=0000000000000000"), "unknown-job", 404)

"""docs/serving.md: its requests are sent, its problems are those of the table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import HTTP_PROBLEMS, OUTCOMES
from tests.api.conftest import ADDRESS
from tests.api.world import open_world

TEXT = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
CURLS = [
    block.replace("\\\n", " ")
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    if block.startswith("curl")
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TestClient]:
    with (
        open_world(tmp_path / ".umbra") as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        yield client


def test_there_are_requests() -> None:
    assert len(CURLS) == 5


@pytest.mark.parametrize("command", CURLS)
def test_requests_are_taken(server: TestClient, command: str) -> None:
    words = shlex.split(command)
    headers = dict(words[n + 1].split(": ") for n, word in enumerate(words) if word == "-H")
    address = next(word for word in words if word.startswith("http"))
    assert address.startswith(ADDRESS)
    if "-d" in words:
        body = words[words.index("-d") + 1].encode()
        response = server.post(address, content=body, headers=headers)
    else:
        response = server.get(address)
    without_cypher = address.endswith("/v1/cypher") and response.status_code == 503  # in memory
    assert response.status_code in (200, 202) or without_cypher, response.text


def test_problems_are_those_of_the_table() -> None:
    statuses = {slug: outcome.status for slug, outcome in HTTP_PROBLEMS.items()}
    statuses |= {kind.slug: outcome.status for kind, outcome in OUTCOMES.items()}
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", TEXT, re.MULTILINE)
    assert rows
    for status, slugs in rows:
        for slug in re.findall(r"`(.+?)`", slugs):
            assert statuses[slug] == int(status)

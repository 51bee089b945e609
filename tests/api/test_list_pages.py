"""Every list is read in pages that join to the whole; what is no cursor is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cursors import cursor_of
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import WorldEngine, open_world

pytestmark = pytest.mark.xdist_group("list_pages")

SAID = (Provenance(kind="asserted", source="later.csv", at="2031-01-01T00:00:00Z"),)
PAIRS = ("Aland", "Bland", "Cland", "Dland", "Eland")
VERDICTS = ("GR", "AZ", "BG", "GE")
LISTS = {
    "/v1/entities": "entities",
    "/v1/entities?label=Country": "entities",
    "/v1/history/country:TR": "events",
    "/v1/review/facts": "facts",
    "/v1/review/cases": "cases",
    "/v1/review/duplicates?label=Twin&least=0.1": "pairs",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldEngine]:
    with open_world(tmp_path_factory.mktemp("pages") / ".umbra") as engine:
        yield engine


@pytest.fixture(scope="module")
def server(engine: WorldEngine) -> Iterator[TestClient]:
    """Serve the small world with five pairs of twins, cases of them, and four verdicts."""
    twins = [
        Entity(key=EntityKey(f"{side}:{name}"), label="Twin", name=name, provenance=SAID)
        for name in PAIRS
        for side in ("left", "right")
    ]
    engine.store.upsert_entities(twins)
    with TestClient(create_app(engine), base_url=ADDRESS) as client:
        made = client.post("/v1/review/duplicates", json={"label": "Twin", "least": 0.1})
        assert made.json()["new_cases"] == len(PAIRS), made.text
        for code in VERDICTS:
            give(client, f"country:{code}")
        yield client


def give(client: TestClient, tail: str, verdict: str = "reject") -> None:
    body = {"head": "country:TR", "relation": "borders", "tail": tail, "who": "ada"}
    answer = client.post("/v1/review/facts", json=body | {"verdict": verdict})
    assert answer.status_code == 200, answer.text


def pages(client: TestClient, path: str, limit: int) -> Iterator[list[dict[str, Any]]]:
    """Yield pages, each by the `Link` of the one before, which agrees with its `next`."""
    address, _, asked = path.partition("?")
    page = client.get(address, params=httpx.QueryParams(asked).set("limit", limit))
    while True:
        assert page.status_code == 200, page.text
        yield page.json()[LISTS[path]]
        assert ("next" in page.links) == (page.json()["next"] is not None)
        if "next" not in page.links:
            return
        page = client.get(page.links["next"]["url"])


@pytest.mark.parametrize("path", LISTS)
def test_pages_join_to_the_whole(server: TestClient, path: str) -> None:
    whole = server.get(path).json()[LISTS[path]]
    assert len(whole) >= 4
    for limit in (len(whole) // 4, len(whole) - 1, len(whole), 1000):
        found = list(pages(server, path, limit))
        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
        assert [one for page in found for one in page] == whole


HALF_A_CHARACTER = cursor_of(("\ud800", "x"))
NO_CURSORS = (
    *("x", "", "é", "bm8", "W" * 5000, HALF_A_CHARACTER),
    *map(cursor_of, (("nan", "a"), ("a", "b"), ("a", "b", "c"), ("inf", "b", "c"))),
)


@pytest.mark.parametrize("path", [path for path in LISTS if path != "/v1/review/facts"])
def test_what_is_no_cursor_is_refused(server: TestClient, path: str) -> None:
    for cursor in NO_CURSORS:
        response = server.get(path, params={"after": cursor})
        assert "`next`" in problem(response, "input-error", 400)["hint"], cursor


def test_a_list_that_goes_by_numbers_refuses_other_cursors(server: TestClient) -> None:
    for cursor in ("x", "", "0", "-1", "1.5", "9" * 30):
        problem(server.get("/v1/review/facts", params={"after": cursor}), "invalid-request", 422)


def test_what_is_written_between_two_pages_neither_hides_nor_doubles(
    server: TestClient, engine: WorldEngine
) -> None:
    path = "/v1/review/facts"
    before = server.get(path).json()["facts"]
    rest = pages(server, path, 2)
    seen = next(rest)
    for fact in seen:
        give(server, fact["tail"], "undo")
    give(server, "country:IQ")
    assert seen + [one for page in rest for one in page] == before
    give(server, "country:IQ", "undo")
    for fact in seen:  # the other tests of this world count on four
        give(server, fact["tail"])

    path = "/v1/history/country:TR"
    events = server.get(path).json()["events"]
    rest = pages(server, path, 3)
    seen = next(rest)
    gone = tuple(seen[-1]["about"].split())
    assert len(gone) == 3
    engine.store.delete_edges([(EntityKey(gone[0]), gone[1], EntityKey(gone[2]))])
    late = Edge(head=EntityKey("country:TR"), relation="zzz", tail=EntityKey("country:AZ"),
                provenance=SAID)  # fmt: skip
    engine.store.upsert_edges([late])
    found = seen + [one for page in rest for one in page]
    told = [one for one in found if one["about"] != " ".join(late.key)]
    assert told == [one for one in events if one in seen or one["about"] != " ".join(gone)]
    assert len(found) == len(told) + 1

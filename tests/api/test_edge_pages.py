"""Pages of an entity's edges join to the whole, whatever is written between two of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cursors import cursor_of
from kg.model import Edge, EntityKey
from kg.provenance import Provenance
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import open_world

TURKEY = EntityKey("country:TR")
SAID = (Provenance(kind="asserted", source="later.csv"),)


def keys_of(found: dict[str, list[dict[str, str]]]) -> list[tuple[str, str, str]]:
    return [(edge["head"], edge["relation"], edge["tail"]) for edge in found["edges"]]


def test_what_is_written_between_two_pages_neither_hides_nor_doubles(tmp_path: Path) -> None:
    with (
        open_world(tmp_path / ".umbra") as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        path = f"/v1/entities/{TURKEY}"
        before = keys_of(client.get(path).json())
        first = client.get(path, params={"limit": 3}).json()
        head, relation, tail = keys_of(first)[0]
        engine.store.delete_edges([(EntityKey(head), relation, EntityKey(tail))])
        early = Edge(head=EntityKey("country:AZ"), relation="aaa", tail=TURKEY, provenance=SAID)
        late = Edge(head=TURKEY, relation="zzz", tail=EntityKey("country:AZ"), provenance=SAID)
        engine.store.upsert_edges([early, late])
        seen, parts, after = keys_of(first), first["parts"], first["next"]
        while after:
            page = client.get(path, params={"limit": 3, "after": after}).json()
            assert page["parts"] == parts  # of any page
            seen, after = seen + keys_of(page), page["next"]
        assert [key for key in seen if key != late.key] == before
        assert late.key in seen


HALF_A_CHARACTER = cursor_of((EntityKey("\ud800"), "borders", TURKEY))
NO_CURSORS = ("x", "", "bm8", "WzEsMiwzXQ", "WyJhIl0", "é", "ImFiYyI", "W" * 5000, HALF_A_CHARACTER)


@pytest.mark.parametrize("cursor", [*NO_CURSORS, cursor_of((TURKEY, "borders", TURKEY))[:-3]])
def test_what_is_no_cursor_is_refused(client: TestClient, cursor: str) -> None:
    response = client.get(f"/v1/entities/{TURKEY}", params={"after": cursor})
    assert "`next`" in problem(response, "input-error", 400)["hint"]


def test_a_cursor_of_an_edge_that_is_gone_still_parts(client: TestClient) -> None:
    whole = keys_of(client.get(f"/v1/entities/{TURKEY}").json())
    after = cursor_of((EntityKey(whole[4][0]), whole[4][1], EntityKey(whole[4][2] + "!")))
    rest = client.get(f"/v1/entities/{TURKEY}", params={"after": after}).json()
    assert keys_of(rest) == whole[5:]

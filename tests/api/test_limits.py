"""What a key may use: so many requests a second and at a time, each key for itself."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.access.keys import Key, KeyRing
from api.access.limits import BURST_S, KeyLimits, Limit
from api.app import create_app
from api.errors import HttpProblem
from api.serving.logs import JsonLines
from api.settings import Settings
from kg.errors import InputError
from tests.api.test_guard import problem
from tests.api.test_scopes import bearer
from tests.api.world import open_world


def key(name: str, *, rate: float | None = None, parallel: int | None = None) -> Key:
    return Key(id=name, name=name, scopes=("read",), digest="", created="", rate=rate,
               parallel=parallel)  # fmt: skip


@given(
    rate=st.floats(1, 50), share=st.sampled_from([1.0, 0.5]),
    gaps=st.lists(st.floats(0, 0.5), max_size=60),
)  # fmt: skip
def test_no_more_pass_than_the_bucket_holds(rate: float, share: float, gaps: list[float]) -> None:
    now = [0.0]
    limits = KeyLimits(Limit(rate=rate), share=share, clock=lambda: now[0])
    passed = 0
    for gap in gaps:
        now[0] += gap
        with suppress(HttpProblem), limits.used(key("ada")):
            passed += 1
    allowed = max(1.0, rate * share * BURST_S) + rate * share * now[0]
    assert passed <= allowed + 1e-6
    assert passed >= min(len(gaps), int(max(1.0, rate * share * BURST_S)))


def test_requests_at_a_time_are_counted_by_key() -> None:
    limits = KeyLimits(Limit(parallel=1))
    with limits.used(key("ada")), limits.used(key("bob")), limits.used(key("eve", parallel=0)):
        with pytest.raises(HttpProblem, match="under way"), limits.used(key("ada")):
            pass
        with limits.used(key("eve", parallel=0)):
            pass
    with limits.used(key("ada")):
        pass


@pytest.mark.parametrize("share", [1.0, 0.5, 0.25])
def test_who_is_refused_is_told_the_limit_of_the_key_whatever_a_process_gives_out(
    share: float,
) -> None:
    shared = ", shared out among the processes of the server" if share < 1 else ""
    limits = KeyLimits(share=share, clock=lambda: 0.0)
    ada, bob = key("ada", rate=2.0), key("bob", parallel=2)
    for _ in range(int(max(1.0, 2.0 * share * BURST_S))):
        with limits.used(ada):
            pass
    with pytest.raises(HttpProblem) as refused, limits.used(ada):
        pass
    assert str(refused.value) == f"the key may send 2 requests a second{shared}"
    with ExitStack() as stack:
        for _ in range(max(1, int(2 * share))):
            stack.enter_context(limits.used(bob))
        with pytest.raises(HttpProblem) as refused, limits.used(bob):
            pass
    assert str(refused.value) == f"the key may have 2 requests under way at a time{shared}"


def test_a_key_beyond_its_limit_is_told_when_to_come_again(tmp_path: Path) -> None:
    settings = Settings(key_rate=0, key_parallel=0)
    with open_world(tmp_path / ".umbra", settings=settings) as engine:
        ring = KeyRing(engine.workspace.keys)
        slow, free = ring.create("slow", ["read"], rate=0.2)[1], ring.create("free", ["read"])[1]
        with TestClient(create_app(engine), base_url="http://127.0.0.1") as client:
            assert client.get("/v1/info", headers=bearer(slow)).status_code == 200
            refused = client.get("/v1/info", headers=bearer(slow))
            told = problem(refused, "too-many-requests", 429)
            assert 1 <= told["retry_after_seconds"] <= 5
            assert refused.headers["retry-after"] == str(told["retry_after_seconds"])
            for _ in range(5):
                assert client.get("/v1/info", headers=bearer(free)).status_code == 200
            counts = client.get("/metrics", headers=bearer(free)).text
    total = 'umbra_requests_total{graph="home",method="GET",'
    assert total + 'route="none",status="429"} 1.0' in counts
    assert total + 'route="/v1/info",status="200"} 6.0' in counts
    assert 'umbra_requests_under_way{graph="home"} 1.0' in counts  # the one that asks


def test_a_limit_below_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="limit"):
        KeyRing(tmp_path / "keys.json").create("ada", ["read"], rate=-1)


def test_a_key_of_before_has_no_limit_of_its_own(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.json")
    _, text = ring.create("ada", ["read"])
    rows = json.loads((tmp_path / "keys.json").read_text())
    for row in rows["keys"]:
        del row["rate"], row["parallel"]
    (tmp_path / "keys.json").write_text(json.dumps(rows))
    found = KeyRing(tmp_path / "keys.json").find(text)
    assert found is not None
    assert (found.rate, found.parallel) == (None, None)


def test_routes_are_counted_by_name_not_by_what_was_asked(client: TestClient) -> None:
    for path in ("/v1/entities/country:XX", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    counts = client.get("/metrics").text
    assert 'route="/v1/entities/{key:path}",status="404"' in counts
    assert "country:XX" not in counts
    assert "nowhere" not in counts


def test_the_log_for_machines_is_one_object_a_line(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="umbra.http")
    client.get("/v1/a%0aforged", headers={"X-Request-Id": "mine-8"})
    (record,) = (r for r in caplog.records if "mine-8" in r.getMessage())
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["request"], told["status"], told["method"]) == ("mine-8", 404, "GET")
    assert told["level"] == "INFO"
    try:
        raise RuntimeError("the reason")
    except RuntimeError:
        logging.getLogger("umbra.http").exception("it failed")
    assert "the reason" in json.loads(JsonLines().format(caplog.records[-1]))["traceback"]

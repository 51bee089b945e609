"""The fuzzing of the cage: a small run holds, and it would see what it looks for."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench import cypher_fuzz
from bench.cypher_fuzz import at_the_gate, canaries, in_the_store, page, tried
from bench.cypher_fuzz_texts import Canary, fuzzed
from kg.backends.bolt import BoltStore
from kg.cypher import CheckedQuery
from kg.errors import StoreUnavailableError

CANARY = Canary("file:///canary.csv", "http://127.0.0.1:1/x")


def test_a_few_texts_do_no_harm(engine_folder: Path, tmp_path: Path) -> None:
    report = tried(300, seed=5, graph=engine_folder, folder=tmp_path)
    assert report.faults == []
    assert sum(report.gate.values()) == 300
    assert report.gate["let through"] == sum(report.store.values()) > 20
    assert report.gate["ReadOnlyError"] > 20
    assert report.store["answered"] > 10


def test_texts_follow_from_the_seed_and_attack() -> None:
    def made(seed: int) -> list[str]:
        return list(fuzzed(1500, seed=seed, corpus=["RETURN 1 AS x"], canary=CANARY))

    assert made(1) == made(1) != made(2)
    for attack in ("CREATE", "DELETE", "LOAD CSV", CANARY.file, CANARY.address, "\\u00"):
        assert any(attack in text for text in made(3)), attack


def test_a_touched_canary_is_seen(tmp_path: Path) -> None:
    with canaries(tmp_path) as (canary, touched):
        assert touched() == []
        Path(urlsplit(canary.file).path).read_bytes()
        with socket.create_connection(("127.0.0.1", urlsplit(canary.address).port or 0)):
            assert touched() == ["the file was read", "somebody connected"]


def test_a_crash_and_a_hang_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    report = cypher_fuzz.Report()
    monkeypatch.setattr(cypher_fuzz, "GATE_LIMIT_S", -1.0)
    assert at_the_gate("RETURN 1", report) is not None
    monkeypatch.setattr(cypher_fuzz, "check", lambda text: 1 / len(text[:0]))
    assert at_the_gate("RETURN 1", report) is None
    assert [fault.split(" (")[0].split(" 0")[0] for fault in report.faults] == [
        "the gate took", "the gate crashed",
    ]  # fmt: skip


@pytest.mark.parametrize("error", [StoreUnavailableError("gone"), RuntimeError("broken")])
def test_a_store_that_goes_is_seen(error: Exception) -> None:
    class Broken(BoltStore):
        def __init__(self) -> None:
            pass

        def query(self, *_arguments: Any, **_limits: Any) -> Any:
            raise error

    report = cypher_fuzz.Report()
    in_the_store(Broken(), CheckedQuery(text="RETURN 1", parameters=frozenset()), report)
    assert len(report.faults) == 1


def test_the_page_names_every_fault() -> None:
    text = page(
        {
            "command": "x", "commit": None, "date": "y", "machine": {"cores": 1}, "seed": 0, "n": 2,
            "corpus": 1, "gate": {"let through": 2}, "store": {"answered": 1},
            "faults": ["the store went away: 'RETURN 1'"],
            "slowest_gate_s": 0, "slowest_store_s": 0,
        }
    )  # fmt: skip
    assert "- the store went away: 'RETURN 1'" in text

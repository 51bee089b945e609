"""Decisions: what each does to graph and log, undone exactly, and safe against any kill."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.backends import open_store
from kg.backends.memory import MemoryStore
from kg.errors import (
    ConflictError,
    EngineError,
    ForeignFileError,
    FormatVersionError,
    InputError,
    UnknownEntityError,
)
from kg.model import Entity, EntityKey
from kg.store import Store
from linkers.review import Change, Request, Review
from linkers.review.order import doubt, most_useful_first
from tests.linkers.review_world import (
    HEAP,
    STEPS,
    case,
    content,
    edge,
    fill,
    key,
    linked,
    step,
    told,
)

AT = "2026-11-29T00:00:00+00:00"


@pytest.fixture
def store() -> Store:
    return fill(MemoryStore())


@pytest.fixture
def review(store: Store, tmp_path: Path) -> Review:
    found = Review(store, tmp_path / "log.jsonl", now=lambda: AT)
    found.add([case(1), case(2), case(3, "the country"), case(4, "Chile", "CL", "PE")])
    return found


def entity(store: Store, code: str) -> Entity:
    found = store.entity(key(code))
    assert found is not None
    return found


def test_accepting_makes_an_alias_and_confirms_the_edge(store: Store, review: Review) -> None:
    decision = review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    assert (decision.state, decision.meant, decision.at) == ("done", key("PE"), AT)
    peru = entity(store, "PE")
    assert peru.aliases == ("Piruw",)
    said = [r for r in peru.provenance if r.kind == "accepted"]
    assert [(r.source, r.locator, r.job, r.at) for r in said] == [
        ("ada", "alias Piruw", "review", AT)
    ]
    (confirmed,) = store.edges(head=key("CL"), tail=key("PE"))
    assert {r.kind for r in confirmed.provenance} == {"linked", "accepted"}
    assert case(1).id not in [c.id for c in review.cases()]
    assert len(review.cases()) == 3
    assert review.meanings()[0][:2] == (case(1).mention, key("PE"))


def test_a_phrase_and_a_known_name_make_no_alias(store: Store, review: Review) -> None:
    before = content(store)[0]
    review.decide(Request(kind="accept", case=case(3, "the country").id, who="ada"))
    review.decide(Request(kind="accept", case=case(4, "Chile", "CL", "PE").id, who="ada"))
    assert content(store)[0] == before
    assert len(review.meanings()) == 2


def test_rejecting_takes_the_links_record_away(store: Store, review: Review) -> None:
    review.decide(Request(kind="reject", case=case(1).id, who="ada"))
    review.decide(Request(kind="reject", case=case(2).id, who="ada"))
    assert list(store.edges(head=key("CL"), tail=key("PE"))) == []
    (kept,) = store.edges(head=key("BO"), tail=key("PE"))
    assert kept.provenance == (told(),)
    assert [meant for _, meant, _ in review.meanings()] == [None, None]


def test_another_entity_moves_the_edge(store: Store, review: Review) -> None:
    review.decide(Request(kind="other", case=case(2).id, entity=key("CL"), who="ada"))
    (moved,) = store.edges(head=key("BO"), tail=key("CL"))
    assert [(r.kind, r.source) for r in moved.provenance] == [("accepted", "ada")]
    assert entity(store, "CL").aliases == ("Piruw",)


def test_a_new_entity_takes_the_label_of_the_candidates(store: Store, review: Review) -> None:
    made = key("NEW")
    review.decide(Request(kind="new", case=case(2).id, key=made, name="Tawantinsuyu", who="ada"))
    assert entity(store, "NEW").label == "Country"
    assert entity(store, "NEW").aliases == ("Piruw",)
    assert [e.tail for e in store.edges(head=key("BO"))] == [made, key("PE")]
    with pytest.raises(ConflictError, match="there already"):
        review.decide(Request(kind="new", case=case(1).id, key=made, name="x", who="ada"))


def test_merging_moves_everything_and_leaves_no_loop(store: Store, review: Review) -> None:
    review.decide(Request(kind="merge", entity=key("PE"), keys=(key("PE2"),), who="ada"))
    peru = entity(store, "PE")
    assert store.entity(key("PE2")) is None
    assert peru.aliases == ("Republic of Peru", "Perú")
    assert peru.attributes["population"] == 4
    assert [image.sha256 for image in peru.images] == ["ab"]
    assert {e.key for e in store.edges()} == {
        ("country:BO", "borders", "country:PE"),
        ("country:CL", "borders", "country:PE"),
        ("country:PE", "borders", "country:BO"),
        ("country:PE", "has_part", "part:1"),
    }
    (both,) = store.edges(head=key("CL"), tail=key("PE"))
    assert {r.source for r in both.provenance} == {"mentions.jsonl", "other.jsonl"}
    part = store.entity(EntityKey("part:1"))
    assert part is not None
    assert part.part is not None
    assert part.part.parent == key("PE")
    assert review.kept(key("PE2")) == key("PE")


def test_splitting_gives_names_and_edges_away(store: Store, review: Review) -> None:
    request = Request(
        kind="split", entity=key("PE2"), key=key("X"), name="Perú", aliases=("Perú",),
        edges=((key("PE2"), "has_part", EntityKey("part:1")),), who="ada",
    )  # fmt: skip
    review.decide(request)
    assert entity(store, "PE2").aliases == ()
    assert (entity(store, "X").name, entity(store, "X").aliases) == ("Perú", ())
    assert [e.relation for e in store.edges(head=key("X"))] == ["has_part"]
    assert store.entity(EntityKey("part:1")).part.parent == key("X")  # type: ignore[union-attr]


REQUESTS: list[dict[str, Any]] = [
    {"kind": "accept", "case": case(1).id},
    {"kind": "reject", "case": case(2).id},
    {"kind": "other", "case": case(2).id, "entity": key("CL")},
    {"kind": "new", "case": case(2).id, "key": key("NEW"), "name": "N"},
    {"kind": "merge", "entity": key("PE"), "keys": (key("PE2"), key("CL"))},
    {"kind": "split", "entity": key("PE2"), "key": key("X"), "name": "X",
     "edges": ((key("PE2"), "borders", key("PE")),)},
]  # fmt: skip


@pytest.mark.parametrize("values", REQUESTS, ids=lambda values: values["kind"])
def test_undoing_leaves_the_graph_as_it_was(
    store: Store, review: Review, values: dict[str, Any]
) -> None:
    before, waiting = content(store), review.cases()
    done = review.decide(Request(who="ada", **values))
    assert content(store) != before
    assert review.decide(Request(who="ada", **values)) == done  # sent twice
    undone = review.decide(Request(kind="undo", who="bob"))
    assert content(store) == before
    assert review.cases() == waiting
    assert review.decisions[done.number - 1].state == "undone"
    assert undone.request.undoes == done.number
    with pytest.raises(InputError, match="nothing to undo"):
        review.decide(Request(kind="undo", who="bob", id="again"))


def test_undoing_keeps_what_others_wrote_since(store: Store, review: Review) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    review.decide(Request(kind="merge", entity=key("PE"), keys=(key("PE2"),), who="ada"))
    newer = replace(entity(store, "PE"), aliases=("Pérou",), attributes={"population": 34})
    store.upsert_entities([newer])
    store.upsert_edges([edge("CL", "borders", "PE", told("new.jsonl"))])
    for _ in range(2):
        review.decide(Request(kind="undo", who="ada", id=f"u{_}"))
    peru = entity(store, "PE")
    assert peru.aliases == ("Pérou",)
    assert peru.attributes["population"] == 34
    (both,) = store.edges(head=key("CL"), tail=key("PE"))
    assert {r.source for r in both.provenance} == {"mentions.jsonl", "new.jsonl"}


def test_what_cannot_be_undone_is_refused_whole(store: Store, review: Review) -> None:
    review.decide(Request(kind="new", case=case(2).id, key=key("NEW"), name="N", who="ada"))
    store.upsert_edges([edge("CL", "borders", "NEW", told("later"))])
    before = content(store)
    with pytest.raises(ConflictError, match="knows not"):
        review.decide(Request(kind="undo", who="ada"))
    assert content(store) == before
    assert [d.state for d in review.decisions] == ["done", "refused"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"kind": "accept", "case": "nothing"}, InputError),
        ({"kind": "accept"}, InputError),
        ({"kind": "approve", "case": "x"}, InputError),
        ({"kind": "other", "case": case(1).id, "entity": "country:XX"}, UnknownEntityError),
        ({"kind": "merge", "entity": key("PE"), "keys": [key("PE")]}, InputError),
        ({"kind": "merge", "entity": key("PE"), "keys": ["part:1"]}, ConflictError),
        ({"kind": "merge", "entity": key("PE"), "keys": "country:CL"}, InputError),
        ({"kind": "split", "entity": key("PE"), "key": key("CL"), "name": "x"}, ConflictError),
        ({"kind": "split", "entity": key("PE"), "key": "k", "name": "x", "aliases": ["y"]},
         InputError),
        ({"kind": "split", "entity": key("PE"), "key": "k", "name": "x", "edges": [["a", "b"]]},
         InputError),
        ({"kind": "undo", "undoes": 7}, InputError),
        ({"kind": "accept", "case": case(1).id, "who": ""}, InputError),
        ({"kind": "accept", "case": 7}, InputError),
        ({"kind": "accept", "case": case(1).id, "colour": "red"}, InputError),
        ({"kind": "accept", "case": case(1).id, "entity": "country:CL"}, InputError),
    ],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(
    store: Store, review: Review, values: dict[str, Any], kind: type[EngineError]
) -> None:
    before = content(store)
    with pytest.raises(kind):
        review.decide(Request.from_json({"who": "ada", **values}))
    assert content(store) == before
    assert review.decisions == ()


def test_a_decided_case_is_not_decided_again(review: Review) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    with pytest.raises(ConflictError, match="decision 1"):
        review.decide(Request(kind="reject", case=case(1).id, who="bob"))


def test_two_open_reviews_see_one_another(store: Store, review: Review, tmp_path: Path) -> None:
    other = Review(store, tmp_path / "log.jsonl")
    other.decide(Request(kind="accept", case=case(1).id, who="bob"))
    with pytest.raises(ConflictError):
        review.decide(Request(kind="reject", case=case(1).id, who="ada"))
    assert [d.request.who for d in review.decisions] == ["bob"]


def test_decisions_are_done_again_to_a_graph_built_anew(
    store: Store, review: Review, tmp_path: Path
) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    review.decide(Request(kind="reject", case=case(2).id, who="ada"))
    review.decide(Request(kind="new", case=case(3, "the country").id, key=key("N"), name="N",
                          who="ada"))  # fmt: skip
    review.decide(Request(kind="merge", entity=key("PE"), keys=(key("PE2"),), who="ada"))
    review.decide(Request(kind="accept", case=case(4, "Chile", "CL", "PE").id, who="ada"))
    review.decide(Request(kind="undo", who="ada"))
    whole = content(store)
    assert review.replay() == {"done": 0, "known": 2, "skipped": 2}
    anew = fill(MemoryStore())
    before = content(anew)
    again = Review(anew, tmp_path / "log.jsonl")
    assert again.replay() == {"done": 4, "known": 0, "skipped": 0}
    assert content(anew) == whole
    assert [d.state for d in again.decisions][:4] == ["done"] * 4
    for number in (4, 3, 2, 1):
        again.decide(Request(kind="undo", undoes=number, who="ada", id=f"u{number}"))
    assert content(anew) == before


def test_a_kill_in_a_replay_is_caught_up(
    review: Review, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    anew = fill(MemoryStore())
    shaken = Review(anew, tmp_path / "log.jsonl")
    with monkeypatch.context() as patch:
        patch.setattr(Change, "apply", dies)
        with pytest.raises(Killed):
            shaken.replay()
    again = Review(anew, tmp_path / "log.jsonl")
    assert again.has_pending
    assert again.catch_up() == 1
    assert entity(anew, "PE").aliases == ("Piruw",)
    assert again.replay() == {"done": 0, "known": 1, "skipped": 0}


class Killed(BaseException):
    """What a killed process does to the code that runs: it does not go on."""


def dies(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("place", ["before", "torn", "logged", "done"])
@pytest.mark.parametrize("number", range(len(STEPS)))
def test_a_kill_at_any_place_loses_and_doubles_nothing(
    tmp_path: Path, number: int, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = fill(MemoryStore()), fill(MemoryStore())
    steady = Review(whole, tmp_path / "whole.jsonl", now=lambda: AT)
    shaken = Review(broken, tmp_path / "broken.jsonl", now=lambda: AT)
    for earlier in range(number):
        step(steady, earlier)
        step(shaken, earlier)
    step(steady, number)
    append, apply = shaken._journal.append, Change.apply

    def torn(*entries: Any) -> None:
        if "decision" in entries[0]:
            with shaken._journal.path.open("ab") as file:
                file.write(json.dumps(entries[0]).encode()[:-9])
            raise Killed
        append(*entries)

    def marks(*entries: Any) -> None:
        append(*entries) if "number" not in entries[0] else dies()

    if place == "before":
        monkeypatch.setattr(shaken, "_planned", dies)
    elif place == "torn":
        monkeypatch.setattr(shaken._journal, "append", torn)
    elif place == "logged":
        monkeypatch.setattr(Change, "apply", dies)
    else:
        monkeypatch.setattr(shaken._journal, "append", marks)
    with pytest.raises(Killed):
        step(shaken, number)
    monkeypatch.setattr(Change, "apply", apply)
    again = Review(broken, tmp_path / "broken.jsonl", now=lambda: AT)
    assert again.catch_up() == (place in ("logged", "done"))
    step(again, number)
    assert content(broken) == content(whole)
    assert Review(None, tmp_path / "broken.jsonl").decisions == steady.decisions


def test_processes_that_are_killed_lose_and_double_nothing(
    engine_folder: Path, tmp_path: Path
) -> None:
    """One process after another goes on where the last was killed, within a decision."""
    count, rng, log = 8, random.Random(6), tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "tests.linkers.review_world"]
    arguments = [str(engine_folder), "reviewkill", str(log), str(count)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (
        open_store(engine_folder, database="reviewkill", launcher=HEAP) as store,
        subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        fill(store)
        killed = 0
        for stop in (2, 4, count):
            process.stdin.write("go\n")
            process.stdin.flush()
            child = int(process.stdout.readline().split()[1])
            said = ""
            while said.strip() not in ("end", "gone"):
                said = process.stdout.readline()
                if said.strip() == str(stop):
                    time.sleep(rng.random() * 0.03)
                    with suppress(ProcessLookupError):  # on a fast machine it may be done
                        os.kill(child, signal.SIGKILL)
            if said == "end\n":
                assert process.stdout.readline() == "gone\n"
            else:
                killed += 1
        assert killed >= 1
        assert said == "end\n"
        process.stdin.close()
        whole = fill(MemoryStore())
        steady = Review(whole, tmp_path / "whole.jsonl", now=lambda: AT)
        for number in range(count):
            step(steady, number)
        assert content(store) == content(whole)
        assert Review(None, log).decisions == steady.decisions


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"some": "thing"}\n', ForeignFileError),
        ("no json\n", ForeignFileError),
        ('{"kind": "umbra review", "format": 99}\n', FormatVersionError),
        ('{"kind": "umbra review", "format": 1}\n\xff\n', ForeignFileError),
    ],
)
def test_a_foreign_log_is_left_alone(tmp_path: Path, text: str, error: type[EngineError]) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(error):
        Review(None, path)
    assert path.read_text(encoding="latin-1") == text


def test_a_torn_last_line_does_not_count(review: Review, store: Store, tmp_path: Path) -> None:
    review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    path = tmp_path / "log.jsonl"
    with path.open("ab") as file:
        file.write(b'{"case": {"id": ')
    again = Review(store, path)
    assert [d.state for d in again.decisions] == ["done"]
    assert again.add([case(9)]) == 1
    assert len(Review(None, path).cases()) == 4


def test_the_least_certain_and_most_repeated_comes_first() -> None:
    sure, unsure = case(1, "A", "PE", nil=0.02), case(2, "B", "PE", nil=0.5)
    often = [case(10 + n, "C", "PE", nil=0.45) for n in range(4)]
    assert doubt(sure) < doubt(often[0]) < doubt(unsure) == 1
    ordered = most_useful_first([sure, unsure, *often])
    assert [c.mention.surface for c in ordered] == [*"CCCCBA"]  # type: ignore[union-attr]
    after = most_useful_first([sure, unsure, *often[1:]], [often[0]])
    assert after[0] == unsure


rows = st.builds(
    lambda aliases, population: Entity(
        key=key("PE"), label="Country", name="Peru", aliases=tuple(aliases),
        attributes={"population": population}, provenance=(told(), linked(population)),
    ),
    st.lists(st.sampled_from("abc"), unique=True),
    st.integers(0, 2),
)  # fmt: skip


@settings(max_examples=60)
@given(rows, rows, st.lists(st.sampled_from("xyz"), unique=True))
def test_a_change_and_its_inverse_leave_what_others_did(
    before: Entity, after: Entity, others: list[str]
) -> None:
    """Others add their own names: the change, done twice, and its inverse never touch them."""
    change = Change.from_json(json.loads(json.dumps(Change(entities=((before, after),)).to_json())))
    with MemoryStore() as store:
        store.upsert_entities([before])
        store.upsert_entities([replace(before, aliases=tuple(others))])
        whole = content(store)
        change.apply(store)
        done = content(store)
        assert set(entity(store, "PE").aliases) == {*after.aliases, *others}
        change.apply(store)
        assert content(store) == done
        change.inverse.apply(store)
        assert set(entity(store, "PE").aliases) == {*before.aliases, *others}
        assert sorted(whole[0][0].attributes.items()) == sorted(
            entity(store, "PE").attributes.items()
        )

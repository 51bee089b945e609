"""Duplicates inside the graph: planted ones are found, with reasons, and no others."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.errors import LimitError
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from linkers.review import Request, Review
from linkers.review import duplicates as searched
from linkers.review.duplicate_weights import HAND, PRIOR
from linkers.review.duplicates import Duplicate, find_duplicates
from linkers.review.model import pair_hash
from tests.linkers.small_world import TOLD, key, world

BASE = world()


def copied(code: str, **changes: object) -> Entity:
    found = next(entity for entity in BASE.entities if entity.key == key(code))
    return replace(found, key=key(f"{code}-copy"), **changes)  # type: ignore[arg-type]


def pairs(found: list[Duplicate]) -> list[tuple[str, str]]:
    return [(pair.stays, pair.goes) for pair in found]


def test_a_clean_graph_has_none() -> None:
    """Guinea and Guinea-Bissau share an alias, but border one another and look different."""
    assert find_duplicates((*BASE.entities, *BASE.context), BASE.edges) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "the same name 'Chile'"),
        ({"name": "CHILE", "images": ()}, "the same name 'Chile'"),
        ({"name": "Chili", "aliases": (), "images": ()}, "one is called 'chili' too"),
        ({"name": "Republic", "aliases": ("Chili",)}, "a common alias 'chili'"),
        ({"name": "Nothing alike", "aliases": ()}, "the same picture"),
    ],
)
def test_a_planted_copy_is_found_with_its_reason(changes: dict[str, object], reason: str) -> None:
    copy = copied("CL", **changes)
    facts = [
        Edge(head=copy.key, relation=e.relation, tail=e.tail, provenance=TOLD)
        for e in BASE.edges
        if e.head == key("CL")
    ]
    found = find_duplicates([*BASE.entities, copy], [*BASE.edges, *facts])
    assert pairs(found) == [(key("CL"), copy.key)]
    assert reason in [sign for sign, _ in found[0].reasons]
    assert any("neighbours in common" in sign for sign, _ in found[0].reasons)
    assert found[0].case.reason == found[0].told
    weights = sum(weight for _, weight in found[0].reasons)
    assert found[0].probability == pytest.approx(1 / (1 + 2 ** -(PRIOR + weights)), abs=1e-6)


def test_other_codes_and_labels_speak_against_it() -> None:
    rows = [replace(e, attributes={"iso": e.key}) for e in BASE.entities]
    other = copied("CL", images=(), attributes={"iso": "XX"})
    city = replace(copied("CL"), label="City")
    part = replace(
        copied("CL"), key=EntityKey("p"),
        part=ImagePart(parent=key("CL"), image="CL", box_xyxy=(0, 0, 1, 1)),
    )  # fmt: skip
    assert find_duplicates([*rows, other], []) == []
    assert find_duplicates([*rows, city, part], []) == []
    same = copied("CL", name="Tschile", aliases=(), images=(), attributes={"iso": key("CL")})
    found = {pair.goes: pair for pair in find_duplicates([*rows, same], [], least=0.1)}
    assert ("the same iso", 4.0) in found[same.key].reasons


def test_decided_pairs_are_not_found_again(tmp_path: Path) -> None:
    copy = copied("CL")
    store = MemoryStore()
    store.upsert_entities([*BASE.entities, *BASE.context, copy])
    store.upsert_edges(BASE.edges)
    review = Review(store, tmp_path / "log.jsonl")

    def search() -> list[Duplicate]:
        return find_duplicates(store.entities(), store.edges(), decided=set(review.answers))

    (found,) = search()
    assert review.add([found.case]) == 1
    review.decide(Request(kind="reject", case=found.case.id, who="ada"))
    assert search() == []
    review.decide(Request(kind="undo", who="ada"))
    assert search() == [found]
    review.decide(Request(kind="accept", case=found.case.id, who="ada"))
    assert search() == []
    assert store.entity(copy.key) is None
    review.decide(Request(kind="undo", who="ada", id="again"))
    assert store.entity(copy.key) == copy
    assert search() == [found]
    assert review.cases() == [found.case]
    kept, gone = found.case.pair or ()
    review.decide(Request(kind="merge", entity=kept, keys=(gone,), who="ada"))
    assert review.cases() == []  # the pair is one, whoever said so
    review.decide(Request(kind="undo", who="ada", id="once more"))
    assert review.cases() == [found.case]


NAMES = ("Peru", "Perú", "South Korea", "Korea, South", "Chad", "Tschad")
entities = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=2),
        st.sampled_from(["a", "b", ""]), st.sampled_from(["x", "y", "z"]),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=40)
@given(entities)
def test_blocks_lose_no_pair(rows: list[tuple[str, list[str], str, str]]) -> None:
    """Against all pairs, for signs of which each puts two entities into one block."""
    things = [
        Entity(
            key=EntityKey(f"k{n}"), label="Country", name=name, aliases=tuple(aliases),
            images=(ImageRef(sha256=picture, width=1, height=1, source="t"),) if picture else (),
            attributes={"code": code},
        )
        for n, (name, aliases, picture, code) in enumerate(rows)
    ]  # fmt: skip
    identifying = searched._identifying(things)
    wanted = set()
    for one, two in combinations(things, 2):
        weight = sum(HAND[kind] for kind, _ in searched._signs(one, two, {}, identifying))
        if 1 / (1 + 2.0 ** -(PRIOR + weight)) >= 0.5:
            wanted.add((one.key, two.key))
    assert {tuple(sorted(p)) for p in pairs(find_duplicates(things, []))} == wanted


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "MAX_PAIRS", 2)
    same = [replace(copied("CL"), key=EntityKey(f"c{n}")) for n in range(3)]
    with pytest.raises(LimitError, match="pairs"):
        find_duplicates(same, [])
    assert pair_hash(key("CL"), key("PE")) == pair_hash(key("PE"), key("CL"))

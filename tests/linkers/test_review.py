"""Decisions: what each does to graph and log, what is refused, which case comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kg.backends.memory import MemoryStore
from kg.errors import (
    ConflictError,
    EngineError,
    InputError,
    UnknownEntityError,
)
from kg.model import EntityKey
from kg.store import Store
from linkers.review import Request, Review
from linkers.review.order import doubt, most_useful_first
from tests.linkers.review_world import (
    AT,
    case,
    content,
    entity,
    fill,
    key,
    told,
)


def test_accepting_makes_an_alias_and_confirms_the_edge(store: Store, review: Review) -> None:
    decision = review.decide(Request(kind="accept", case=case(1).id, who="ada"))
    assert (decision.state, decision.meant, decision.at) == ("done", key("PE"), AT)
    peru = entity(store, "PE")
    assert peru.aliases == ("Piruw",)
    said = [r for r in peru.provenance if r.kind == "accepted"]
    assert [(r.source, r.locator, r.job, r.at, r.derived_from) for r in said] == [
        ("ada", "alias Piruw", "review", AT, ("mentions.jsonl",))
    ]
    (confirmed,) = store.edges(head=key("CL"), tail=key("PE"))
    assert {r.kind: r.derived_from for r in confirmed.provenance} == {
        "linked": (), "accepted": ("mentions.jsonl",),
    }, "what a person confirmed goes with what the mention stands in"  # fmt: skip
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


def test_the_least_certain_and_most_repeated_comes_first() -> None:
    sure, unsure = case(1, "A", "PE", nil=0.02), case(2, "B", "PE", nil=0.5)
    often = [case(10 + n, "C", "PE", nil=0.45) for n in range(4)]
    assert doubt(sure) < doubt(often[0]) < doubt(unsure) == 1
    ordered = most_useful_first([sure, unsure, *often])
    assert [c.mention.surface for c in ordered] == [*"CCCCBA"]  # type: ignore[union-attr]
    after = most_useful_first([sure, unsure, *often[1:]], [often[0]])
    assert after[0] == unsure

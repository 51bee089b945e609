"""Countries and edges made from links, for tests of decisions; also a process that decides."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kg.backends import open_store
from kg.launcher import LauncherConfig
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from kg.store import Store
from linkers.model import Candidate, Link, Mention
from linkers.review import Case, Request, Review, case_of

HEAP = LauncherConfig(idle_timeout_s=20, heap="256m")
AT = "2026-11-29T00:00:00+00:00"
NAMES = {"PE": "Peru", "CL": "Chile", "BO": "Bolivia", "PE2": "Republic of Peru"}


def key(code: str) -> EntityKey:
    return EntityKey(f"country:{code}")


def told(source: str = "countries.jsonl", **fields: object) -> Provenance:
    return Provenance(kind=fields.pop("kind", "asserted"), source=source, **fields)  # type: ignore[arg-type]


def linked(number: int) -> Provenance:
    return told("mentions.jsonl", kind="linked", locator=f"mention m{number}", probability=0.6)


def entity(store: Store, code: str) -> Entity:
    found = store.entity(key(code))
    assert found is not None
    return found


def fill(store: Store) -> Store:
    """Four countries, one of them twice; edges that two links made."""
    image = ImageRef(sha256="ab", width=9, height=6, source="flag")
    store.upsert_entities(
        Entity(
            key=key(code), label="Country", name=name, attributes={"population": len(name)},
            aliases=("Perú",) if code == "PE2" else (), images=(image,) if code == "PE2" else (),
            provenance=(told(),),
        )
        for code, name in NAMES.items()
    )  # fmt: skip
    part = ImagePart(parent=key("PE2"), image="ab", box_xyxy=(0, 0, 1, 1))
    store.upsert_entities(
        [Entity(key=EntityKey("part:1"), label="Part", name="sun", part=part, provenance=(told(),))]
    )
    store.upsert_edges(
        [
            edge("CL", "borders", "PE", linked(1)),
            edge("BO", "borders", "PE", linked(2), told()),
            edge("PE2", "borders", "BO", told()),
            edge("PE2", "borders", "PE", told()),
            edge("CL", "borders", "PE2", told("other.jsonl")),
            Edge(head=key("PE2"), relation="has_part", tail=EntityKey("part:1"),
                 provenance=(told(),)),
        ]
    )  # fmt: skip
    return store


def edge(head: str, relation: str, tail: str, *records: Provenance) -> Edge:
    return Edge(head=key(head), relation=relation, tail=key(tail), provenance=records)


def case(number: int, surface: str = "Piruw", *codes: str, nil: float = 0.2) -> Case:
    """A mention for which the first of some countries is proposed."""
    codes = codes or ("PE", "CL")
    share = (1 - nil) / len(codes)
    candidates = tuple(
        Candidate(entity=key(code), score=0, probability=share, signals={"spelling": 0.5})
        for code in codes
    )
    text = f"Ships reached {surface} in year {number}."
    start = text.index(surface)
    mention = Mention(
        id=f"m{number}", surface=surface, context=text, start=start, end=start + len(surface)
    )
    link = Link(
        mention=mention.id, state="review", entity=key(codes[0]), probability=share,
        nil_probability=nil, candidates=candidates,
    )  # fmt: skip
    return case_of(mention, link, source="mentions.jsonl")


def content(store: Store) -> tuple[list[Entity], list[Edge]]:
    """Everything in a store."""
    return list(store.entities()), list(store.edges())


STEPS = ("accept", "other", "reject", "merge", "undo", "new", "undo", "split")


def step(review: Review, number: int) -> None:
    """Make one decision of many; the same number is the same request."""
    kind = STEPS[number % len(STEPS)]
    spoken = case(number, f"Land {number}", "BO", "CL")
    who = {"who": "ada", "id": f"step-{number}"}
    review.add([spoken])
    made = key(f"N{number}")
    if kind in ("accept", "reject"):
        review.decide(Request(kind=kind, case=spoken.id, **who))  # type: ignore[arg-type]
    elif kind == "other":
        review.decide(Request(kind="other", case=spoken.id, entity=key("CL"), **who))
    elif kind == "new":
        review.decide(Request(kind="new", case=spoken.id, key=made, name=f"N {number}", **who))
    elif kind == "merge":
        review.decide(Request(kind="merge", entity=key("PE"), keys=(key("PE2"),), **who))
    elif kind == "undo":
        review.decide(Request(kind="undo", **who))
    else:
        review.decide(Request(kind="split", entity=key("BO"), key=made, name=f"S {number}", **who))


def main(folder: str, database: str, log: str, count: str) -> None:
    """Make decisions one after another and say each number when it is done."""
    with open_store(Path(folder), database=database, launcher=HEAP) as store:
        review = Review(store, Path(log), now=lambda: "2026-11-29T00:00:00+00:00")
        for number in range(int(count)):
            step(review, number)
            print(number, flush=True)


def nursery(*arguments: str) -> None:
    """For each line of input run `main` in a process of its own, whose id is printed first."""
    for _ in sys.stdin:
        child = os.fork()  # nothing is imported twice
        if child == 0:
            print("pid", os.getpid(), flush=True)
            main(*arguments)
            print("end", flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    nursery(*sys.argv[1:])

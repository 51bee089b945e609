from __future__ import annotations

import numpy as np
import pytest

from kg.errors import ConstraintError
from kg.model import Edge, EntityKey
from kg.provenance import Provenance
from kg.store import Store
from kg.upkeep.undo import Undo, undo
from scenes.graph import scene_to_graph, write_scenes
from scenes.masks import decode_rle
from scenes.model import Region, Relation, Scene
from scenes.records import SeenImage
from tests.scenes.two_countries import JP, TR, content


def region(label: str | None, probability: float, column: int, colour: str = "white") -> Region:
    mask = np.zeros((4, 30), bool)
    mask[:, column : column + 5] = True
    return Region(
        box_xyxy=(float(column), 0.0, float(column + 5), 4.0),
        mask=mask,
        colour=colour,
        rgb=(255, 255, 255),
        label=label,
        label_probability=probability,
    )


def scene(label: str = "crescent") -> Scene:
    regions = (region("field", 0.97, 0, "red"), region(label, 0.93, 10), region(label, 0.6, 20))
    relations = (
        Relation(subject=1, predicate="inside", object=0, probability=1.0, exact=True),
        Relation(subject=1, predicate="left_of", object=2, probability=0.8, exact=False),
    )
    return Scene(width=30, height=4, regions=regions, relations=relations)


def test_parts_shapes_and_edges_carry_their_records() -> None:
    entities, edges = scene_to_graph(
        scene(), parent=TR, image_sha="ab", job="scenes-1", model="scenes-x"
    )
    by_key = {entity.key: entity for entity in entities}
    assert set(by_key) == {
        "shape:crescent",
        "shape:field",
        "part:country:TR/0",
        "part:country:TR/1",
        "part:country:TR/2",
    }
    crescent = by_key[EntityKey("part:country:TR/1")]
    assert (crescent.name, crescent.label) == ("white crescent", "Part")
    assert crescent.part is not None
    assert crescent.part.parent == TR
    assert crescent.part.mask_rle is not None
    assert np.array_equal(decode_rle(crescent.part.mask_rle), scene().regions[1].mask)
    assert crescent.attributes["colour"] == "white"
    assert crescent.attributes["area_share"] == pytest.approx(20 / 120, abs=1e-6)

    found = {edge.key: edge for edge in edges}
    depicts = found[TR, "depicts", EntityKey("shape:crescent")]
    assert [record.probability for record in depicts.provenance] == [0.93, 0.6]
    record = depicts.provenance[0]
    assert record.derived_from == ("part:country:TR/1 has_label shape:crescent",)
    assert (record.kind, record.source, record.job, record.model) == (
        "generated",
        "ab",
        "scenes-1",
        "scenes-x",
    )
    assert record.locator == "box 10,0,15,4"
    label = found[crescent.key, "has_label", EntityKey("shape:crescent")]
    assert label.provenance[0].probability == 0.93
    assert (TR, "has_part", crescent.key) in found
    left = found[crescent.key, "left_of", EntityKey("part:country:TR/2")]
    assert (left.provenance[0].probability, left.attributes["exact"]) == (0.8, False)


def test_what_is_depicted_goes_with_the_last_part_that_says_so(store: Store) -> None:
    entities, edges = scene_to_graph(
        scene(), parent=TR, image_sha="ab", job="scenes-1", model="scenes-x"
    )
    store.upsert_entities(entities)
    store.upsert_edges(edges)
    crescent = EntityKey("shape:crescent")

    def depicted() -> list[float]:
        found = store.edges(head=TR, relation="depicts", tail=crescent)
        return [record.probability for edge in found for record in edge.provenance]

    undo(store, Undo(edge=(EntityKey("part:country:TR/1"), "has_label", crescent)))
    assert depicted() == [0.6]
    undo(store, Undo(edge=(EntityKey("part:country:TR/2"), "has_label", crescent)))
    assert depicted() == []
    assert list(store.edges(head=TR, relation="depicts", tail=EntityKey("shape:field")))


def test_small_parts_without_a_label_are_not_written() -> None:
    mask = np.zeros((100, 100), bool)
    mask[0, 0] = True
    dot = Region(box_xyxy=(0, 0, 1, 1), mask=mask, colour="red", rgb=(255, 0, 0))
    entities, edges = scene_to_graph(
        Scene(width=100, height=100, regions=(dot,)),
        parent=TR,
        image_sha="ab",
        job=None,
        model="scenes-x",
    )
    assert (entities, edges) == ([], [])


def test_writing_again_changes_nothing(store: Store) -> None:
    seen = [SeenImage(parent=TR, image="ab", scene=scene())]
    report = write_scenes(store, seen, job="j1", model="scenes-1")
    assert (report.images, report.parts, report.withdrawn) == (1, 3, 0)
    before = content(store)
    assert write_scenes(store, seen, job="j1", model="scenes-1").withdrawn == 0
    assert content(store) == before


def test_what_rests_on_the_same_seen_again_stays_and_the_rest_goes(store: Store) -> None:
    write_scenes(
        store, [SeenImage(parent=TR, image="ab", scene=scene())], job="j1", model="scenes-1"
    )
    labels = list(store.edges(relation="has_label"))
    store.upsert_edges(
        Edge(
            head=JP, relation=f"says_{number}", tail=TR,
            provenance=(Provenance(kind="linked", source="x", derived_from=(" ".join(one.key),)),),
        )
        for number, one in enumerate(labels)
    )  # fmt: skip
    newer = [SeenImage(parent=TR, image="ab", scene=scene("disc"))]
    write_scenes(store, newer, job="j2", model="scenes-2")
    again = {edge.key for edge in store.edges(relation="has_label")}
    stays = {f"says_{number}" for number, one in enumerate(labels) if one.key in again}
    assert {edge.relation for edge in store.edges(head=JP, tail=TR)} == stays
    assert 0 < len(stays) < len(labels)


def test_a_newer_model_replaces_its_own_output_and_nobody_elses(store: Store) -> None:
    seen = [SeenImage(parent=k, image=i, scene=scene()) for k, i in ((TR, "ab"), (JP, "cd"))]
    write_scenes(store, seen, job="j1", model="scenes-1")
    accepted = Edge(
        head=TR,
        relation="depicts",
        tail=EntityKey("shape:crescent"),
        provenance=(Provenance(kind="accepted", source="Ada"),),
    )
    other = Edge(
        head=TR,
        relation="resembles",
        tail=JP,
        provenance=(Provenance(kind="generated", source="ab", model="pixels-1"),),
    )
    store.upsert_edges([accepted, other])

    report = write_scenes(
        store, [SeenImage(parent=TR, image="ab", scene=scene("disc"))], job="j2", model="scenes-2"
    )
    assert report.withdrawn > 0
    tails = {edge.tail for edge in store.edges(head=TR, relation="depicts")}
    assert tails == {"shape:crescent", "shape:disc", "shape:field"}
    (kept,) = store.edges(head=TR, relation="depicts", tail=EntityKey("shape:crescent"))
    assert [record.kind for record in kept.provenance] == ["accepted"]
    assert list(store.edges(relation="resembles"))
    part = store.entity(EntityKey("part:country:TR/1"))
    assert part is not None
    assert part.name == "white disc"
    models = {
        record.model
        for edge in store.edges(head=TR, relation="has_part")
        for record in edge.provenance
    }
    assert models == {"scenes-2"}
    untouched = {
        record.model
        for edge in store.edges(head=JP, relation="has_part")
        for record in edge.provenance
    }
    assert untouched == {"scenes-1"}


def test_parts_that_a_newer_model_no_longer_sees_are_gone(store: Store) -> None:
    write_scenes(
        store, [SeenImage(parent=TR, image="ab", scene=scene())], job="j1", model="scenes-1"
    )
    smaller = Scene(width=30, height=4, regions=scene().regions[:1])
    write_scenes(
        store, [SeenImage(parent=TR, image="ab", scene=smaller)], job="j2", model="scenes-2"
    )
    assert [entity.key for entity in store.entities("Part")] == ["part:country:TR/0"]
    assert not list(store.edges(relation="left_of"))


def test_nothing_is_written_where_a_parent_is_missing(store: Store) -> None:
    before = content(store)
    seen = [
        SeenImage(parent=TR, image="ab", scene=scene()),
        SeenImage(parent=EntityKey("country:XX"), image="ef", scene=scene()),
    ]
    with pytest.raises(ConstraintError):
        write_scenes(store, seen, job="j1", model="scenes-1")
    assert content(store) == before

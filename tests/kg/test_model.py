"""Entities and edges as values."""

import dataclasses

import pytest

from kg.errors import InputError
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef


@pytest.mark.parametrize("field", ["key", "label", "name"])
@pytest.mark.parametrize("value", ["", "  ", None, 3])
def test_an_entity_needs_its_identity(field, value):
    fields = {"key": "a", "label": "Thing", "name": "A"} | {field: value}
    with pytest.raises(InputError, match=f"an entity needs a {field}"):
        Entity(**fields)


def test_values_are_frozen_and_compare_by_content():
    entity = Entity(key=EntityKey("a"), label="Thing", name="A", attributes={"n": 1})
    assert entity == Entity(key=EntityKey("a"), label="Thing", name="A", attributes={"n": 1})
    assert entity != dataclasses.replace(entity, aliases=("Á",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        entity.name = "B"


def test_the_default_attributes_cannot_be_written():
    with pytest.raises(TypeError):
        Entity(key=EntityKey("a"), label="Thing", name="A").attributes["n"] = 1


def test_an_edge_is_known_by_head_relation_and_tail():
    edge = Edge(head=EntityKey("a"), relation="knows", tail=EntityKey("b"), attributes={"n": 1})
    assert edge.key == ("a", "knows", "b")
    assert dataclasses.replace(edge, attributes={}).key == edge.key


def test_a_part_has_a_box_in_an_image():
    part = ImagePart(parent=EntityKey("a"), image="0" * 64, box_xyxy=(0, 0, 2, 1))
    image = ImageRef(sha256="0" * 64, width=2, height=1, source="a.png")
    entity = Entity(key=EntityKey("p"), label="Part", name="p", part=part, images=(image,))
    assert entity.part.parent == "a"
    assert (entity.part.confidence, entity.part.colour) == (1.0, None)

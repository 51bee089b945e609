"""`umbra scenes run --detector`: photographs without boxes become parts in the graph."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.engine import Engine
from api.steps.scenes import SceneJob, run_scenes
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import ConflictError, SettingError
from kg.model import Edge, Entity, EntityKey, ImagePart
from kg.provenance import Provenance
from tests.scenes.tiny_detector import save_tiny_detector

PARENT, PART = EntityKey("image:1"), EntityKey("part:image:1/0")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = Engine(Workspace(tmp_path / "graph"), store=MemoryStore())
    pixels = np.random.default_rng(0).integers(0, 255, (24, 40, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    image = engine.images.add(file.getvalue(), source="1.png")
    with engine.store.transaction() as writer:
        writer.upsert_entities([Entity(key=PARENT, label="Image", name="1", images=(image,))])
    return engine


def test_a_detector_takes_the_place_of_a_scene_model(engine: Engine, tmp_path: Path) -> None:
    names = {0: "person", 1: "horse", 2: "dog"}
    (tmp_path / "yolos").mkdir()
    job = SceneJob(label="Image", detector=str(save_tiny_detector(tmp_path / "yolos", names)))
    found = run_scenes(engine, job)
    edges = list(engine.store.edges(relation="has_label"))
    assert found["images"] == 1
    assert len(edges) == found["parts"]
    for edge in edges:
        (record,) = edge.provenance
        assert edge.tail in {f"class:{name}" for name in names.values()}
        assert (record.kind, record.model) == ("generated", found["model"])
        assert record.probability is not None
        assert record.probability >= 0.5
    assert run_scenes(engine, job) == found
    with pytest.raises(SettingError, match="learns nothing from descriptions"):
        SceneJob(detector="yolos", descriptions=tmp_path / "said.jsonl")


def test_flat_images_need_neither_texts_nor_weights(engine: Engine) -> None:
    pixels = np.zeros((24, 40, 3), dtype=np.uint8)
    pixels[8:16, 10:30] = (206, 17, 38)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    logo = Entity(
        key=EntityKey("logo:1"),
        label="Logo",
        name="1",
        images=(engine.images.add(file.getvalue()),),
    )
    with engine.store.transaction() as writer:
        writer.upsert_entities([logo])
    found = run_scenes(engine, SceneJob(label="Logo", detector="flat"))
    parts = [one for one in engine.store.entities("Part") if one.part is not None]
    assert {(p.name, p.part.box_xyxy) for p in parts if p.part} == {
        ("red part", (10.0, 8.0, 30.0, 16.0)),
        ("black part", (0.0, 0.0, 40.0, 24.0)),
    }
    between = [edge for part in parts for edge in engine.store.edges(head=part.key)]
    assert {(edge.relation, edge.attributes["exact"]) for edge in between} == {
        ("inside", True),
        ("surrounds", True),
    }
    assert found["parts"] == 2
    assert not list(engine.store.edges(relation="has_label"))


def test_annotated_objects_are_not_written_over(engine: Engine, tmp_path: Path) -> None:
    said = (Provenance(kind="asserted", source="vrd.jsonl"),)
    sha256 = engine.store.entity(PARENT).images[0].sha256  # type: ignore[union-attr]
    box = ImagePart(parent=PARENT, image=sha256, box_xyxy=(1.0, 1.0, 9.0, 9.0))
    horse = Entity(key=PART, label="Part", name="horse", part=box, provenance=said)
    with engine.store.transaction() as writer:
        writer.upsert_entities([horse])
        writer.upsert_edges([Edge(head=PARENT, relation="has_part", tail=PART, provenance=said)])
    before = engine.store.version
    (tmp_path / "yolos").mkdir()
    name = str(save_tiny_detector(tmp_path / "yolos", {0: "person", 1: "horse", 2: "dog"}))
    with pytest.raises(ConflictError, match="no scene model wrote"):
        run_scenes(engine, SceneJob(label="Image", detector=name))
    assert engine.store.version == before
    assert engine.store.entity(PART) == horse

"""Vectors of parts: like parts are found, cones may take them in, and they are made once."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.engine import Engine
from api.settings import Settings
from api.steps.part_vectors import part_vectors, similar_parts
from api.steps.scenes import SceneJob, run_scenes
from api.steps.snapshot import freeze
from api.steps.train import part_features
from api.workspace import Workspace
from encoders import TinyImageEncoder
from kg.backends.memory import MemoryStore
from kg.errors import InputError, SettingError, UnknownEntityError
from kg.model import Entity, EntityKey

COLOURS = {"a": (200, 0, 0), "b": (210, 10, 0), "c": (0, 0, 220), "d": (0, 10, 210)}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Four white logos, each with a square in the upper left: two are red, two blue."""
    engine = Engine(
        Workspace(tmp_path / "graph"),
        settings=Settings(image_encoder="tiny", part_vectors=True),
        store=MemoryStore(),
    )
    logos = []
    for name, colour in COLOURS.items():
        pixels = np.full((64, 64, 3), 255, dtype=np.uint8)
        pixels[8:40, 8:40] = colour
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        image = engine.images.add(file.getvalue())
        logos.append(
            Entity(key=EntityKey(f"logo:{name}"), label="Logo", name=name, images=(image,))
        )
    with engine.store.transaction() as writer:
        writer.upsert_entities(logos)
    run_scenes(engine, SceneJob(label="Logo", detector="flat"))
    return engine


def square_of(engine: Engine, name: str) -> str:
    parts = (one for one in engine.store.entities("Part") if f"logo:{name}/" in one.key)
    return next(one.key for one in parts if "white" not in one.name)


def test_the_part_that_looks_most_like_one_comes_first(engine: Engine) -> None:
    for one, other in (("a", "b"), ("c", "d"), ("d", "c")):
        found = similar_parts(engine, square_of(engine, one), most=3)
        assert found[0][0].key == square_of(engine, other)
        cosines = [cosine for _, cosine in found]
        assert cosines == sorted(cosines, reverse=True)
        assert square_of(engine, one) not in {part.key for part, _ in found}
    with pytest.raises(SettingError):
        similar_parts(engine, square_of(engine, "a"), most=0)
    with pytest.raises(UnknownEntityError):
        similar_parts(engine, "part:logo:z/0")
    with pytest.raises(InputError, match="no part of a picture"):
        similar_parts(engine, "logo:a")


def test_vectors_are_kept_until_parts_change(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [one for one in engine.store.entities("Part") if one.part is not None]
    found = part_vectors(engine, parts)
    lengths = np.linalg.norm(found, axis=1)
    assert found.shape == (8, TinyImageEncoder().dimension)
    assert lengths == pytest.approx(1.0, abs=1e-5)
    asked: list[int] = []
    encode = TinyImageEncoder.encode
    monkeypatch.setattr(
        TinyImageEncoder, "encode", lambda self, images: asked.append(1) or encode(self, images)
    )
    assert np.array_equal(part_vectors(engine, parts), found)
    assert not asked
    assert np.array_equal(part_vectors(engine, parts[::-1]), found[::-1])
    assert asked
    kept = engine.workspace.indexes / "parts" / "vectors.json"
    kept.write_text(json.dumps({"format": 1}))
    assert np.array_equal(part_vectors(engine, parts), found)


def test_cones_get_the_vectors_where_the_setting_says_so(engine: Engine) -> None:
    freeze(engine)
    features = part_features(engine)
    assert features is not None
    assert features.regions is not None
    assert features.regions.shape == (len(features.ids), TinyImageEncoder().dimension)
    plain = Engine(engine.workspace, settings=Settings(), store=engine.store)
    without = part_features(plain)
    assert without is not None
    assert without.regions is None

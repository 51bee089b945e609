"""A tiny random detector from a directory: its boxes, scores and labels as parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from kg.backends.memory import MemoryStore
from kg.errors import ImageError, MissingPartError, SettingError
from kg.model import Entity, EntityKey
from scenes.detector import DetectedScenes, TransformersDetector
from scenes.graph import write_scenes
from scenes.records import SeenImage
from tests.scenes.tiny_detector import save_tiny_detector

NAMES = {0: "person", 1: "horse", 2: "star"}
PICTURE = np.random.default_rng(0).integers(0, 255, (24, 40, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_detector(tmp_path_factory.mktemp("yolos"), NAMES)


def test_parts_are_the_boxes_that_the_model_finds(folder: Path) -> None:
    square = np.tile(PICTURE[:, :24], (2, 2, 1))[:32, :32]  # as large as the model reads
    model = transformers.YolosForObjectDetection.from_pretrained(folder).eval()
    with torch.inference_mode():
        found = model(pixel_values=torch.tensor(square / 255.0).float().permute(2, 0, 1)[None])
    chances, boxes = found.logits[0].softmax(-1)[:, :3], found.pred_boxes[0]
    wanted = []
    for row in range(5):
        x, y, wide, high = (32 * boxes[row]).tolist()
        label = int(chances[row].argmax())
        corners = np.clip([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2], 0, 32)
        wanted.append((NAMES[label], float(chances[row, label]), corners))
    regions = TransformersDetector(str(folder), least=0.0).detect(square)
    assert len(regions) == 5
    assert [r.area for r in regions] == sorted((r.area for r in regions), reverse=True)
    for region in regions:
        left, top, right, bottom = map(int, region.box_xyxy)
        assert region.mask[top:bottom, left:right].all()
        assert region.area == (right - left) * (bottom - top)
        near = [
            one for one in wanted if one[0] == region.label
            and one[1] == pytest.approx(region.label_probability, abs=1e-4)
        ]  # fmt: skip
        assert any(np.abs(corners - region.box_xyxy).max() <= 1.01 for _, _, corners in near)
    sure = sorted(chance for _, chance, _ in wanted)
    some = TransformersDetector(str(folder), least=(sure[1] + sure[2]) / 2).detect(square)
    assert len(some) == 3
    assert len(TransformersDetector(str(folder), least=0.0, most_parts=2).detect(square)) == 2


def test_detected_parts_land_in_the_graph_with_the_models_version(folder: Path) -> None:
    model = DetectedScenes(TransformersDetector(str(folder), least=0.0))
    (scene,) = model.parse_all([PICTURE])
    assert (scene.width, scene.height) == (40, 24)
    store, parent = MemoryStore(), EntityKey("image:1")
    with store.transaction() as writer:
        writer.upsert_entities([Entity(key=parent, label="Image", name="1")])
    seen = [SeenImage(parent=parent, image="ab", scene=scene)]
    assert write_scenes(store, seen, job=None, model=model.version).parts == 5
    tails = {edge.tail for edge in store.edges(relation="has_label")}
    keys = {"person": "class:person", "horse": "class:horse", "star": "shape:star"}
    assert tails == {keys[region.label or ""] for region in scene.regions}
    again = DetectedScenes(TransformersDetector(str(folder), least=1.0))
    assert again.version != model.version
    seen = [SeenImage(parent=parent, image="ab", scene=next(again.parse_all([PICTURE])))]
    assert write_scenes(store, seen, job=None, model=again.version).withdrawn > 0
    assert not list(store.edges(relation="has_part"))


def test_bad_pictures_settings_and_folders_are_named(folder: Path, tmp_path: Path) -> None:
    detector = TransformersDetector(str(folder))
    with pytest.raises(ImageError, match="pixels, at most"):
        detector.detect(np.zeros((8000, 2001, 3), dtype=np.uint8))
    with pytest.raises(ImageError, match="uint8"):
        detector.detect(np.zeros((4, 4), dtype=np.uint8))
    with pytest.raises(SettingError, match="score in"):
        TransformersDetector(str(folder), least=2.0)
    with pytest.raises(MissingPartError, match="cannot load"):
        TransformersDetector(str(tmp_path))

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kg.errors import InputError
from scenes.look import draw_png, draw_svg
from scenes.model import Scene
from scenes.pipeline import SceneModel
from tests.scenes.drawing import crescent_and_star

SVG = "{http://www.w3.org/2000/svg}"


def test_the_svg_holds_image_outline_box_and_label_of_each_part(model: SceneModel) -> None:
    picture = crescent_and_star()
    scene = model.parse(picture)
    root = ET.fromstring(draw_svg(picture, scene, parts=(1, 2), relations=True))  # noqa: S314
    assert root.get("viewBox") == "0 0 240 160"
    assert len(root.findall(f"{SVG}g/{SVG}path")) == 2
    assert len(root.findall(f"{SVG}g/{SVG}rect")) == 2
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert any(text.startswith("crescent") for text in texts)
    (image,) = root.findall(f"{SVG}image")
    assert (image.get("href") or "").startswith("data:image/png;base64,")


def test_labels_are_escaped(model: SceneModel) -> None:
    picture = crescent_and_star()
    scene = model.parse(picture)
    evil = replace(scene.regions[1], label='<script>alert("x")</script>')
    changed = Scene(width=240, height=160, regions=(scene.regions[0], evil, scene.regions[2]))
    text = draw_svg(picture, changed, parts=(1,))
    assert "<script" not in text
    assert ET.fromstring(text) is not None  # noqa: S314


def test_the_png_has_the_image_size_and_only_parts_are_tinted(model: SceneModel) -> None:
    picture = crescent_and_star()
    scene = model.parse(picture)
    drawn = np.asarray(Image.open(io.BytesIO(draw_png(picture, scene, parts=(2,)))).convert("RGB"))
    assert drawn.shape == picture.shape
    star = scene.regions[2].mask
    assert (drawn[star] != picture[star]).any(axis=1).mean() > 0.9
    assert np.array_equal(drawn[120:, :60], picture[120:, :60])


def test_another_image_and_a_part_that_is_not_there_are_refused(model: SceneModel) -> None:
    picture = crescent_and_star()
    scene = model.parse(picture)
    with pytest.raises(InputError, match="scene of"):
        draw_svg(picture[:-1], scene)
    with pytest.raises(InputError, match="no part 99"):
        draw_png(picture, scene, parts=(99,))

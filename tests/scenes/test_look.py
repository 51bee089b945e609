from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from kg.errors import InputError
from scenes.look import INKS, draw_png, draw_svg, tinted
from scenes.model import Scene
from scenes.pipeline import SceneModel
from scenes.sheet import Tile, sheet_png, sheet_svg
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


def tiles(count: int) -> list[Tile]:
    picture = np.full((40, 80, 3), (255, 255, 0), dtype=np.uint8)
    return [
        Tile(
            title=f"<{number}>",
            image=picture,
            boxes=[(0, 0, 40, 40), (40, 0, 80, 40)],
            labels=["sun & moon", "star"],
            relations=[(0, "left_of", 1), (0, "beside", 1)],
        )
        for number in range(count)
    ]


def test_a_sheet_of_many_holds_every_box_label_and_predicate_escaped() -> None:
    root = ET.fromstring(sheet_svg(tiles(5), columns=2, side=80))  # noqa: S314
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert [text for text in texts if text and text.startswith("<")] == [f"<{n}>" for n in range(5)]
    assert texts.count("sun & moon") == texts.count("left_of, beside") == 5
    boxes = [one.attrib for one in root.iter(f"{SVG}rect") if one.attrib["fill"] == "none"]
    assert len(boxes) == 10
    assert {float(box["width"]) for box in boxes} == {40}


def test_a_sheet_in_pixels_shows_the_pictures_where_they_belong() -> None:
    sheet = np.asarray(Image.open(io.BytesIO(sheet_png(tiles(3), columns=2, side=80))))
    yellow = (sheet == (255, 255, 0)).all(axis=2)
    columns = np.flatnonzero(yellow.any(axis=0))
    assert (columns[0] // 10, columns[-1] // 10) == (1, 18)  # two of 80 pixels with gaps of 12
    assert yellow[:100, 104:].any()
    assert not yellow[110:, 104:].any()  # the third stands alone in the second row


@pytest.mark.parametrize(("count", "columns", "side"), [(0, 1, 80), (1, 0, 80), (1, 1, 9)])
def test_a_sheet_out_of_range_is_refused(count: int, columns: int, side: int) -> None:
    with pytest.raises(InputError):
        sheet_svg(tiles(count), columns=columns, side=side)


def test_masks_on_a_sheet_are_drawn_as_on_one_picture() -> None:
    (plain,) = tiles(1)
    mask = np.zeros((40, 80), dtype=bool)
    mask[10:30, 50:70] = True
    tile = replace(plain, masks=[None, mask], relations=[])
    root = ET.fromstring(sheet_svg([tile], side=160))  # noqa: S314
    (path,) = root.iter(f"{SVG}path")
    assert (path.get("d"), path.get("fill")) == ("M100 20H140V60H100Z", INKS[1])
    sheet = np.asarray(Image.open(io.BytesIO(sheet_png([tile], side=160))))
    tint = tinted(plain.image, [(mask, INKS[1])])[20, 60]
    assert (sheet == tint).all(axis=2).sum() >= 40 * 40 - 2 * 40
    with pytest.raises(InputError, match="1 masks for 2 boxes"):
        sheet_svg([replace(plain, masks=[mask])])
    with pytest.raises(InputError, match="a mask of"):
        sheet_svg([replace(plain, masks=[None, mask[1:]])])

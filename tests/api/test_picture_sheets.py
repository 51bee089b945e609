"""Many pictures on one sheet over REST."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.routes.examples import SHEETS
from tests.api.test_guard import problem

SVG = "{http://www.w3.org/2000/svg}"
SHEET = "/v1/images/sheet"


def drawing(client: TestClient, **asked: object) -> ET.Element:
    response = client.get(SHEET, params=asked)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    return ET.fromstring(response.text)  # noqa: S314


def titles(root: ET.Element) -> list[str]:
    return (root.findtext(f"{SVG}title") or "").split(", ")


def test_a_sheet_shows_what_was_found_with_mask_box_and_label(client: TestClient) -> None:
    root = drawing(client, key=SHEETS["two"]["value"], side=60)
    assert titles(root) == ["Turkey", "Azerbaijan"]
    assert len(root.findall(f"{SVG}image")) == 2
    assert [one.text for one in root.iter(f"{SVG}text")].count("white crescent") == 2
    boxes = [one for one in root.iter(f"{SVG}rect") if one.get("fill") == "none"]
    assert [float(box.attrib["width"]) for box in boxes] == [24, 24]
    (mask,) = root.iter(f"{SVG}path")  # only Turkey's part has one
    assert mask.attrib["fill"] == boxes[0].attrib["stroke"]


def test_a_small_sheet_has_boxes_and_masks_where_the_small_pictures_are(client: TestClient) -> None:
    root = drawing(client, key="country:TR", side=32)
    (image,), (box,) = (
        root.findall(f"{SVG}image"),
        [one for one in root.iter(f"{SVG}rect") if one.get("fill") == "none"],
    )
    assert (image.get("width"), image.get("height")) == ("32", "21")
    assert float(box.attrib["x"]) - float(image.attrib["x"]) == pytest.approx(14 * 32 / 60, abs=0.1)
    assert len(list(root.iter(f"{SVG}path"))) == 1


def test_labels_choose_and_the_number_is_limited(client: TestClient) -> None:
    every = titles(drawing(client))
    assert len(every) > 2
    assert titles(drawing(client, label=["Country", "Nothing"])) == every
    assert titles(drawing(client, label="Country", most=2)) == every[:2]
    problem(client.get(SHEET, params={"label": "Language"}), "unknown-image", 404)


def test_the_sheet_comes_as_png_too(client: TestClient) -> None:
    asked = {"key": SHEETS["two"]["value"], "format": "png", "columns": 1, "side": 60}
    response = client.get(SHEET, params=asked)
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as sheet:
        assert sheet.size == (84, 192)
        ground = sheet.convert("RGB").getpixel((13, 69))
    assert ground[0] > 150 > max(ground[1:])  # type: ignore[index, arg-type]


@pytest.mark.parametrize(
    ("asked", "slug", "status"),
    [
        ({"key": "country:XX"}, "unknown-entity", 404),
        ({"key": "language:ara"}, "unknown-image", 404),
        ({"key": "country:TR", "label": "Country"}, "input-error", 400),
        ({"most": "101"}, "invalid-request", 422),
        ({"most": "0"}, "invalid-request", 422),
        ({"side": "513"}, "invalid-request", 422),
        ({"columns": "21"}, "invalid-request", 422),
        ({"format": "gif"}, "invalid-request", 422),
        ({"key": "x" * 2001}, "invalid-request", 422),
    ],
)
def test_what_cannot_be_drawn_is_told(
    client: TestClient, asked: dict[str, str], slug: str, status: int
) -> None:
    problem(client.get(SHEET, params=asked), slug, status)

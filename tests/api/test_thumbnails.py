"""Small copies of pictures over REST."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.thumbnails import thumbnail
from kg.errors import ImageError
from tests.api.test_guard import problem


@pytest.fixture
def address(client: TestClient) -> str:
    sha = client.get("/v1/entities/country:TR").json()["images"][0]["sha256"]
    return f"/v1/images/{sha}"


def test_a_picture_comes_as_small_as_it_is_asked_for(client: TestClient, address: str) -> None:
    response = client.get(address, params={"side": 30})
    assert response.headers["content-type"] == "image/png"
    assert "immutable" in response.headers["cache-control"]
    with Image.open(io.BytesIO(response.content)) as small:
        assert small.size == (30, 20)  # of 60 x 40
        red, green, blue = small.convert("RGB").getpixel((1, 1))  # type: ignore[misc]
    assert red > 150 > max(green, blue)  # the flag's ground
    with Image.open(io.BytesIO(client.get(address, params={"side": 1024}).content)) as same:
        assert same.size == (60, 40)  # never enlarged
    tags = {client.get(address, params={"side": side}).headers["etag"] for side in (30, 40)}
    assert len(tags | {client.get(address).headers["etag"]}) == 3


@pytest.mark.parametrize("side", [None, 30])
def test_who_has_a_picture_is_not_sent_it_again(
    client: TestClient, address: str, side: int | None
) -> None:
    asked = {} if side is None else {"side": side}
    tag = client.get(address, params=asked).headers["etag"]
    same = client.get(address, params=asked, headers={"If-None-Match": f'"other", {tag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    other = client.get(address, params={"side": 31}, headers={"If-None-Match": tag})
    assert other.status_code == 200


@pytest.mark.parametrize("side", ["0", "15", "1025", "-1", "x"])
def test_no_other_size_is_made(client: TestClient, address: str, side: str) -> None:
    problem(client.get(address, params={"side": side}), "invalid-request", 422)


def test_an_outline_has_any_size(client: TestClient, address: str) -> None:
    both = client.get(address, params={"side": "30", "part": "part:country:TR/0"})
    problem(both, "input-error", 400)


def test_what_is_clear_becomes_white_and_thin_lines_stay() -> None:
    drawn = Image.new("RGBA", (400, 10), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (0, 4, 400, 6))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    with Image.open(io.BytesIO(thumbnail(file.getvalue(), 200))) as small:
        assert small.size == (200, 5)
        low, high = small.convert("L").getextrema()
    assert (low < 80, high) == (True, 255)


def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(ImageError):
        thumbnail(b"no picture", 100)

"""The image folder: what gets in, what is refused and why."""

import hashlib
import io
import os
import struct
import zlib

import pytest
from PIL import Image

from kg.errors import ImageError
from kg.images import FORMATS, ImageFolder


def encoded(kind: str = "PNG", size: tuple[int, int] = (4, 3), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, "red").save(file, kind)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path) -> ImageFolder:
    return ImageFolder(tmp_path / "images")


def kept(folder: ImageFolder) -> list[str]:
    return sorted(path.name for path in folder.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_is_kept_under_the_hash_of_its_bytes(folder, kind):
    content = encoded(kind)
    added = folder.add(content, source="a picture")
    assert added.sha256 == hashlib.sha256(content).hexdigest()
    assert (added.width, added.height, added.source) == (4, 3, "a picture")
    assert folder.path(added.sha256).read_bytes() == content
    assert kept(folder) == [added.sha256]


def test_adding_twice_changes_nothing(folder, tmp_path):
    file = tmp_path / "red.png"
    file.write_bytes(encoded())
    first, second = folder.add(file), folder.add(file)
    assert first == second
    assert first.source == "red.png"
    assert len(kept(folder)) == 1


def test_the_first_picture_of_an_animation_counts(folder):
    file = io.BytesIO()
    first, second = (Image.new("RGB", (4, 3), colour) for colour in ("red", "blue"))
    first.save(file, "GIF", save_all=True, append_images=[second])
    added = folder.add(file.getvalue())
    assert folder.open(added.sha256).getpixel((0, 0)) == (255, 0, 0)


def test_what_is_see_through_is_white(folder):
    file = io.BytesIO()
    Image.new("RGBA", (2, 1), (255, 0, 0, 0)).save(file, "PNG")
    assert folder.open(folder.add(file.getvalue()).sha256).getpixel((0, 0)) == (255, 255, 255)


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def noise() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((100, 100), 90).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an image of"),
        (b"GIF89a", "not an image of|broken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of"),
        (encoded("BMP"), "not an image of"),
        (noise()[:5000], "broken"),
        (encoded("JPEG", (64, 64))[:300], "broken|not an image of"),
        (encoded().replace(b"IDAT", b"IDXT"), "not an image of"),
        (bomb(100_000, 100_000), "more than 50,000,000 pixels"),
        (bomb(100, 100), "broken"),
        (bomb(9_000, 9_000), "9000 x 9000 pixels, more than"),
    ],
    ids=range(10),
)
def test_a_bad_picture_is_refused_with_its_reason_and_nothing_is_kept(folder, content, reason):
    with pytest.raises(ImageError, match=reason) as caught:
        folder.add(content, source="bad")
    assert caught.value.where == "bad"
    assert kept(folder) == []


def test_files_that_cannot_be_read_are_refused(folder, tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        folder.add(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match="not a file"):
        folder.add(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageError, match="not a file"):
        folder.add(tmp_path / "pipe")
    with pytest.raises(ImageError, match="not readable"):
        folder.add(tmp_path / ("x" * 300))


def test_limits_are_those_that_were_set(tmp_path):
    content = encoded(size=(10, 10))
    assert ImageFolder(tmp_path, max_pixels=100, max_bytes=len(content)).add(content).width == 10
    with pytest.raises(ImageError, match="10 x 10 pixels, more than 99"):
        ImageFolder(tmp_path, max_pixels=99).add(content)
    small = ImageFolder(tmp_path, max_bytes=len(content) - 1)
    with pytest.raises(ImageError, match="larger than"):
        small.add(content)
    file = tmp_path / "a.png"
    file.write_bytes(content)
    with pytest.raises(ImageError, match="larger than"):
        small.add(file)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "/" * 64])
def test_only_a_hash_names_an_image(folder, name):
    with pytest.raises(ImageError, match="not the hash of an image"):
        folder.path(name)


def test_an_image_that_is_gone_or_was_changed_is_not_opened(folder):
    with pytest.raises(ImageError, match="no such file"):
        folder.open("0" * 64)
    added = folder.add(encoded())
    folder.path(added.sha256).write_bytes(encoded(size=(5, 5)))
    with pytest.raises(ImageError, match="the file was changed"):
        folder.open(added.sha256)

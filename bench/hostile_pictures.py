"""Files that want to do harm: seeded, so that a number names one of them for ever.

A third are whole pictures of one of the formats that are read, spoilt at random (bytes flipped, cut
off, put in, two files spliced); the rest are made to be too large, to lie about themselves, or to
be something else. Each kind has a maker; `kind_of` draws one by its weight.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from kg.images import MAX_BYTES

__all__ = ["KINDS", "hostile_picture", "kind_of"]

Generator = np.random.Generator
_PNG = b"\x89PNG\r\n\x1a\n"


def kind_of(number: int, *, seed: int = 0) -> str:
    """Return the kind of the file of a number, one of `KINDS`."""
    weights = np.array([weight for weight, _ in KINDS.values()], dtype=float)
    generator = np.random.default_rng([seed, number])
    return list(KINDS)[int(generator.choice(len(weights), p=weights / weights.sum()))]


def hostile_picture(number: int, *, seed: int = 0) -> bytes:
    """Return the file of a number; equal for equal number and seed.

    Example:
        >>> hostile_picture(3) == hostile_picture(3)
        True
    """
    _, make = KINDS[kind_of(number, seed=seed)]
    return make(np.random.default_rng([seed, number, 1]))


def _drawn(generator: Generator, width: int = 48, height: int = 32) -> Image.Image:
    """A small flag: bands and a disc."""
    paints = generator.integers(0, 256, (4, 3)).tolist()
    image = Image.new("RGB", (width, height), tuple(paints[0]))
    draw = ImageDraw.Draw(image)
    for band in (1, 2):
        draw.rectangle((0, band * height // 3, width, height), fill=tuple(paints[band]))
    draw.ellipse((width // 3, height // 4, 2 * width // 3, 3 * height // 4), fill=tuple(paints[3]))
    return image


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _whole(generator: Generator) -> bytes:
    kind = str(generator.choice(["PNG", "JPEG", "WEBP", "GIF"]))
    return _saved(_drawn(generator), kind)


def _flipped(generator: Generator) -> bytes:
    content = bytearray(_whole(generator))
    for place in generator.integers(0, len(content), int(generator.integers(1, 24))).tolist():
        content[place] = int(generator.integers(256))
    return bytes(content)


def _cut(generator: Generator) -> bytes:
    content = _whole(generator)
    return content[: int(generator.integers(len(content)))]


def _put_in(generator: Generator) -> bytes:
    content = _whole(generator)
    place = int(generator.integers(len(content)))
    return content[:place] + generator.bytes(int(generator.integers(1, 400))) + content[place:]


def _spliced(generator: Generator) -> bytes:
    one, other = _whole(generator), _whole(generator)
    return one[: int(generator.integers(len(one)))] + other[int(generator.integers(len(other))) :]


def _noise(generator: Generator) -> bytes:
    heads = (b"", _PNG, b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\x00\x01\x00\x00WEBPVP8 ")
    head = heads[int(generator.integers(len(heads)))]
    return head + generator.bytes(int(generator.integers(0, 2000)))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, *extra: bytes, rows: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"".join(
        [_PNG, header, *extra, _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b"")]
    )


def _bomb_of_pixels(generator: Generator) -> bytes:
    """A few bytes that claim thousands of megapixels; some of them hold true rows of zeros."""
    side = int(generator.integers(7_100, 60_000))
    return _png(side, side, rows=bytes(int(generator.integers(0, 200_000))))


def _bomb_of_text(generator: Generator) -> bytes:
    """A small picture whose compressed text or profile blows up to tens of megabytes."""
    blown = zlib.compress(bytes(int(generator.integers(8, 48)) * 2**20), 9)
    kind = (b"zTXt", b"iCCP")[int(generator.integers(2))]
    return _png(4, 4, _chunk(kind, b"note\x00\x00" + blown), rows=bytes(4 * 13))


def _many_chunks(generator: Generator) -> bytes:
    text = _chunk(b"tEXt", b"note\x00" + b"x" * 100)
    return _png(4, 4, text * int(generator.integers(100, 5_000)), rows=bytes(4 * 13))


def _screen_of_gif(generator: Generator) -> bytes:
    """A GIF whose screen is far larger than its one picture."""
    content = bytearray(_saved(_drawn(generator), "GIF"))
    content[6:10] = struct.pack("<HH", *generator.integers(8_000, 65_536, 2).tolist())
    return bytes(content)


def _huge_profile(generator: Generator) -> bytes:
    kind = str(generator.choice(["PNG", "JPEG"]))
    size = int(generator.integers(100_000, 900_000))
    return _saved(_drawn(generator), kind, icc_profile=generator.bytes(size))


def _tiny(generator: Generator) -> bytes:
    sides = ((1, 1), (1, 2), (2, 1), (1, 500), (500, 1), (3, 3))
    width, height = sides[int(generator.integers(len(sides)))]
    return _saved(_drawn(generator, 60, 40).resize((width, height)), "PNG")


def _ribbon(generator: Generator) -> bytes:
    """20,000 × 2 pixels, lying or standing."""
    ribbon = _drawn(generator, 20_000, 2)
    return _saved(ribbon if generator.random() < 0.5 else ribbon.transpose(_TURN), "PNG")


_TURN = Image.Transpose.ROTATE_90


_MODES = (
    ("CMYK", "JPEG"),
    ("L", "JPEG"),
    ("I;16", "PNG"),
    ("1", "PNG"),
    ("LA", "PNG"),
    ("RGBA", "PNG"),
    ("RGBA", "WEBP"),
    ("P", "GIF"),
    ("P", "PNG"),
)


def _other_mode(generator: Generator) -> bytes:
    """CMYK, 16 bits, one bit, see-through, palettes: read, whatever the mode."""
    mode, kind = _MODES[int(generator.integers(len(_MODES)))]
    return _saved(_drawn(generator).convert(mode), kind)


def _animated(generator: Generator) -> bytes:
    frames = [_drawn(generator) for _ in range(int(generator.integers(2, 60)))]
    kind = str(generator.choice(["GIF", "WEBP", "PNG"]))
    return _saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=20)


def _wrong_type(generator: Generator) -> bytes:
    """Honest files of kinds that are not read."""
    kind = str(generator.choice(["BMP", "TIFF", "PPM", "TGA", "ICO", "PDF", "EPS"]))
    return _saved(_drawn(generator), kind)


def _no_picture(generator: Generator) -> bytes:
    texts = (
        b"",
        b"\x00",
        b"<html><body>404</body></html>",
        b"PK\x03\x04" + bytes(30),
        b"%!PS\n(/etc/passwd) (r) file",
        b"#!/bin/sh\nexit 0\n",
        b"push graphic-context\nimage over 0,0 0,0 'https://example.org/x'",
        b"version https://git-lfs.github.com/spec/v1\nsize 12345\n",
    )
    return texts[int(generator.integers(len(texts)))]


_SVG_BODIES = (
    '<script>alert("x")</script>',
    "<text>&lol9;</text>",
    '<image href="file:///etc/passwd"/>',
    '<image href="http://127.0.0.1:1/x.png"/>',
    '<use href="#a"/><g id="a"><use href="#a"/></g>',
    '<foreignObject><iframe src="https://example.org"/></foreignObject>',
)


def _svg(generator: Generator) -> bytes:
    """Entities that multiply, scripts, files and hosts to fetch: SVG is not read at all."""
    entities = ['<!ENTITY lol0 "lol">', '<!ENTITY x SYSTEM "file:///etc/passwd">']
    entities += [f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10)]
    body = _SVG_BODIES[int(generator.integers(len(_SVG_BODIES)))]
    size = int(generator.integers(1, 10**9))
    return (
        f'<?xml version="1.0"?><!DOCTYPE svg [{"".join(entities)}]>'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}">{body}</svg>'
    ).encode()


def _too_many_bytes(generator: Generator) -> bytes:
    """A picture with megabytes behind it: larger than a file may be."""
    return _whole(generator) + bytes(MAX_BYTES)


def _two_in_one(generator: Generator) -> bytes:
    """A picture with something else behind it, which a careless reader would run or unpack."""
    return _whole(generator) + (b"<script>", b"PK\x03\x04", b"\x7fELF")[int(generator.integers(3))]


def _rough(generator: Generator) -> bytes:
    """Pure noise in colour: as many pieces as pixels, the worst case of the segmentation."""
    width, height = generator.integers(100, 700, 2).tolist()
    noise = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return _saved(Image.fromarray(noise), "JPEG" if generator.random() < 0.7 else "PNG")


def _chequered(generator: Generator) -> bytes:
    """Thousands of touching squares in few colours, up to the largest picture that is read."""
    side = int(generator.choice([200, 400, 800, 3_000], p=[0.5, 0.3, 0.19, 0.01]))
    cell = int(generator.integers(1, 6))
    fields = sum(np.indices((side, side)) // cell) % 2
    palette = generator.integers(0, 256, (2, 3), dtype=np.uint8)
    return _saved(Image.fromarray(palette[fields]), "PNG")


Maker = Callable[[Generator], bytes]

KINDS: dict[str, tuple[float, Maker]] = {
    "flipped bytes": (15, _flipped),
    "cut off": (10, _cut),
    "bytes put in": (8, _put_in),
    "two files spliced": (6, _spliced),
    "noise": (6, _noise),
    "bomb of pixels": (5, _bomb_of_pixels),
    "bomb of text": (1, _bomb_of_text),
    "thousands of chunks": (2, _many_chunks),
    "screen of a GIF": (4, _screen_of_gif),
    "huge ICC profile": (3, _huge_profile),
    "1 x 1 and like it": (5, _tiny),
    "20,000 x 2": (1, _ribbon),
    "other mode": (7, _other_mode),
    "animated": (4, _animated),
    "wrong type": (6, _wrong_type),
    "no picture": (6, _no_picture),
    "SVG": (7, _svg),
    "two in one": (3, _two_in_one),
    "too many bytes": (0.05, _too_many_bytes),
    "rough": (1, _rough),
    "chequered": (1, _chequered),
}
"""Weight and maker by the name of the kind."""

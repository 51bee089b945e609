"""A picture with one of its parts outlined, as one SVG file that needs nothing else."""

from __future__ import annotations

import base64
from xml.etree import ElementTree as ET

from api.schemas import PartOut

__all__ = ["media_type_of", "outlined"]

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
_STROKES = (("#ffffff", "4"), ("#d6006e", "2"))


def media_type_of(start: bytes) -> str:
    """Return the media type of a kept picture by its first bytes.

    Example:
        >>> media_type_of(bytes([0x89]) + b"PNG" + bytes([13, 10, 26, 10]))
        'image/png'
    """
    found = (kind for signature, kind in _SIGNATURES if start.startswith(signature))
    return next(found, "application/octet-stream")


def outlined(picture: bytes, part: PartOut) -> bytes:
    """Return an SVG of a picture with a part outlined: a light line under a strong one.

    Args:
        picture: Bytes of the picture.
        part: Gives size, outline (else the box is drawn) and the title.
    """
    title = f"{part.name} in the picture of {part.parent}"
    root = _picture(picture, part.width, part.height, title)
    tag, shape = _shape(part)
    for colour, stroke in _STROKES:
        look = {"fill": "none", "stroke": colour, "stroke-width": stroke}
        ET.SubElement(root, tag, {**shape, **look, "vector-effect": "non-scaling-stroke"})
    return _written(root)


def drawn(picture: bytes, width: int, height: int, title: str) -> bytes:
    """Return an SVG of a picture alone.

    Args:
        picture: Its bytes.
        width: Of the picture, in pixels.
        height: The same.
        title: Said to who cannot see it.
    """
    return _written(_picture(picture, width, height, title))


def _picture(picture: bytes, width: int, height: int, title: str) -> ET.Element:
    size = {"width": str(width), "height": str(height)}
    view = {"viewBox": f"0 0 {width} {height}", "role": "img"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **view})
    ET.SubElement(root, "title").text = title
    data = base64.b64encode(picture).decode()
    source = f"data:{media_type_of(picture[:16])};base64,{data}"
    ET.SubElement(root, "image", {**size, "href": source})
    return root


def _written(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _shape(part: PartOut) -> tuple[str, dict[str, str]]:
    if part.outline is not None:
        return "path", {"d": part.outline}
    left, top, right, bottom = part.box_xyxy
    sizes = {"x": left, "y": top, "width": right - left, "height": bottom - top}
    return "rect", {name: f"{value:g}" for name, value in sizes.items()}

"""Pictures of what was found: the image with the outline, box and label of each part."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from PIL import Image, ImageDraw

from kg.errors import InputError
from scenes.masks import Mask, outline_path
from scenes.model import Pixels, Region, Scene

__all__ = ["INKS", "MOST_DRAWN", "draw_png", "draw_svg", "mask_svg", "outline_path", "tinted"]

INKS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")
MOST_DRAWN = 64
"""Parts of one picture that are drawn at most."""
_TINT, _SVG_TINT = 0.25, 0.18  # the outline makes up for the paler of the two


def draw_svg(
    image: Pixels, scene: Scene, *, parts: Sequence[int] | None = None, relations: bool = False
) -> str:
    """Return an SVG of the image with its parts outlined and labelled.

    Args:
        image: ``(height, width, 3)``; it is embedded as PNG.
        scene: Of this image.
        parts: Positions to draw; None for the labelled ones.
        relations: Also draw predicted relations as arrows from centre to centre.

    Returns:
        The whole SVG; texts are escaped, nothing is loaded from elsewhere.

    Raises:
        InputError: The image has another size than the scene.
    """
    _check(image, scene)
    width, height = scene.width, scene.height
    encoded = base64.b64encode(_png(Image.fromarray(image))).decode()
    chosen = _chosen(scene, parts)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(_summary(scene, chosen))}</title>",
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{encoded}"/>',
    ]
    lines += [_part_svg(scene.regions[p], INKS[p % len(INKS)], width) for p in chosen]
    if relations:
        lines += _relations_svg(scene, set(chosen), width)
    return "\n".join([*lines, "</svg>"])


def _check(image: Pixels, scene: Scene) -> None:
    if image.shape[:2] != (scene.height, scene.width):
        raise InputError(
            f"an image of {image.shape[1]} x {image.shape[0]} pixels for a scene of "
            f"{scene.width} x {scene.height}"
        )


def _chosen(scene: Scene, parts: Sequence[int] | None) -> list[int]:
    if parts is not None:
        wrong = [p for p in parts if not 0 <= p < len(scene.regions)]
        if wrong:
            raise InputError(f"the scene has no part {wrong[0]}; it has {len(scene.regions)}")
        return list(dict.fromkeys(parts))[:MOST_DRAWN]
    named = [p for p, r in enumerate(scene.regions) if r.label not in (None, "other", "field")]
    return (named or list(range(len(scene.regions))))[:MOST_DRAWN]


def _caption(region: Region) -> str:
    if region.label is None:
        return f"{region.colour} part"
    return f"{region.label} {round(100 * region.label_probability)} %"


def _summary(scene: Scene, chosen: list[int]) -> str:
    return ", ".join(f"{scene.regions[p].colour} {_caption(scene.regions[p])}" for p in chosen)


def _part_svg(region: Region, ink: str, width: int) -> str:
    left, top, right, bottom = region.box_xyxy
    stroke, size = width / 220, max(width / 28, 4)
    return (
        f'<g fill="none" stroke="{ink}" stroke-width="{stroke:.2f}">'
        f"{mask_svg(region.mask, ink)}"
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" '
        f'stroke-dasharray="{stroke * 3:.2f}"/>'
        f'<text x="{left:g}" y="{max(top - stroke, size):g}" font-size="{size:.1f}" fill="{ink}" '
        f'stroke="white" stroke-width="{stroke:.2f}" paint-order="stroke" '
        f'font-family="sans-serif">{escape(_caption(region))}</text></g>'
    )


def _relations_svg(scene: Scene, chosen: set[int], width: int) -> list[str]:
    lines = []
    for relation in scene.relations:
        if relation.exact or not {relation.subject, relation.object} <= chosen:
            continue
        (x1, y1), (x2, y2) = (
            _centre(scene.regions[p]) for p in (relation.subject, relation.object)
        )
        lines.append(
            f'<g><line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="#222" '
            f'stroke-width="{width / 400:.2f}"/><text x="{(x1 + x2) / 2:g}" y="{(y1 + y2) / 2:g}" '
            f'font-size="{max(width / 40, 3):.1f}" font-family="sans-serif">'
            f"{escape(relation.predicate)}</text></g>"
        )
    return lines


def _centre(region: Region) -> tuple[float, float]:
    left, top, right, bottom = region.box_xyxy
    return (left + right) / 2, (top + bottom) / 2


def draw_png(image: Pixels, scene: Scene, *, parts: Sequence[int] | None = None) -> bytes:
    """Return a PNG of the image with its parts tinted, boxed and labelled.

    Args:
        image: ``(height, width, 3)``.
        scene: Of this image.
        parts: Positions to draw; None for the labelled ones.

    Raises:
        InputError: The image has another size than the scene.
    """
    _check(image, scene)
    chosen = _chosen(scene, parts)
    picture = Image.fromarray(
        tinted(image, [(scene.regions[p].mask, INKS[p % len(INKS)]) for p in chosen])
    )
    draw = ImageDraw.Draw(picture)
    for position in chosen:
        region, ink_name = scene.regions[position], INKS[position % len(INKS)]
        left, top, right, bottom = region.box_xyxy
        draw.rectangle((left, top, right - 1, bottom - 1), outline=ink_name)
        draw.text((left + 1, max(top - 11, 0)), _caption(region), fill=ink_name)
    return _png(picture)


def mask_svg(mask: Mask, ink: str) -> str:
    """Return a mask as an SVG path in its own pixels: its outline, tinted inside.

    Args:
        mask: ``(height, width)``.
        ink: Colour in hexadecimal, as those of `INKS`.
    """
    return (
        f'<path d="{outline_path(mask)}" fill="{ink}" fill-opacity="{_SVG_TINT}" '
        f'fill-rule="evenodd"/>'
    )


def tinted(image: Pixels, masks: Iterable[tuple[Mask, str]]) -> Pixels:
    """Return an image with each mask tinted in its ink, one after the other.

    Args:
        image: ``(height, width, 3)``.
        masks: ``(height, width)`` each, with a colour in hexadecimal.
    """
    result = image.astype(np.float64)
    for mask, ink in masks:
        result[mask] = (1 - _TINT) * result[mask] + _TINT * np.array(_rgb(ink), dtype=np.float64)
    drawn: Pixels = result.round().astype(np.uint8)
    return drawn


def _rgb(ink: str) -> tuple[int, int, int]:
    return (int(ink[1:3], 16), int(ink[3:5], 16), int(ink[5:7], 16))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()

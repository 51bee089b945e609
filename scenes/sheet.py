"""A contact sheet: many images on one page, each with masks, boxes, labels and predicates."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image, ImageDraw

from kg.errors import InputError
from kg.model import BoxXyxy
from scenes.look import INKS, mask_svg, tinted
from scenes.masks import Mask
from scenes.model import Pixels

__all__ = ["MAX_PIXELS", "MAX_TILES", "Tile", "sheet_png", "sheet_svg"]

MAX_TILES = 400
"""Images that one sheet holds at most: with more nobody sees anything."""

MAX_PIXELS = 100_000_000
"""Largest sheet."""

_GAP, _TITLE = 12, 18  # between tiles, and the line above each, in pixels
_PAPER, _TEXT = "#ffffff", "#222222"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tile:
    """One image of a sheet.

    Attributes:
        title: Written above it.
        image: ``(height, width, 3)``.
        boxes: Of its parts, in its pixels.
        labels: Of its parts.
        masks: Of its parts, each of the image's size, None where there is none; empty for none.
        relations: Subject and object by their positions, with the predicate between them.
    """

    title: str
    image: Pixels
    boxes: Sequence[BoxXyxy]
    labels: Sequence[str]
    masks: Sequence[Mask | None] = ()
    relations: Sequence[tuple[int, str, int]] = ()


@dataclass(frozen=True, slots=True)
class _Placed:
    """A tile with its place on the sheet."""

    tile: Tile
    left: int
    top: int
    width: int
    height: int

    def picture(self, *, with_masks: bool = False) -> Image.Image:
        size = (self.width, self.height)
        picture = Image.fromarray(self.tile.image).resize(size)
        if not with_masks:
            return picture
        return Image.fromarray(tinted(np.asarray(picture), self.masks()))

    def masks(self) -> Iterator[tuple[Mask, str]]:
        """Iterate the masks at the size on the sheet, with their inks."""
        for number, mask in enumerate(self.tile.masks):
            if mask is not None:
                small = Image.fromarray(mask).resize((self.width, self.height))
                yield np.asarray(small), INKS[number % len(INKS)]

    def box(self, number: int) -> BoxXyxy:
        """Return a part's box on the sheet."""
        scale = self.width / self.tile.image.shape[1], self.height / self.tile.image.shape[0]
        x1, y1, x2, y2 = self.tile.boxes[number]
        return (
            self.left + x1 * scale[0],
            self.top + y1 * scale[1],
            self.left + x2 * scale[0],
            self.top + y2 * scale[1],
        )

    def arrows(self) -> Iterator[tuple[float, float, float, float, str]]:
        """Iterate from where to where each predicate is drawn; those of one pair share a line."""
        said: dict[tuple[int, int], list[str]] = {}
        for subject, predicate, other in self.tile.relations:
            said.setdefault((subject, other), []).append(predicate)
        for (subject, other), predicates in said.items():
            ends = [self.box(end) for end in (subject, other)]
            (x1, y1), (x2, y2) = (((a + c) / 2, (b + d) / 2) for a, b, c, d in ends)
            yield x1, y1, x2, y2, ", ".join(predicates)


def _placed(
    tiles: Sequence[Tile], columns: int, side: int
) -> tuple[list[_Placed], tuple[int, int]]:
    """Lay tiles out row by row; return them and the sheet's size."""
    if not 0 < len(tiles) <= MAX_TILES:
        raise InputError(f"a sheet holds 1 to {MAX_TILES} images, not {len(tiles):,}")
    if not 1 <= columns <= 40 or not 32 <= side <= 2048:
        raise InputError(
            f"1 to 40 columns of 32 to 2,048 pixels, not {columns} of {side}",
            where="columns, side",
        )
    found = []
    for number, tile in enumerate(tiles):
        if len(tile.labels) != len(tile.boxes):
            raise InputError(
                f"{len(tile.labels)} labels for {len(tile.boxes)} boxes", where=tile.title
            )
        _check_masks(tile)
        height, width = tile.image.shape[:2]
        scale = side / max(height, width)
        row, column = divmod(number, columns)
        found.append(
            _Placed(
                tile,
                _GAP + column * (side + _GAP),
                _GAP + _TITLE + row * (side + _TITLE + _GAP),
                max(round(width * scale), 1),
                max(round(height * scale), 1),
            )
        )
    rows, across = math.ceil(len(tiles) / columns), min(columns, len(tiles))
    size = (_GAP + across * (side + _GAP), _GAP + rows * (side + _TITLE + _GAP))
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(
            f"a sheet of {size[0]:,} x {size[1]:,} pixels, at most {MAX_PIXELS:,} in all",
            hint="make the side of a picture smaller",
        )
    return found, size


def _check_masks(tile: Tile) -> None:
    if tile.masks and len(tile.masks) != len(tile.boxes):
        raise InputError(f"{len(tile.masks)} masks for {len(tile.boxes)} boxes", where=tile.title)
    for mask in tile.masks:
        if mask is not None and mask.shape != tile.image.shape[:2]:
            raise InputError(
                f"a mask of {mask.shape} pixels for an image of {tile.image.shape[:2]}",
                where=tile.title,
            )


def sheet_svg(tiles: Sequence[Tile], *, columns: int = 4, side: int = 320) -> str:
    """Return a sheet as SVG: pictures are embedded, texts escaped, nothing is loaded.

    Args:
        tiles: In reading order.
        columns: Tiles a row.
        side: Longer side of each picture, in pixels.

    Raises:
        InputError: Too many tiles or none, or a size out of range.

    Example:
        >>> import numpy as np
        >>> red = np.full((4, 6, 3), (255, 0, 0), dtype=np.uint8)
        >>> tile = Tile(title="red", image=red, boxes=[(1, 1, 3, 3)], labels=["disc"])
        >>> sheet_svg([tile]).count("<rect")
        2
    """
    placed, (width, height) = _placed(tiles, columns, side)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="11" role="img">'
        ),
        f"<title>{escape(', '.join(one.tile.title for one in placed))}</title>",
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
    ]
    for one in placed:
        lines += _tile_svg(one)
    return "\n".join([*lines, "</svg>"])


def _tile_svg(one: _Placed) -> Iterator[str]:
    file = io.BytesIO()
    one.picture().save(file, "PNG")
    yield f'<text x="{one.left}" y="{one.top - 5}" fill="{_TEXT}">{escape(one.tile.title)}</text>'
    yield (
        f'<image x="{one.left}" y="{one.top}" width="{one.width}" height="{one.height}" '
        f'href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>'
    )
    drawn = "".join(f'<g stroke="{ink}">{mask_svg(mask, ink)}</g>' for mask, ink in one.masks())
    if drawn:
        yield f'<g transform="translate({one.left} {one.top})">{drawn}</g>'
    for number, label in enumerate(one.tile.labels):
        ink = INKS[number % len(INKS)]
        x1, y1, x2, y2 = one.box(number)
        yield (
            f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}" '
            f'fill="none" stroke="{ink}" stroke-width="1.5"/>'
        )
        yield _written(x1 + 2, y1 + 11, label, ink)
    for x1, y1, x2, y2, predicate in one.arrows():
        yield (
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{_TEXT}" stroke-width="1"/>'
            f'<circle cx="{x2:.1f}" cy="{y2:.1f}" r="3" fill="{_TEXT}"/>'
        )
        yield _written((x1 + x2) / 2, (y1 + y2) / 2, predicate, _TEXT)


def _written(x: float, y: float, text: str, ink: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{ink}" stroke="{_PAPER}" stroke-width="2.5" '
        f'paint-order="stroke">{escape(text)}</text>'
    )


def sheet_png(tiles: Sequence[Tile], *, columns: int = 4, side: int = 320) -> bytes:
    """Return a sheet as PNG; arguments and errors as of `sheet_svg`."""
    placed, size = _placed(tiles, columns, side)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for one in placed:
        draw.text((one.left, one.top - _TITLE + 2), one.tile.title, fill=_TEXT)
        sheet.paste(one.picture(with_masks=True), (one.left, one.top))
        for number, label in enumerate(one.tile.labels):
            ink = INKS[number % len(INKS)]
            x1, y1, x2, y2 = one.box(number)
            draw.rectangle((x1, y1, max(x2 - 1, x1), max(y2 - 1, y1)), outline=ink)
            _write(draw, x1 + 2, y1 + 1, label, ink)
        for x1, y1, x2, y2, predicate in one.arrows():
            draw.line((x1, y1, x2, y2), fill=_TEXT)
            draw.ellipse((x2 - 3, y2 - 3, x2 + 3, y2 + 3), fill=_TEXT)
            _write(draw, (x1 + x2) / 2, (y1 + y2) / 2, predicate, _TEXT)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _write(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, ink: str) -> None:
    draw.text((x, y), text, fill=ink, stroke_width=1, stroke_fill=_PAPER)

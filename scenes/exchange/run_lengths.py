"""Masks in the run lengths of others: COCO's, column by column, and Label Studio's brush."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, LimitError
from scenes.masks import MAX_MASK_PIXELS

__all__ = ["brush_decoded", "brush_encoded", "coco_decoded", "coco_encoded"]

Mask = NDArray[np.bool_]


def coco_decoded(value: Any) -> Mask:
    """Read a mask of COCO: ``size`` (height, width) and ``counts``, numbers or packed as text.

    Runs go down the columns, the first one being outside; packed, a run is the difference to the
    one before the last, five bits a character, the sixth saying that more follow.

    Raises:
        InputError: It is no such mask, or its runs do not fill it.
        LimitError: It is larger than `MAX_MASK_PIXELS`.

    Example:
        >>> coco_decoded({"size": [2, 2], "counts": [1, 2, 1]}).tolist()
        [[False, True], [True, False]]
    """
    size = value.get("size") if isinstance(value, dict) else None
    if (
        not isinstance(size, list)
        or len(size) != 2
        or not all(type(side) is int and 0 < side <= MAX_MASK_PIXELS for side in size)
    ):
        raise InputError("the size of a mask is [height, width]", where="segmentation.size")
    height, width = size
    _check_size(height * width)
    counts = value.get("counts")
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and run >= 0 for run in runs):
        raise InputError("counts are not run lengths", where="segmentation.counts")
    if sum(runs) != height * width:
        raise InputError(
            f"runs of {sum(runs)} pixels in a mask of {height * width}",
            where="segmentation.counts",
        )
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(flat.reshape(width, height).T)


def coco_encoded(mask: Mask) -> dict[str, Any]:
    """Return a mask as COCO packs it; `coco_decoded` reads it.

    Args:
        mask: ``(height, width)`` bool.
    """
    return {"size": list(mask.shape), "counts": _packed(_runs(mask.T.ravel()))}


def _runs(flat: Mask) -> list[int]:
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs: list[int] = np.diff(np.concatenate([[0], changes, [flat.size]])).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def _packed(runs: Sequence[int]) -> str:
    found = []
    for place, run in enumerate(runs):
        rest = run - (runs[place - 2] if place > 2 else 0)
        while True:
            bits, rest = rest & 31, rest >> 5
            done = rest == (-1 if bits & 16 else 0)
            found.append(chr(48 + (bits if done else bits | 32)))
            if done:
                break
    return "".join(found)


def _unpacked(text: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise InputError("counts are not packed run lengths", where="segmentation.counts")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise InputError("counts end within a number", where="segmentation.counts")
    return runs


_WORD = 8
_SIZES = (3, 4, 8, 16)  # bits of a run's length, of which two bits choose
_CHANNELS = 4


def brush_decoded(values: Any, *, height: int, width: int) -> Mask:
    """Read a brush stroke of Label Studio: the packed bytes of an RGBA picture, its alpha counts.

    A head of 32 bits (how many words), 5 (bits of a word) and four times 4 (bits of a length);
    then runs: a bit for equal words, two bits that choose the length's bits, the length, the words.

    Args:
        values: Bytes as a list of numbers.
        height: Of the picture.
        width: The same.

    Raises:
        InputError: They are no such picture, or one of another size.
        LimitError: It is larger than `MAX_MASK_PIXELS`.
    """
    _check_size(height * width)
    if not isinstance(values, list) or not all(type(v) is int and 0 <= v < 256 for v in values):
        raise InputError("a brush is a list of bytes", where="value.rle")
    bits = _Bits(bytes(values))
    count, word = bits.take(32), bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    if count != height * width * _CHANNELS or word > _WORD:
        raise InputError(f"a brush of {count} values of {word} bits", where="value.rle")
    picture = np.zeros(count, dtype=np.uint8)
    place = 0
    while place < count:
        equal = bits.take(1)
        end = place + 1 + bits.take(sizes[bits.take(2)])
        if end > count:
            raise InputError("a brush runs beyond its picture", where="value.rle")
        if equal:
            picture[place:end] = bits.take(word)
        else:
            picture[place:end] = [bits.take(word) for _ in range(end - place)]
        place = end
    return picture.reshape(height, width, _CHANNELS)[..., 3] > 0


def brush_encoded(mask: Mask) -> list[int]:
    """Return a mask as a brush stroke of Label Studio; `brush_decoded` reads it.

    Args:
        mask: ``(height, width)`` bool.
    """
    parts = [f"{mask.size * _CHANNELS:032b}", f"{_WORD - 1:05b}"]
    parts += [f"{size - 1:04b}" for size in _SIZES]
    longest = 2 ** _SIZES[-1]
    value = 0
    for run in _runs(mask.ravel()):
        for start in range(0, run * _CHANNELS, longest):
            length = min(longest, run * _CHANNELS - start)
            parts.append(f"111{length - 1:0{_SIZES[-1]}b}{value:0{_WORD}b}")
        value = 255 - value
    bits = "".join(parts)
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


class _Bits:
    """Reads bits from the first on."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def take(self, count: int) -> int:
        """Return the next bits as a number.

        Raises:
            InputError: There are no more.
        """
        end = self._place + count
        if end > 8 * len(self._content):
            raise InputError("a brush ends too early", where="value.rle")
        first, last = self._place // 8, -(-end // 8)
        block = int.from_bytes(self._content[first:last], "big")
        self._place = end
        return (block >> (8 * last - end)) & ((1 << count) - 1)


def _check_size(pixels: int) -> None:
    if pixels > MAX_MASK_PIXELS:
        raise LimitError(f"a mask of {pixels:,} pixels, at most {MAX_MASK_PIXELS:,}")

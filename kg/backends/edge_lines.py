r"""Edges that the embedded engine wrote as lines of JSON, read by numpy and no parser of JSON.

A row is ``{"record":{"e":"#9:5","h":"#3:17","t":"#3:8","r":["{\"kind\": …}"]}}``. What does not
look so is read as JSON, so that only the speed rests on how the engine writes. Arrow and numpy let
go of Python's lock meanwhile, so that another thread can receive.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from kg.provenance import Provenance, best_probability

__all__ = ["BUCKET_BITS", "EDGES", "EdgeLines", "record_code"]

EDGES = "SELECT @rid AS e, @out AS h, @in AS t, _records AS r FROM bucket:[{}]"
"""The query whose rows these are, of some of the engine's buckets."""
BUCKET_BITS = 40
"""Where the number of a bucket begins in the code of a record id."""
_ROW = b'{"record":'
_BEFORE_IDS = (b'{"record":{"e":"#', b'","h":"#', b'","t":"#')
# As `Provenance.to_json` writes it, within a text of JSON; within a text of the record itself
# there would be more backslashes.
_PROBABILITY = rb"\"probability\": "
_LONGEST = 26
"""Bytes of the longest number that Python writes, and one more."""
_IN_A_NUMBER = np.isin(np.arange(256), np.frombuffer(b"0123456789.eE+-", np.uint8))

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


def record_code(record_id: str) -> int:
    """Return a record id as a number.

    Example:
        >>> record_code("#1:2") == 2**40 + 2
        True
    """
    bucket, _, place = record_id[1:].partition(":")
    return int(bucket) << BUCKET_BITS | int(place)


@dataclass(frozen=True, slots=True)
class EdgeLines:
    """Edges in any order.

    Attributes:
        edges: ``(n,)`` int64, codes of their record ids (`record_code`).
        heads: ``(n,)`` int64, likewise, -1 for none.
        tails: ``(n,)`` int64.
        probabilities: ``(n,)`` float32, of the strongest record of each edge, 0 without one.
    """

    edges: Places
    heads: Places
    tails: Places
    probabilities: NDArray[np.float32]

    @classmethod
    def read(cls, piece: bytes) -> EdgeLines:
        """Read whole lines; those that are no rows are passed over.

        Args:
            piece: Lines, each with its end.
        """
        letters = np.frombuffer(piece, np.uint8)
        ends = np.flatnonzero(letters == ord("\n"))
        starts = np.concatenate([ends[:0], [0], ends[:-1] + 1])[: len(ends)]
        rows = _stand(letters, starts, _ROW)
        starts, ends = starts[rows], ends[rows]
        usual, after = np.ones(len(starts), dtype=bool), starts
        ids: list[Places] = []
        for before in _BEFORE_IDS:
            usual &= _stand(letters, after, before)
            codes, after, whole = _codes(letters, after + len(before) * usual)
            usual &= whole
            ids.append(codes)
        likely = _probabilities(piece, letters, after, ends)
        for n in np.flatnonzero(~usual | (likely < 0)).tolist():
            *codes_of_one, likely[n] = _as_json(piece[starts[n] : ends[n]])
            for codes, code in zip(ids, codes_of_one, strict=True):
                codes[n] = code
        edges, heads, tails = ids
        return cls(edges, heads, tails, likely)

    @classmethod
    def together(cls, parts: Sequence[EdgeLines]) -> EdgeLines:
        """Return the edges of several, in their order."""
        none = np.zeros(0, dtype=np.int64)
        edges, heads, tails = (
            np.concatenate([none, *(getattr(part, name) for part in parts)])
            for name in ("edges", "heads", "tails")
        )
        likely = [np.zeros(0, dtype=np.float32), *(part.probabilities for part in parts)]
        return cls(edges, heads, tails, np.concatenate(likely))


def _stand(letters: Bytes, places: Places, text: bytes) -> NDArray[np.bool_]:
    """Tell where a text stands at a place; no place may lie beyond the last letter."""
    found = np.ones(len(places), dtype=bool)
    for n, letter in enumerate(text):
        found &= letters[np.minimum(places + n, len(letters) - 1)] == letter
    return found


def _codes(letters: Bytes, places: Places) -> tuple[Places, Places, NDArray[np.bool_]]:
    """Return codes of the record ids behind a ``#``, where they end, and whether there are any."""
    buckets, colons = _numbers(letters, places)
    numbers, after = _numbers(letters, colons + 1)
    whole = (colons > places) & (letters[colons] == ord(":")) & (after > colons + 1)
    return buckets << BUCKET_BITS | numbers, after, whole & (letters[after] == ord('"'))


def _numbers(letters: Bytes, places: Places) -> tuple[Places, Places]:
    """Return the numbers at places and where they end; the last letter is the end of a line."""
    places = np.minimum(places, len(letters) - 1)
    found = np.zeros(len(places), dtype=np.int64)
    while True:
        digits = letters[places] - np.uint8(ord("0"))  # what is no digit wraps around
        more = digits < 10
        if not more.any():
            return found, places
        found = np.where(more, found * 10 + digits, found)
        places = places + more


def _probabilities(
    piece: bytes, letters: Bytes, starts: Places, ends: Places
) -> NDArray[np.float32]:
    """Return the largest probability between starts and ends, -1 where none stands."""
    best = np.full(len(starts), -1, dtype=np.float32)
    rows = np.arange(len(starts))
    while len(rows):  # each time the next record of each edge
        bounds = np.stack([starts, ends], axis=1).astype(np.int32).ravel()
        buffers = [None, pa.py_buffer(bounds), pa.py_buffer(piece)]
        texts = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, buffers)
        found = pc.find_substring(texts, _PROBABILITY).to_numpy()[::2]
        there = found >= 0
        rows, ends = rows[there], ends[there]
        starts = starts[there] + found[there] + len(_PROBABILITY)
        best[rows] = np.maximum(best[rows], _decimals(letters, starts))
    return best


def _decimals(letters: Bytes, places: Places) -> NDArray[np.float32]:
    """Return the decimal numbers at places."""
    found = np.ones(len(places), dtype=np.float32)
    other = np.flatnonzero(~(_stand(letters, places, b"1.0,") | _stand(letters, places, b"1.0}")))
    window = np.minimum(places[other, None] + np.arange(_LONGEST), len(letters) - 1)
    signs = letters[window]
    signs[~np.logical_and.accumulate(_IN_A_NUMBER[signs], axis=1)] = 0
    found[other] = signs.view(f"S{_LONGEST}").ravel().astype(np.float64)
    return found


def _as_json(line: bytes) -> tuple[int, int, int, float]:
    row: dict[str, Any] = json.loads(line)["record"]
    records = [Provenance.from_json(text) for text in row.get("r") or ()]
    head, tail = (-1 if row.get(end) is None else record_code(row[end]) for end in "ht")
    return record_code(row["e"]), head, tail, best_probability(records)

"""Snapshots: a graph frozen into arrays, memory-mapped, named by the hash of its content.

Reasoning's hot loops run here and never in Cypher. A checkpoint names the snapshot it was trained
on. The folder holds one ``.npy`` file an array, texts among them (`kg.text_table`), and
``snapshot.json``: format number, hash, relations, labels. Opening reads only that and the ends of
each array, so it takes as long for ten million edges as for ten; `verify_snapshot` reads all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import ForeignFileError, MissingPartError
from kg.files import atomic_write, read_json, write_json
from kg.model import AttributeValue, EntityKey
from kg.snapshot_arrays import ARRAYS, Snapshot
from kg.snapshot_building import build_snapshot, snapshot_of
from kg.text_table import TextTable
from kg.vocabulary import Vocabulary

__all__ = [
    "FORMAT",
    "Snapshot",
    "build_snapshot",
    "load_snapshot",
    "save_snapshot",
    "snapshot_of",
    "verify_snapshot",
]

FORMAT = 2
HINT = "delete the folder and run `umbra build`"
TEXTS = {"key_ends": np.int64, "keys": np.uint8, "name_ends": np.int64, "names": np.uint8}
COLUMNS = "attributes"
SAMPLE_BYTES = 2**16
"""Bytes at each end of a file that opening looks at: a small snapshot's are all of them."""


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write a snapshot; ``snapshot.json`` comes last, so a folder without it is not one.

    What was there before is replaced; who has it open keeps what they opened.
    """
    (folder / "snapshot.json").unlink(missing_ok=True)
    keys, names = TextTable.of(snapshot.entities), TextTable.of(snapshot.names)
    columns, ranges = _columns(snapshot.attributes)
    arrays = {name: getattr(snapshot, name) for name in ARRAYS} | {
        "key_ends": keys.ends, "keys": keys.content,
        "name_ends": names.ends, "names": names.content, COLUMNS: columns,
    }  # fmt: skip
    for name, array in arrays.items():
        with atomic_write(folder / f"{name}.npy") as file:
            np.save(file, array, allow_pickle=False)
    write_json(
        folder / "snapshot.json",
        {
            "format": FORMAT,
            "hash": snapshot.hash,
            "ascending": all(one < other for one, other in pairwise(snapshot.entities)),
            "relations": list(snapshot.relation_names),
            "labels": list(snapshot.labels),
            "attributes": ranges,
            "ends": {name: _sampled(folder / f"{name}.npy") for name in arrays},
        },
    )


def _columns(
    attributes: Mapping[str, Mapping[int, AttributeValue]],
) -> tuple[NDArray[np.uint8], dict[str, list[int]]]:
    """Return the attributes as JSON, a text a name, and where each begins and ends."""
    parts, ranges, end = [], {}, 0
    for name in sorted(attributes):
        column = {str(place): value for place, value in attributes[name].items()}
        parts.append(json.dumps(column).encode())
        ranges[name] = [end, end + len(parts[-1])]
        end += len(parts[-1])
    return np.frombuffer(b"".join(parts), dtype=np.uint8), ranges


def _sampled(path: Path) -> str:
    """Return the hash of a file's size and both its ends."""
    with path.open("rb") as file:
        digest = hashlib.sha256(str(size := path.stat().st_size).encode())
        digest.update(file.read(SAMPLE_BYTES))
        file.seek(max(0, size - SAMPLE_BYTES))
        digest.update(file.read())
    return digest.hexdigest()


def load_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot; its arrays are memory-mapped, read only, and its texts read when asked for.

    Raises:
        MissingPartError: The folder holds none.
        ForeignFileError: A file is not what it should be; of a large one only the ends are looked
            at (`verify_snapshot` reads all).
        FormatVersionError: It has another format number.
    """
    path = folder / "snapshot.json"
    if not path.exists():
        raise MissingPartError("no snapshot", where=str(folder), hint="run `umbra train`")
    head = read_json(path, kind="snapshot", formats=(1, FORMAT))
    arrays = {name: _array(folder / f"{name}.npy", name) for name in ARRAYS}
    try:
        if head["format"] == 1:
            return _of_format_1(head, arrays, folder)
        return _opened(head, arrays, folder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ForeignFileError):
            raise
        raise ForeignFileError("not the head of a snapshot", where=str(path), hint=HINT) from error


def verify_snapshot(folder: Path) -> None:
    """Read a whole snapshot and compare it with its hash.

    Raises:
        MissingPartError: The folder holds none.
        ForeignFileError: Anything of it was changed.
    """
    snapshot = load_snapshot(folder)
    named = snapshot.__dict__.pop("hash", None)
    try:
        agrees = named is None or snapshot.hash == named
    except (TypeError, ValueError) as error:
        raise _disagreement(folder) from error
    if not agrees:
        raise _disagreement(folder)


def _disagreement(folder: Path) -> ForeignFileError:
    return ForeignFileError("arrays and hash do not agree", where=str(folder), hint=HINT)


def _opened(head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], folder: Path) -> Snapshot:
    texts = {name: _array(folder / f"{name}.npy", name) for name in (*TEXTS, COLUMNS)}
    names = TextTable(texts["name_ends"], texts["names"])
    keys = TextTable(texts["key_ends"], texts["keys"])
    of_edges = {len(arrays[name]) for name in ARRAYS[:4]}
    of_entities = {len(arrays[name]) for name in ARRAYS[4:]} | {len(names), len(keys)}
    same = all(_sampled(folder / f"{name}.npy") == mark for name, mark in head["ends"].items())
    if len(of_edges) > 1 or len(of_entities) > 1 or not same:
        raise _disagreement(folder)
    snapshot = Snapshot(
        entities=Vocabulary.ascending(keys) if head["ascending"] else Vocabulary(keys),  # type: ignore[arg-type]
        relation_names=Vocabulary(head["relations"]),
        labels=Vocabulary(head["labels"]),
        names=names,
        attributes=_Columns(texts[COLUMNS], head["attributes"], str(folder)),
        **arrays,
    )
    snapshot.__dict__["hash"] = str(head["hash"])  # it was told: to compute it reads everything
    return snapshot


class _Columns(Mapping[str, Mapping[int, AttributeValue]]):
    """Attributes by name, each read when it is first asked for."""

    def __init__(
        self, content: NDArray[np.uint8], ranges: Mapping[str, list[int]], where: str
    ) -> None:
        self._content = content
        self._ranges = dict(ranges.items())
        self._where = where
        self._read: dict[str, Mapping[int, AttributeValue]] = {}

    def __getitem__(self, name: str) -> Mapping[int, AttributeValue]:
        if name not in self._read:
            start, end = self._ranges[name]
            try:
                self._read[name] = _column(json.loads(self._content[start:end].tobytes()))
            except (AttributeError, ValueError) as error:
                raise ForeignFileError(
                    f"the attribute {name!r} cannot be read", where=self._where, hint=HINT
                ) from error
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)


def _of_format_1(
    head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], folder: Path
) -> Snapshot:
    """Return a snapshot of the first format, whose head held all texts."""
    snapshot = Snapshot(
        entities=Vocabulary([EntityKey(key) for key in head["entities"]]),
        relation_names=Vocabulary(head["relations"]),
        labels=Vocabulary(head["labels"]),
        names=tuple(head["names"]),
        attributes={name: _column(column) for name, column in head["attributes"].items()},
        **arrays,
    )
    if snapshot.hash != head.get("hash"):
        raise _disagreement(folder)
    return snapshot


def _column(column: Mapping[str, Any]) -> dict[int, AttributeValue]:
    return {
        int(place): tuple(value) if isinstance(value, list) else value
        for place, value in column.items()
    }


def _array(path: Path, name: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ForeignFileError("not an array", where=str(path), hint=HINT) from error
    special: Mapping[str, Any] = {"probabilities": np.float32, COLUMNS: np.uint8, **TEXTS}
    if array.ndim != 1 or array.dtype != special.get(name, np.int32):
        raise ForeignFileError("not an array of a snapshot", where=str(path), hint=HINT)
    return array.view(np.ndarray)  # mapped still; numpy's class for maps is slow at each element

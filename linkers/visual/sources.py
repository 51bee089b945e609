"""Pictures of the rows of a file: an array of an npz file, or a folder of pictures by id.

Such files come from outside: nothing is unpickled, sizes are checked before anything is read, and
a folder's pictures are found by their names in a listing, so no row's text becomes a path.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, RecordError
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject
from kg.images import decoded, read_picture

__all__ = ["PictureRow", "PictureSource", "entity_rows", "picture_rows", "picture_source"]

Pixels = NDArray[np.uint8]
PictureRow = tuple[int, tuple[str, ...]]
"""Number of a row in its file, and the names under which its picture may be found, best first."""

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif"}
_MAX_BYTES = 8 * 2**30
_MAX_FILES = 5_000_000
_NAMES = ("image", "id", "entity_id")


class PictureSource(Protocol):
    """Opens pictures of rows."""

    def __call__(self, row: PictureRow) -> Pixels | None:
        """Return a picture, ``(height, width, 3)`` uint8; None where the row has none."""
        ...


def picture_rows(path: Path) -> list[PictureRow]:
    """Return each row of a file of mentions or entities with its picture's possible names.

    Raises:
        RecordError: The file is missing, or a row cannot be read; with its line.
    """
    rows: list[PictureRow] = []
    for fields in _fields(path):
        found = (fields.get(name) for name in _NAMES)
        names = tuple(str(v) for v in found if isinstance(v, str | int) and str(v))
        rows.append((len(rows), names))
    return rows


def entity_rows(path: Path) -> dict[str, list[int]]:
    """Return the numbers of the rows of each entity of a file, by its key.

    Raises:
        RecordError: The file is missing, or a row cannot be read; with its line.
    """
    found: dict[str, list[int]] = {}
    for number, fields in enumerate(_fields(path)):
        found.setdefault(str(fields.get("entity_id")), []).append(number)
    return found


def picture_source(given: str, *, rows: int) -> PictureSource:
    """Return what an option says: ``FILE.npz:ARRAY``, ``FILE.npz`` with one array, or a folder.

    Args:
        given: The option's value.
        rows: Rows of the file that the pictures belong to; an array must have as many.

    Raises:
        InputError: There is no such file, array or folder, or the array is not of pictures.
    """
    folder = Path(given)
    if folder.is_dir():
        return _Folder(folder)
    file, array = given, ""
    if not given.endswith(".npz"):
        file, _, array = given.rpartition(":")
    if not file.endswith(".npz"):
        raise InputError(
            "pictures are FILE.npz:ARRAY or a folder", where=given, hint="is the folder there?"
        )
    return _Array(_opened(Path(file), array, rows))


def _fields(path: Path) -> Iterator[Mapping[str, Any]]:
    for item in read_jsonl(path):
        if isinstance(item, Reject):
            raise RecordError(item.reason, path=str(path), line=item.line, column=item.column)
        yield item.fields


class _Array:
    def __init__(self, images: Pixels) -> None:
        self._images = images

    def __call__(self, row: PictureRow) -> Pixels | None:
        image: Pixels = self._images[row[0]]
        return image


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._found: dict[str, Path] = {}
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in _SUFFIXES and file.is_file():
                self._found[file.name] = file
                self._found.setdefault(file.stem, file)
            if len(self._found) > 2 * _MAX_FILES:
                raise InputError(f"more than {_MAX_FILES:,} pictures", where=str(folder))
        if not self._found:
            raise InputError(
                "the folder holds no picture",
                where=str(folder),
                hint=f"read are {', '.join(sorted(_SUFFIXES))}",
            )

    def __call__(self, row: PictureRow) -> Pixels | None:
        file = next((self._found[name] for name in row[1] if name in self._found), None)
        if file is None:
            return None
        return np.asarray(decoded(read_picture(file, file.name), file.name), dtype=np.uint8)


def _opened(file: Path, array: str, rows: int) -> Pixels:
    try:
        with zipfile.ZipFile(file) as packed:
            names = [n.removesuffix(".npy") for n in packed.namelist() if n.endswith(".npy")]
            if not array and len(names) == 1:
                array = names[0]
            if array not in names:
                raise InputError(
                    f"the file has no array {array!r}",
                    where=str(file),
                    hint=f"name one: FILE.npz:ARRAY with {', '.join(sorted(names)[:20])}",
                )
            with packed.open(f"{array}.npy") as member:
                shape, kind = _header(member)
        wanted = len(shape) == 4 and shape[3] == 3 and kind == np.uint8
        if (
            not wanted
            or shape[0] != rows
            or 0 in shape[1:]
            or np.prod(shape, dtype=float) > (_MAX_BYTES)
        ):
            raise InputError(
                f"an array of {shape} {kind} does not hold the pictures of {rows:,} rows",
                where=f"{file}:{array}",
                hint="needed is (rows, height, width, 3) uint8, a picture a row of the JSONL",
            )
        with np.load(file, allow_pickle=False) as arrays:
            found: Pixels = arrays[array]
            return found
    except InputError:  # a ValueError too, and it says more
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"not an npz file ({error})", where=str(file)) from error


def _header(member: Any) -> tuple[Sequence[int], Any]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, kind = np.lib.format.read_array_header_1_0(member)
    else:
        shape, _, kind = np.lib.format.read_array_header_2_0(member)
    return shape, kind

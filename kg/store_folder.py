"""The folder of an embedded store: its mark, the number of its format, an older one raised.

Format 2 gives a store an identity of its own, which stays when it is moved: two stores that were
filled one after the other in one folder have the same change counter and the same address, and
what was made from the first (a full-text index, a snapshot) would be believed of the second.
Format 3 may hold claims (`kg.claims`), which an earlier version would leave behind its own writes;
what an earlier one wrote is read as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kg.errors import ForeignFileError
from kg.file_lock import file_lock
from kg.files import read_json, write_json
from kg.mounts import refuse_network_mount

__all__ = ["FORMAT", "prepare_store_folder", "store_identity"]

FORMAT = 3
ENGINE = "arcadedb"
KIND = "graph store"
LOCK = "start.lock"


def _with_identity(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**fields, "identity": uuid.uuid4().hex}


RAISED_BY: Mapping[int, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    1: _with_identity,
    2: dict,
}
"""What leads from a format to the next one."""


def prepare_store_folder(folder: Path, *, timeout_s: float) -> None:
    """Mark an empty folder as a store's, or raise an older store to the present format.

    A kill at any moment leaves the mark of before or the new one.

    Args:
        folder: The folder; it is made if it is missing.
        timeout_s: Seconds to wait for another process that prepares it or starts its engine.

    Raises:
        ForeignFileError: Something else lies there; it is left untouched.
        FormatVersionError: A later version of Umbra wrote it.
        StoreTransientError: Another process kept the folder for `timeout_s`.
    """
    marker = folder / "store.json"
    if folder.exists() and not folder.is_dir():
        raise ForeignFileError(
            "a file lies where the graph's folder should be",
            where=str(folder),
            hint="move it away or choose another folder",
        )
    refuse_network_mount(folder)
    if marker.exists() and _read(marker)["format"] == FORMAT:
        return
    if not marker.exists():
        _refuse_strangers(folder)
        folder.mkdir(parents=True, exist_ok=True)
    with file_lock(folder / LOCK, timeout_s=timeout_s):  # one identity, whoever comes first
        fields: dict[str, Any] = {"format": 1, "engine": ENGINE}
        if marker.exists():
            fields = _read(marker)
        while fields["format"] < FORMAT:
            fields = {**RAISED_BY[fields["format"]](fields), "format": fields["format"] + 1}
            write_json(marker, fields)


def store_identity(folder: Path) -> str | None:
    """Return what tells this store from every other; None if it was not opened yet."""
    marker = folder / "store.json"
    if not marker.exists():
        return None
    identity: str | None = _read(marker).get("identity")
    return identity


def _read(marker: Path) -> dict[str, Any]:
    return read_json(marker, kind=KIND, formats=tuple(range(1, FORMAT + 1)))


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and any(
        entry.name not in ("clients.lock", LOCK) and not entry.name.startswith(".store")
        for entry in folder.iterdir()
    ):
        raise ForeignFileError(
            "the folder holds files that are not a graph's",
            where=str(folder),
            hint="choose an empty folder",
        )

"""One database of the embedded engine put in the place of another; a crash shows either.

The engine cannot rename a database, so its folder is renamed while the engine has it closed. A mark
on the disk says that the newer one is whole; from then on whoever comes next ends what was begun.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kg.backends.engine_schema import LOADED, LOADING, LONG_REQUESTS
from kg.errors import StoreError
from kg.files import atomic_write

if TYPE_CHECKING:
    from kg.backends.engine_http import EngineHttp

__all__ = ["Swap"]


class Swap:
    """A database and the newer one that is to take its place. Nobody else may write meanwhile.

    Args:
        engine: The engine's folder.
        database: Name of the database; the newer one is called like it, with an ending.
    """

    def __init__(self, engine: Path, database: str) -> None:
        self.database = database
        self.newer = f"{database}_loading"
        self._mark = engine / f"{database}.swap"
        self._folders = engine / "databases"

    @property
    def begun(self) -> bool:
        """Whether the newer one is whole but may not be in place yet."""
        return self._mark.exists()

    def make(self, http: EngineHttp) -> None:
        """Make the newer database, set for a load; what was left of another one is lost."""
        self.drop(http, self.newer)
        http.server(LONG_REQUESTS)
        http.server(f"create database {self.newer}")
        http.sql(self.newer, ";".join(LOADING) + ";")

    def begin(self, http: EngineHttp) -> None:
        """Sync the newer database to the disk, say so, and put it in place."""
        http.sql(self.newer, ";".join(LOADED) + ";")
        http.server(f"close database {self.newer}")
        _sync_tree(self._folders / self.newer)
        with atomic_write(self._mark) as file:
            file.write(b"whole\n")
        self.finish(http)

    def finish(self, http: EngineHttp) -> None:
        """Put it in place; each step may have been done before a crash."""
        newer, place = self._folders / self.newer, self._folders / self.database
        if newer.is_dir():
            with suppress(StoreError):  # it is closed
                http.server(f"close database {self.newer}")
            self.drop(http, self.database)
            shutil.rmtree(place, ignore_errors=True)
            newer.rename(place)
            _sync(self._folders)
        self._mark.unlink(missing_ok=True)
        with suppress(StoreError):  # it is open
            http.server(f"open database {self.database}")

    @staticmethod
    def drop(http: EngineHttp, database: str) -> None:
        """Drop a database, if there is one."""
        if database in http.server("list databases"):
            with suppress(StoreError):  # it is closed
                http.server(f"open database {database}")
            http.server(f"drop database {database}")


def _sync_tree(folder: Path) -> None:
    """Sync every file below a folder, and the folders."""
    for place, _, names in os.walk(folder):
        for name in (*names, "."):
            _sync(Path(place) / name)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

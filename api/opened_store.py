"""The store of a working folder, as its settings name it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from api.held_difference import HeldDifference

if TYPE_CHECKING:
    from api.records import Records, RecordsOfNow
    from api.settings import Settings
    from api.workspace import Workspace
    from kg.engine_command import LauncherConfig
    from kg.store import Store

__all__ = ["HeldStore", "identity_of_store", "launcher_of", "opened_store"]


def launcher_of(settings: Settings) -> LauncherConfig:
    """Return how the embedded engine is run where these are the settings."""
    from kg.engine_command import LauncherConfig

    quick = LauncherConfig(idle_timeout_s=settings.idle_timeout_s, java=settings.java)
    return quick if settings.engine_compilers == "quick" else replace(quick, java_options=())


def opened_store(workspace: Workspace, settings: Settings) -> Store:
    """Open the embedded store of a working folder, or the remote one that its settings name.

    Raises:
        MissingPartError: There is no working folder yet.
        StoreUnavailableError: The store cannot be reached.
    """
    from kg.backends import open_store  # the driver is slow to import

    if settings.store == "embedded":
        workspace.require()
        return open_store(workspace.graph, launcher=launcher_of(settings))
    auth = (settings.store_user, settings.store_password.get_secret_value())
    return open_store(settings.store, auth=auth)


def identity_of_store(workspace: Workspace, settings: Settings) -> str:
    """Return what tells the store of a working folder from others: a remote one by its address.

    What was made from a store carries it beside the store's version, which two stores may share.
    """
    from kg.store_folder import store_identity

    if settings.store != "embedded":
        return settings.store
    return store_identity(workspace.graph) or settings.store


class HeldStore:
    """The store of an engine, opened when first needed; engines that are copies share one.

    Args:
        workspace: Its working folder.
        settings: Name it.
        store: One that is open already, and that somebody else closes.
    """

    def __init__(self, workspace: Workspace, settings: Settings, store: Store | None) -> None:
        self._workspace = workspace
        self._settings = settings
        self._store = store
        self._owned = store is None
        self._lock = threading.RLock()
        self._records: RecordsOfNow | None = None
        self.difference = HeldDifference()

    def get(self) -> Store:
        """Return the store."""
        with self._lock:
            if self._store is None:
                self._store = opened_store(self._workspace, self._settings)
            return self._store

    @property
    def is_open(self) -> bool:
        """Whether it has been needed yet."""
        return self._store is not None

    def records(self) -> Records:
        """Return what is read of the store at its present version."""
        from api.records import RecordsOfNow

        with self._lock:
            if self._records is None:
                self._records = RecordsOfNow()
        return self._records.of(self.get())

    def close(self) -> None:
        """Close the store if it was opened here; it is opened again when needed."""
        with self._lock:
            self._records = None
            if self._owned and self._store is not None:
                self._store.close()
                self._store = None

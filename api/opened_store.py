"""The store of a working folder, as its settings name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings
    from api.workspace import Workspace
    from kg.store import Store

__all__ = ["identity_of_store", "opened_store"]


def opened_store(workspace: Workspace, settings: Settings) -> Store:
    """Open the embedded store of a working folder, or the remote one that its settings name.

    Raises:
        MissingPartError: There is no working folder yet.
        StoreUnavailableError: The store cannot be reached.
    """
    from kg.backends import open_store  # the driver is slow to import
    from kg.engine_command import LauncherConfig

    if settings.store == "embedded":
        workspace.require()
        launcher = LauncherConfig(idle_timeout_s=settings.idle_timeout_s, java=settings.java)
        return open_store(workspace.graph, launcher=launcher)
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

"""An open graph: its settings, its store, and the snapshot and models that are in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from api.opened_graph import OpenedGraph
from api.opened_store import HeldStore
from api.settings import Settings, load_settings
from api.workspace import Workspace, find_workspace

if TYPE_CHECKING:
    from api.held_difference import HeldDifference
    from api.records import Records
    from kg.snapshot import Snapshot
    from kg.store import Store
    from reasoning.known_edges import KnownEdges

__all__ = ["OpenGraph"]


class OpenGraph:
    """What an engine has open, and how it is exchanged for something newer.

    Args:
        workspace: Its working folder.
        settings: Settings; read from the folder if not given.
        store: A store that is open already (tests, notebooks); else it is opened when needed.
        snapshot: Name of the snapshot that questions run on.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        settings: Settings | None = None,
        store: Store | None = None,
        snapshot: str = "full",
    ) -> None:
        self.workspace = workspace
        self.settings = settings or load_settings(workspace.settings)
        self.snapshot_name = snapshot
        self._store = HeldStore(workspace, self.settings, store)
        self._graph = OpenedGraph(workspace, self.settings, snapshot)

    @classmethod
    def open(cls, folder: str | Path | None = None, *, snapshot: str = "full") -> Self:
        """Open the graph of a working folder (see `api.workspace.find_workspace`)."""
        return cls(find_workspace(None if folder is None else Path(folder)), snapshot=snapshot)

    def __enter__(self) -> Self:
        """Return the engine."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the engine."""
        self.close()

    def close(self) -> None:
        """Close the store if the engine opened it; calling it twice is harmless."""
        self._store.close()

    def forget(self) -> None:
        """Drop the snapshot and models that are open, so that newer ones are read."""
        self._graph = OpenedGraph(self.workspace, self.settings, self.snapshot_name)

    def reload(self) -> bool:
        """Open the snapshot and models that lie in the folder now, if others than those in use.

        Who asks meanwhile is answered by those in use; they go with the last who holds them.

        Returns:
            Whether there were others.

        Raises:
            EngineError: They cannot be opened (they may be half written); nothing has changed.
        """
        newer = OpenedGraph(self.workspace, self.settings, self.snapshot_name)
        if newer.stamp == self._graph.stamp:
            return False
        newer.open_like(self._graph)
        self._graph = newer
        return True

    def lying_there(self) -> object:
        """Return what tells one state of the folder's snapshot and models from another."""
        return self._graph.lying_there()

    def at_once(self) -> Self:
        """Return this engine as it is now: on one snapshot, whatever is loaded meanwhile.

        It shares the store and all that is open; only the original is closed.
        """
        same = object.__new__(type(self))  # what copy.copy does, in a tenth of its time
        same.__dict__.update(self.__dict__)
        return same

    @property
    def state(self) -> str | None:
        """Name of all that answers follow from: snapshot, models, the store's version.

        None before the store has been needed: asking for this starts none.
        """
        if not self.has_open_store:
            return None
        return f"{self.state_of_snapshot} {self.store.version}"

    @property
    def state_of_snapshot(self) -> str:
        """Name of what answers follow from that ask no store: snapshot and models.

        Raises:
            MissingPartError: There is no snapshot.
        """
        return self._graph.name_of_state

    @property
    def has_open_store(self) -> bool:
        """Whether the store has been needed yet."""
        return self._store.is_open

    @property
    def store(self) -> Store:
        """The store, opened when first needed."""
        return self._store.get()

    def records(self) -> Records:
        """Return the store's entities and edges at its present version, those read before held."""
        return self._store.records()

    @property
    def difference(self) -> HeldDifference:
        """The last comparison with another graph."""
        return self._store.difference

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that questions run on.

        Raises:
            MissingPartError: It was never made.
        """
        return self._graph.snapshot

    @property
    def known_edges(self) -> KnownEdges:
        """The edges of that snapshot that count as known.

        Raises:
            MissingPartError: It was never made.
        """
        return self._graph.known_edges

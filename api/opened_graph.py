"""A snapshot with the interpreters on it: loaded when first needed, replaced as one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

from kg.errors import MissingPartError

if TYPE_CHECKING:
    from api.settings import Settings
    from api.workspace import Workspace
    from kg.snapshot import Snapshot
    from reasoning.known_edges import KnownEdges
    from reasoning.protocols import Answerer

__all__ = ["OpenedGraph"]

Name = Literal["symbolic", "rough", "cone", "exact"]
Stamp = tuple[tuple[str, int, int], ...]


class OpenedGraph:
    """What an engine answers with; whoever holds one keeps it, even when the engine has a newer.

    Args:
        workspace: Where snapshot and models lie.
        settings: For the interpreters.
        name: Of the snapshot.
    """

    def __init__(self, workspace: Workspace, settings: Settings, name: str) -> None:
        self._workspace = workspace
        self._settings = settings
        self._name = name
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._known_edges: KnownEdges | None = None
        self._answerers: dict[Name, Answerer] = {}
        self.stamp = self.lying_there()

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot.

        Raises:
            MissingPartError: It was never made.
        """
        from kg.snapshot import load_snapshot  # numpy is slow to import

        with self._lock:
            if self._snapshot is None:
                self._snapshot = load_snapshot(self._workspace.snapshot(self._name))
            return self._snapshot

    @property
    def known_edges(self) -> KnownEdges:
        """The edges of the snapshot that count as known, each relation sorted once.

        Raises:
            MissingPartError: There is no snapshot.
        """
        from reasoning.known_edges import known_edges

        with self._lock:
            if self._known_edges is None:
                known = self._settings.known_probability
                self._known_edges = known_edges(self.snapshot, known_probability=known)
            return self._known_edges

    def answerer(self, name: Name) -> tuple[Answerer, tuple[str, ...]]:
        """Return an interpreter and warnings; without a trained model the default is exact."""
        from api.steps.train import load_answerer

        with self._lock:
            if name in self._answerers:
                return self._answerers[name], ()
            folder = self._workspace.model(self._name, name)
            try:
                found = load_answerer(name, folder, self.snapshot, self._settings)
            except MissingPartError:
                if name != "symbolic":
                    raise
                exact = load_answerer("exact", folder, self.snapshot, self._settings)
                return exact, ("no model is trained: known answers only (run `umbra train`)",)
            self._answerers[name] = found
            return found, ()

    def open_like(self, other: OpenedGraph) -> None:
        """Load what the other one has loaded.

        Raises:
            EngineError: It cannot be opened.
        """
        if other.has_snapshot:
            _ = self.snapshot
        for name in tuple(other._answerers):
            self.answerer(name)

    @property
    def has_snapshot(self) -> bool:
        """Whether the snapshot is loaded."""
        return self._snapshot is not None

    @property
    def name_of_state(self) -> str:
        """Name of what lay in the folder when this was opened, the same in every process."""
        return f"{self.snapshot.hash} {self.stamp}"

    def lying_there(self) -> Stamp:
        """Return what tells one state of the folder's snapshot and models from another."""
        models = self._workspace.model(self._name, "symbolic").parent
        files = [self._workspace.snapshot(self._name) / "snapshot.json", *models.glob("*/*.json")]
        found = []
        for file in sorted(files):
            try:
                seen = file.stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            found.append((str(file), seen.st_mtime_ns, seen.st_ino))
        return tuple(found)

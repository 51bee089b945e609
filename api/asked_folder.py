"""A graph folder and the model that `umbra train FOLDER` made, asked as a working folder is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from api.engine import Engine
from api.opened_graph import OpenedGraph
from api.records import Records
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import SettingError
from kg.graph_folder import SPLITS, GraphFolder, load_graph_folder
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.provenance import Provenance

if TYPE_CHECKING:
    from api.engine import AnswererName
    from api.settings import Settings
    from kg.snapshot import Snapshot
    from reasoning.notations import Reading
    from reasoning.protocols import Answerer
    from reasoning.query import Query

__all__ = ["FolderEngine", "KnownSplits"]

KnownSplits = Literal["train", "train+valid", "all"]
"""Whose edges count as known; probabilities were fitted with those of training alone known."""

STATE = "asked"
"""Below the model: jobs of files of questions, and lines that could not be answered."""


class FolderEngine(Engine):
    """A graph folder that can be asked by its model; nothing of it is in a store.

    Args:
        graph: Graph folder (`kg.graph_folder`).
        model: Folder of `umbra train FOLDER --out`.
        known: Whose edges count as known.
        settings: Limits of answers.

    Raises:
        InputError: The graph cannot be read; the line is named.
        MissingPartError: There is no graph or no finished model.
        CheckpointMismatchError: The model was trained on another graph.

    Example:
        >>> engine = FolderEngine(Path("NELL995"), Path("models/NELL995"))  # doctest: +SKIP
        >>> engine.ask("MATCH (x)-[:`concept:worksfor`]->({name: 'intel'}) RETURN x").answers
    """

    def __init__(
        self, graph: Path, model: Path, *, known: KnownSplits = "train", settings: Settings
    ) -> None:
        super().__init__(Workspace(model / STATE), settings=settings, store=MemoryStore())
        self._folder = load_graph_folder(graph)
        self._graph = _OpenedFolder(self.workspace, settings, self._folder, model, known)
        self._records = _FolderRecords(self._folder)

    def reading(
        self, question: str | Mapping[str, Any] | Query, parameters: Mapping[str, Any] | None = None
    ) -> Reading:
        """Read a question as an engine does; integers in tuples are those of the folder's lists."""
        from reasoning.notations import BetaeNames, Reading, read

        if not isinstance(question, str | Mapping):
            return Reading(asked=question)
        names = BetaeNames(
            entities=self._folder.entity_order,
            relations=self._folder.relation_order,
            known=self._used,
        )
        return read(question, snapshot=self.snapshot, parameters=parameters, tuples=names)

    @cached_property
    def _used(self) -> frozenset[str]:
        """The relations that edges have; a list may name their opposites besides."""
        full = self._folder.full
        return frozenset(full.relation_names.name(r) for r in np.unique(full.relations))

    def records(self) -> Records:
        """Return the folder's entities and edges, each from the split that its file is of."""
        return self._records


def _known_edges(folder: GraphFolder, known: KnownSplits) -> Snapshot:
    """Return the graph of the edges that count as known."""
    if known == "train":
        return folder.train
    return folder.train_valid if known == "train+valid" else folder.full


class _OpenedFolder(OpenedGraph):
    """The known edges of a graph folder, with the answerers over them."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        folder: GraphFolder,
        model: Path,
        known: KnownSplits,
    ) -> None:
        from reasoning.folder_model import load_folder_model

        super().__init__(workspace, settings, "full")
        self._model = load_folder_model(model, folder.train)
        self._snapshot = _known_edges(folder, known)

    def answerer(self, name: AnswererName) -> tuple[Answerer, tuple[str, ...]]:
        """Return the folder's model, or who answers by known edges alone."""
        from reasoning.exact import ExactAnswerer

        if name not in ("symbolic", "exact"):
            raise SettingError(
                f"the model of a graph folder is no {name} model",
                where="--answerer",
                hint="ask symbolic (the model) or exact (known edges alone)",
            )
        with self._lock:
            if name not in self._answerers:
                self._answerers[name] = (
                    ExactAnswerer(self.snapshot)
                    if name == "exact"
                    else self._model.answerer(self.snapshot)
                )
            return self._answerers[name], ()


class _FolderRecords(Records):
    """Tells of a graph folder what a store would: names, and which split an edge stands in."""

    def __init__(self, folder: GraphFolder) -> None:
        super().__init__(MemoryStore(), 0)
        self._full, self._split = folder.full, folder.split
        self._source = folder.path.resolve().name

    def read(self, keys: Iterable[EntityKey]) -> None:
        """Do nothing: all is in memory."""

    def read_edges(self, keys: Iterable[EdgeKey]) -> None:
        """Do nothing: all is in memory."""

    def entity(self, key: EntityKey) -> Entity | None:
        """Return an entity with its name."""
        place = self._full.entities.get(key)
        if place is None:
            return None
        return Entity(key=key, label=self._full.label_of(place), name=self._full.names[place])

    def edges(self, *, head: EntityKey, relation: str, tail: EntityKey) -> tuple[Edge, ...]:
        """Return the edge with the split that it stands in."""
        graph = self._full
        number = graph.relation_names.get(relation)
        start, end = graph.entities.get(head), graph.entities.get(tail)
        if number is None or start is None or end is None:
            return ()
        places = graph.edge_positions(number, start)
        return tuple(
            Edge(
                head=head,
                relation=relation,
                tail=tail,
                provenance=(
                    Provenance(kind="asserted", source=f"{self._source}/{SPLITS[int(split)]}"),
                ),
            )
            for split in self._split[places[graph.tails[places] == end]]
        )

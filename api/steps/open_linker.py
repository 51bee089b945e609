"""Which linker links, and to what: from its folder, on the graph or on a file of entities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from api.workspace import Workspace
from kg.errors import MissingPartError, SettingError
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers import KnowledgeBase
    from linkers.boosted import EntityTable, PooledTexts
    from linkers.review.memory import ReviewedLinker

__all__ = [
    "BOOSTED",
    "LINKER",
    "ChosenLinker",
    "LinkerChoice",
    "has_trees",
    "open_linker",
    "pooled_texts",
]

LINKER = "linker"
"""Name of the linker's step and of its model's folder."""
BOOSTED = "boosted-linker"
"""Folder of the model that `umbra link train` leaves; the step's stamp says which of both holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkerChoice:
    """Which linker links, and to what.

    Attributes:
        folder: A trained linker's folder, or a working folder in which one was trained; the
            engine's own if not given.
        label: Class of the entities that mentions may mean; the one of training if not given, and
            every class where another folder's linker is used.
        entities: A file of entities that are linked to in place of the graph's (boosted linkers).
    """

    folder: Path | None = None
    label: str | None = None
    entities: Path | None = None


class ChosenLinker:
    """A trained linker and its entities; nothing is encoded before `open`.

    Args:
        engine: Whose entities the mentions may mean.
        choice: Which linker.

    Raises:
        MissingPartError: No linker was trained, or none lies in the folder that is named.
        SettingError: This linker needs a graph, and a file of entities was named.
    """

    def __init__(self, engine: Engine, choice: LinkerChoice) -> None:
        self._engine = engine
        self._choice = choice
        own = engine.workspace
        place = own if choice.folder is None else Workspace(choice.folder)
        trained = trained_in(place)
        if choice.folder is None and not trained.is_dir():
            raise MissingPartError(
                "no linker is trained",
                where=str(trained),
                hint="umbra link train, umbra demo, or name one: --linker",
            )
        self._folder = trained if choice.folder is None or trained.is_dir() else choice.folder
        if choice.folder is not None and not any(self._folder.glob("*.json")):
            raise MissingPartError(
                "no linker lies there",
                where=str(choice.folder),
                hint="name what `umbra link train --save` wrote, or a working folder with a linker",
            )
        from linkers.boosted import is_boosted  # loads PyTorch

        self._boosted = is_boosted(self._folder)
        if choice.entities is not None and not self._boosted:
            raise SettingError(
                "this linker reads the facts and pictures of a graph",
                where="--entities",
                hint="train one on names: umbra link train MENTIONS --entities FILE",
            )

    @property
    def reads_pictures(self) -> bool:
        """Whether the picture of a mention counts."""
        return not self._boosted

    @property
    def fingerprint(self) -> str:
        """What the opened linker's fingerprint will be; no encoder has to run."""
        from linkers.review import memory

        log = self._engine.workspace.review
        if self._boosted:
            encoder = self._texts.encoder
            return memory.reviewed_boosted_fingerprint(self._folder, self._table, log, encoder)
        return memory.reviewed_fingerprint(self._folder, self._base, log)

    def open(self, *, progress: Progress = silent) -> ReviewedLinker:
        """Open it, with what people decided.

        Args:
            progress: Told how much of the entities is encoded.
        """
        from api.steps.knowledge_base import linking_encoders
        from linkers.review.memory import load_reviewed, load_reviewed_boosted

        log = self._engine.workspace.review
        if self._boosted:
            return load_reviewed_boosted(
                self._folder, self._table, log, self._texts, progress=progress
            )
        encoders = linking_encoders(self._engine)
        return load_reviewed(self._folder, self._base, log, encoders=encoders, progress=progress)

    @cached_property
    def _texts(self) -> PooledTexts:
        return pooled_texts(self._engine)

    @cached_property
    def _base(self) -> KnowledgeBase:
        from api.steps.knowledge_base import knowledge_base

        label = self._choice.label
        if self._choice.folder is None and label is None:
            label = self._engine.workspace.recorded(LINKER)["label"]
        return knowledge_base(self._engine, label)

    @cached_property
    def _table(self) -> EntityTable:
        from linkers.boosted import EntityTable
        from linkers.mention_sets import read_entity_table

        if self._choice.entities is not None:
            return read_entity_table(self._choice.entities)
        return EntityTable.of_base(self._base)


def trained_in(workspace: Workspace) -> Path:
    """Return the folder of the linker that was trained last in a working folder."""
    stamp = workspace.recorded(LINKER) if workspace.step(LINKER).exists() else {}
    return workspace.model("full", BOOSTED if stamp.get("kind") == BOOSTED else LINKER)


def has_trees(workspace: Workspace, choice: LinkerChoice) -> bool:
    """Tell whether a chosen linker is of decision trees; of one that is not there, that it is not.

    For a linker of a working folder this loads no model library.
    """
    place = workspace if choice.folder is None else Workspace(choice.folder)
    if place.step(LINKER).exists():
        return bool(place.recorded(LINKER).get("kind") == BOOSTED)
    if choice.folder is None or not choice.folder.is_dir():
        return False
    from linkers.boosted import is_boosted  # loads PyTorch

    return is_boosted(choice.folder)


def pooled_texts(engine: Engine) -> PooledTexts:
    """Return the text encoder of the settings; vectors of names are kept in the working folder."""
    from api.steps.encoders import text_encoder_named
    from linkers.boosted import PooledTexts

    indexes = engine.workspace.indexes
    encoder = text_encoder_named(engine.settings.text_encoder, indexes, remembers=False)
    return PooledTexts(encoder, indexes)


def open_linker(
    engine: Engine, choice: LinkerChoice | None = None, *, progress: Progress = silent
) -> ReviewedLinker:
    """Open the trained linker on the entities as they are now.

    Entities that came after training can be linked to at once: what was trained knows no entity by
    heart. What people decided (`umbra link review`) holds.

    Args:
        engine: Whose entities the mentions may mean.
        choice: Which linker; the one that was trained here if not given.
        progress: Told how much of the base is encoded.

    Raises:
        MissingPartError: No linker was trained.
        SettingError: This linker needs a graph, and a file of entities was named.
    """
    return ChosenLinker(engine, choice or LinkerChoice()).open(progress=progress)

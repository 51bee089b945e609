"""A linker to be put to the test: without people's decisions, with what it may mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from api.steps.open_linker import LinkerChoice, open_linker
from kg.model import EntityKey

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers.attribute_words import Attribute
    from linkers.pictures import MentionPictures
    from linkers.protocols import MentionLinker

__all__ = ["CheckedLinker", "open_checked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLinker:
    """A linker for a check.

    Attributes:
        linker: Links.
        names: Names of entities.
        identity: Names it and its base in the result's inputs.
        known: Words that the graph says of entities.
    """

    linker: MentionLinker
    names: Mapping[EntityKey, str]
    identity: str
    known: Mapping[EntityKey, Sequence[Attribute]] = field(default_factory=dict)

    @property
    def keys(self) -> Collection[EntityKey]:
        """All that may be meant."""
        return self.names.keys()


def open_checked(engine: Engine, choice: LinkerChoice, pictures: MentionPictures) -> CheckedLinker:
    """Open a linker as it is, without what people said of single mentions.

    Args:
        engine: Whose graph.
        choice: Which linker, and to what.
        pictures: Opens pictures of mentions.

    Raises:
        MissingPartError: There is none.
        SettingError: It is not said what is meant.
    """
    from linkers.attribute_words import entity_attributes

    reviewed = open_linker(engine, choice)
    linker = reviewed.undecided
    base = linker.base
    return CheckedLinker(
        linker=linker.showing(pictures),
        names={k: own[0] if own else k for k, own in zip(base.keys, base.names, strict=True)},
        identity=linker.fingerprint,
        known={} if choice.entities else entity_attributes(engine.store.entities()),
    )

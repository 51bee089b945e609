"""What every linker is to a job, a text, a review and a server, whatever its models are.

`linkers.Linker` reads facts and pictures and compares a mention with every entity of a graph;
`linkers.boosted.BoostedLinker` looks at 64 of very many entities. Who links by either needs no more
than stands here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, Self

from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.model import Link, Mention

if TYPE_CHECKING:  # it loads PyTorch, and who submits a job can do without
    from linkers.evidence import MentionImages

__all__ = ["MentionLinker", "NamedEntities"]


class NamedEntities(Protocol):
    """What mentions may mean; positions are ids."""

    @property
    def keys(self) -> Sequence[EntityKey]:
        """Key of each entity."""
        ...

    @property
    def names(self) -> Sequence[Sequence[str]]:
        """Name and aliases of each, the name first."""
        ...

    @property
    def spellings(self) -> Mapping[str, tuple[int, ...]]:
        """Ids by normalised name (`linkers.names.normalised`)."""
        ...


class MentionLinker(Protocol):
    """Links mentions; the link of a mention depends on it and its document alone."""

    @property
    def base(self) -> NamedEntities:
        """The entities."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of all that a link depends on: what was trained, the entities, decisions."""
        ...

    @property
    def reads_pictures(self) -> bool:
        """Whether the picture of a mention counts; if not, none is opened."""
        ...

    @property
    def pixels(self) -> MentionImages | None:
        """Opens pictures of mentions by name; None where a job brings its own."""
        ...

    def showing(self, pixels: MentionImages) -> Self:
        """Return the same linker with other pictures of mentions."""
        ...

    def can_open(self, mention: Mention) -> bool:
        """Tell whether a mention has no picture, or one that can be opened, or need not be."""
        ...

    def forget(self) -> None:
        """Drop what was kept of mentions seen so far, to bound a long job's memory."""
        ...

    def link(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> list[Link]:
        """Return one link a mention, in order."""
        ...

"""A linker that knows what people decided: the next run gives their answers and learns from them.

A mention that was decided is answered so, whatever the models say. Decisions also count as links of
their words (`linkers.priors`, `linkers.boosted.memory`), and aliases that they added stand in the
base already. Without decisions it is the trained linker, bit by bit.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from encoders.protocols import TextEncoder
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.boosted.checkpoint import load_parts
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.texts import PooledTexts
from linkers.checkpoint import load_trained
from linkers.evidence import MentionImages, window
from linkers.fingerprint import linker_fingerprint
from linkers.knowledge_base import KnowledgeBase
from linkers.linker import Linker
from linkers.model import Link, Mention
from linkers.names import normalised
from linkers.priors import Priors
from linkers.protocols import MentionLinker, NamedEntities
from linkers.review.learning import read_learnt
from linkers.review.model import mention_hash
from linkers.review.review import Review
from linkers.trained import Trained
from linkers.vectors import Encoders

__all__ = [
    "ReviewedLinker",
    "load_reviewed",
    "load_reviewed_boosted",
    "reviewed_boosted_fingerprint",
    "reviewed_fingerprint",
]

_Decided = Mapping[str, tuple[EntityKey | None, int]]


class ReviewedLinker:
    """A linker with the decisions of a review; made by `load_reviewed`.

    Args:
        linker: Answers what nobody decided.
        decided: What a mention means, by `mention_hash`, and the number of the decision.
        own: Fingerprint of the linker without decisions; its own if not given.
    """

    def __init__(self, linker: MentionLinker, decided: _Decided, *, own: str | None = None) -> None:
        self._linker = linker
        self._decided = decided
        self._own = own
        self._keys = frozenset(linker.base.keys)

    @property
    def undecided(self) -> MentionLinker:
        """The linker that answers what nobody decided."""
        return self._linker

    @property
    def base(self) -> NamedEntities:
        """The entities."""
        return self._linker.base

    @property
    def fingerprint(self) -> str:
        """Hash of all that a link depends on, decisions included."""
        own = self._linker.fingerprint if self._own is None else self._own
        return _with_decisions(own, self._decided)

    @property
    def reads_pictures(self) -> bool:
        """Whether the picture of a mention counts."""
        return self._linker.reads_pictures

    @property
    def pixels(self) -> MentionImages | None:
        """Opens pictures of mentions by name."""
        return self._linker.pixels

    def showing(self, pixels: MentionImages) -> ReviewedLinker:
        """Return the same linker with other pictures of mentions."""
        return ReviewedLinker(self._linker.showing(pixels), self._decided, own=self._own)

    def can_open(self, mention: Mention) -> bool:
        """Tell whether a mention has no picture, or one that can be opened, or need not be."""
        return self._linker.can_open(mention)

    def forget(self) -> None:
        """Drop what was kept of mentions seen so far."""
        self._linker.forget()

    def link(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> list[Link]:
        """Link mentions; those that were decided are answered so."""
        links = self._linker.link(mentions, progress=progress)
        return [self._answered(m, link) for m, link in zip(mentions, links, strict=True)]

    def _answered(self, mention: Mention, link: Link) -> Link:
        found = self._decided.get(mention_hash(mention)) if self._decided else None
        if found is None:
            return link
        key, number = found
        if key is not None and key not in self._keys:
            return link  # it has been deleted, or is of a class that mentions do not mean
        return replace(
            link,
            state="nil" if key is None else "linked",
            entity=key,
            probability=1.0,
            nil_probability=float(key is None),
            reason=f"decided by a person (decision {number})",
        )


def load_reviewed(
    folder: Path,
    base: KnowledgeBase,
    log: Path,
    *,
    encoders: Encoders,
    progress: Progress = silent,
    **options: Any,
) -> ReviewedLinker:
    """Open a trained linker as `Linker.load`, with the decisions of a review.

    Args:
        folder: What `Linker.save` wrote.
        base: The knowledge base.
        log: The review's log; there need be none.
        encoders: Those it was trained with.
        progress: Told how much of the base is encoded.
        **options: Further arguments of `Linker`.
    """
    trained, decided = _remembered(folder, log)
    return ReviewedLinker(Linker(base, encoders, trained, progress=progress, **options), decided)


def reviewed_fingerprint(folder: Path, base: KnowledgeBase, log: Path) -> str:
    """Return the fingerprint that `load_reviewed` would give its linker; no encoder has to run.

    Args:
        folder: What `Linker.save` wrote.
        base: The knowledge base.
        log: The review's log; there need be none.
    """
    trained, decided = _remembered(folder, log)
    return _with_decisions(linker_fingerprint(trained, base), decided)


def load_reviewed_boosted(
    folder: Path, table: EntityTable, log: Path, texts: PooledTexts, *, progress: Progress = silent
) -> ReviewedLinker:
    """Open a boosted linker, with the decisions of a review in its memory.

    Args:
        folder: What `linkers.boosted.save_linker` wrote.
        table: The entities.
        log: The review's log; there need be none.
        texts: Encodes as at the training.
        progress: Told names encoded.
    """
    parts = load_parts(folder, table, texts.encoder)
    own = parts.fingerprint(texts.encoder.fingerprint)
    learnt = read_learnt(folder)  # its memory holds these already
    meanings = [
        meaning
        for meaning in Review(None, log).meanings()
        if (mention_hash(meaning[0]), meaning[1]) not in learnt
    ]
    if meanings:
        mentions = [mention.placed() for mention, _, _ in meanings]
        gold = [-1 if key is None else table.ids.get(key, -1) for _, key, _ in meanings]
        contexts = texts.matrix([window(mention) for mention in mentions])
        parts = replace(parts, memory=parts.memory.more(mentions, gold, contexts))
    return ReviewedLinker(parts.linker(texts, progress=progress), _decided(log), own=own)


def reviewed_boosted_fingerprint(
    folder: Path, table: EntityTable, log: Path, encoder: TextEncoder
) -> str:
    """Return the fingerprint that `load_reviewed_boosted` would give; no encoder has to run."""
    own = load_parts(folder, table, encoder).fingerprint(encoder.fingerprint)
    return _with_decisions(own, _decided(log))


def _remembered(folder: Path, log: Path) -> tuple[Trained, _Decided]:
    """Return what was trained, with the priors of decisions, and the decisions."""
    trained = load_trained(folder)
    meanings = Review(None, log).meanings()
    if not meanings:
        return trained, {}
    counts = {
        surface: Counter({EntityKey(key): n for key, n in keys.items()})
        for surface, keys in trained.priors.to_json().items()
    }
    for mention, meant, _ in meanings:
        if meant is not None and mention.surface.strip():
            counts.setdefault(normalised(mention.surface), Counter())[meant] += 1
    return replace(trained, priors=Priors(counts)), _decided(log)


def _decided(log: Path) -> _Decided:
    return {
        mention_hash(mention): (meant, decision.number)
        for mention, meant, decision in Review(None, log).meanings()
    }


def _with_decisions(own: str, decided: _Decided) -> str:
    if not decided:
        return own
    return hashlib.sha256(json.dumps([own, sorted(decided.items())]).encode()).hexdigest()

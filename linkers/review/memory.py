"""A linker that knows what people decided: the next run gives their answers and learns from them.

A mention that was decided is answered so, whatever the models say. Decisions also count as links of
their words (`linkers.priors`), and aliases that they added stand in the base already. Without
decisions it is the trained linker, bit by bit.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.checkpoint import load_trained
from linkers.fingerprint import linker_fingerprint
from linkers.knowledge_base import KnowledgeBase
from linkers.linker import Linker
from linkers.model import Link, Mention
from linkers.names import normalised
from linkers.priors import Priors
from linkers.review.model import mention_hash
from linkers.review.review import Review
from linkers.trained import Trained
from linkers.vectors import Encoders

__all__ = ["ReviewedLinker", "load_reviewed", "reviewed_fingerprint"]

_Decided = Mapping[str, tuple[EntityKey | None, int]]


class ReviewedLinker(Linker):
    """A linker with the decisions of a review; made by `load_reviewed`."""

    decided: _Decided = MappingProxyType({})
    """What a mention means, by `mention_hash`, and the number of the decision."""

    @property
    def fingerprint(self) -> str:
        """Hash of all that a link depends on, decisions included."""
        return _with_decisions(super().fingerprint, self.decided)

    def link(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> list[Link]:
        """Link mentions as `Linker.link`; those that were decided are answered so."""
        links = super().link(mentions, progress=progress)
        return [self._answered(m, link) for m, link in zip(mentions, links, strict=True)]

    def _answered(self, mention: Mention, link: Link) -> Link:
        found = self.decided.get(mention_hash(mention))
        if found is None:
            return link
        key, number = found
        if key is not None and key not in self.base.ids:
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
    linker = ReviewedLinker(base, encoders, trained, progress=progress, **options)
    linker.decided = decided
    return linker


def reviewed_fingerprint(folder: Path, base: KnowledgeBase, log: Path) -> str:
    """Return the fingerprint that `load_reviewed` would give its linker; no encoder has to run.

    Args:
        folder: What `Linker.save` wrote.
        base: The knowledge base.
        log: The review's log; there need be none.
    """
    trained, decided = _remembered(folder, log)
    return _with_decisions(linker_fingerprint(trained, base), decided)


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
    decided = {
        mention_hash(mention): (meant, decision.number) for mention, meant, decision in meanings
    }
    return replace(trained, priors=Priors(counts)), decided


def _with_decisions(own: str, decided: _Decided) -> str:
    if not decided:
        return own
    return hashlib.sha256(json.dumps([own, sorted(decided.items())]).encode()).hexdigest()

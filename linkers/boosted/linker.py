"""The boosted linker: a table of entities, a memory of links, trees; mentions in, links out.

For large sets of entities that have names and little else. `linkers.Linker` is for graphs with
facts and pictures and compares each mention with every entity; this one looks at 64 of them. Both
are `linkers.protocols.MentionLinker`: jobs, texts, reviews and servers take either.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kg.progress import Progress, silent
from linkers.boosted.describing import Described, describe
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.features import FEATURES
from linkers.boosted.fingerprint import boosted_fingerprint
from linkers.boosted.heap import give_back
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.boosted.ranker import Ranker, RankerConfig
from linkers.boosted.texts import PooledTexts
from linkers.boosted.training import Labelled, gather, train_ranker
from linkers.boosted.verdict import Verdict
from linkers.evidence import MentionImages
from linkers.model import Candidate, Link, LinkState, Mention, NilReason

__all__ = ["BoostedLinker", "Ranked"]

_DIGITS = 6
_GIVEN_BACK = 4_096  # mentions, after which free memory goes back to the system
_KEPT = 10  # candidates told of a mention
_EXPLAINED = 2  # of them, with what speaks for them
_LINK_ABOVE = 0.5
_CLOSE = 0.5  # an entity at least half as likely as NIL: the margin is low

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """A block of mentions with ranked candidates.

    Attributes:
        described: The candidates.
        scores: ``(P,)`` log-odds, higher is better.
        first: ``(n,)`` probability that the best candidate is the entity; None if untrained.
        nil: ``(n,)`` probability that the entity is not in the base; None if untrained.
    """

    described: Described
    scores: Floats
    first: Floats | None
    nil: Floats | None

    def best(self) -> NDArray[np.int64]:
        """Return ``(n,)`` the id of each mention's best candidate; ties by the lower id."""
        pairs = self.described.pairs
        highest = np.maximum.reduceat(self.scores, pairs.starts)[pairs.rows]
        places = np.flatnonzero(self.scores == highest)
        _, firsts = np.unique(pairs.rows[places], return_index=True)
        return pairs.ids[places[firsts]]  # ids of a mention ascend


class BoostedLinker:
    """Links mentions to the entities of a table.

    Args:
        index: Of the entities.
        memory: Of training links.
        ranker: From `train_ranker`.
        verdict: The same; None leaves all links for review.

    Example:
        >>> from encoders import TinyTextEncoder
        >>> from kg.model import EntityKey
        >>> table = EntityTable(
        ...     keys=(EntityKey("Q298"), EntityKey("Q419")), names=(("Chile",), ("Peru",))
        ... )
        >>> linker = BoostedLinker.train(table, PooledTexts(TinyTextEncoder()), ((), ()))
        >>> linker.link([Mention(id="1", surface="Peru's")])[0].entity
        'Q419'
    """

    def __init__(
        self, index: NameIndex, memory: Memory, ranker: Ranker, verdict: Verdict | None
    ) -> None:
        self.index = index
        self.memory = memory
        self.ranker = ranker
        self.verdict = verdict
        self._ranked = 0  # since free memory was given back

    @classmethod
    def train(
        cls,
        table: EntityTable,
        texts: PooledTexts,
        train: Labelled,
        *,
        valid: Labelled = ((), ()),
        config: RankerConfig | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Self:
        """Train a linker.

        Args:
            table: The entities.
            texts: Encodes names, surfaces and texts.
            train: Mentions to learn from; without any, a few likenesses are added up.
            valid: Mentions to calibrate by; without any, a fifth of the training documents.
            config: Settings.
            seed: Of everything random.
            progress: Told mentions described.

        Raises:
            InputError: No training mention has its entity among its candidates.
        """
        material = gather(table, texts, train, valid, progress=progress)
        ranker, verdict = train_ranker(material, config=config, seed=seed)
        return cls(material.index, material.memory, ranker, verdict)

    @property
    def base(self) -> EntityTable:
        """The entities."""
        return self.index.table

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that a link depends on."""
        return boosted_fingerprint(
            self.base,
            self.memory,
            self.ranker,
            self.verdict,
            encoder=self.index.texts.encoder.fingerprint,
        )

    @property
    def reads_pictures(self) -> bool:
        """Whether the picture of a mention counts: it does not."""
        return False

    @property
    def pixels(self) -> MentionImages | None:
        """Opens pictures: nothing does."""
        return None

    def showing(self, pixels: MentionImages) -> Self:
        """Return the same linker: it looks at no pictures."""
        del pixels
        return self

    def can_open(self, mention: Mention) -> bool:
        """Tell whether a mention's picture can be opened: it need not be."""
        del mention
        return True

    def forget(self) -> None:
        """Drop the vectors of mentions seen so far, to bound a long job's memory."""
        self.index.texts.forget()
        if self._ranked >= _GIVEN_BACK:
            self._ranked = 0
            give_back()

    def rank(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> Iterator[Ranked]:
        """Yield ranked candidates, a block at a time; mentions of a document see one another."""
        for part in describe(self.index, self.memory, mentions, progress=progress):
            self._ranked += len(part)
            yield self.judge(part)

    def judge(self, described: Described) -> Ranked:
        """Rank candidates that are described already."""
        scores = self.ranker.scores(described)
        first = nil = None
        if self.verdict is not None:
            first, nil = self.verdict.apply(described, scores)
        return Ranked(described=described, scores=scores, first=first, nil=nil)

    def link(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> list[Link]:
        """Link mentions: one link each, in order; those of one `document` see one another.

        A link whose probability nothing could teach is for `review`, at probability 0. A mention
        that has neither words nor a text is NIL: nothing is known of it here.
        """
        links: list[Link] = []
        placed = [_alone(number, mention.placed()) for number, mention in enumerate(mentions)]
        for ranked in self.rank(placed, progress=progress):
            block = placed[len(links) : len(links) + len(ranked.described)]
            links += [self._link(mention, ranked, row) for row, mention in enumerate(block)]
        return links

    def _link(self, mention: Mention, ranked: Ranked, row: int) -> Link:
        if not mention.surface.strip() and not mention.context.strip():
            return _nothing_said(mention)
        starts = np.append(ranked.described.pairs.starts, len(ranked.scores))
        part = slice(int(starts[row]), int(starts[row + 1]))
        scores = ranked.scores[part]
        best = 0.0 if ranked.first is None else float(ranked.first[row])
        nil = 0.0 if ranked.nil is None else float(ranked.nil[row])
        found = self._candidates(ranked, part, best, max(0.0, 1.0 - best - nil))
        is_nil = nil > best
        state: LinkState = "nil" if is_nil else "linked" if best >= _LINK_ABOVE else "review"
        reason: NilReason | None = None
        if is_nil:
            reason = "low margin" if best >= _CLOSE * nil else "out of the graph"
        return Link(
            mention=mention.id,
            state=state,
            entity=None if is_nil or not len(scores) else found[0].entity,
            probability=round(nil if is_nil else best, _DIGITS),
            nil_probability=round(nil, _DIGITS),
            reason=reason,
            candidates=found,
        )

    def _candidates(
        self, ranked: Ranked, part: slice, best: float, rest: float
    ) -> tuple[Candidate, ...]:
        """Return the best candidates, the first two with what speaks for them.

        What probability the best leaves is shared by the odds of all others.
        """
        scores, ids = ranked.scores[part], ranked.described.pairs.ids[part]
        order = np.lexsort((ids, -scores))
        others = np.exp(scores[order[1:]] - scores[order[0]])
        shares = np.append(best, rest * others / max(float(others.sum()), 1e-12))[:_KEPT]
        order = order[:_KEPT]
        keys = self.index.table.keys
        told = [_signals(ranked.described.values[part][row]) for row in order[:_EXPLAINED]]
        told += [{}] * (len(order) - len(told))
        return tuple(
            Candidate(
                entity=keys[id_],
                score=round(score, _DIGITS),
                probability=round(min(share, best or share), _DIGITS),
                signals=signals,
            )
            for id_, score, share, signals in zip(
                ids[order].tolist(), scores[order].tolist(), shares.tolist(), told, strict=True
            )
        )


def _signals(values: NDArray[np.float32]) -> dict[str, float]:
    """Return what speaks for or against a candidate: all that is there and is not 0."""
    shown = values.astype(np.float64).round(4).tolist()
    pairs = zip(FEATURES, shown, strict=True)
    return {name: value for name, value in pairs if value and not math.isnan(value)}


def _alone(number: int, mention: Mention) -> Mention:
    """Return a mention without document as its own: what else is linked with it must not count."""
    return mention if mention.document is not None else replace(mention, document=f"\0{number}")


def _nothing_said(mention: Mention) -> Link:
    return Link(
        mention=mention.id,
        state="nil",
        entity=None,
        probability=1.0,
        nil_probability=1.0,
        reason="no candidate",
    )

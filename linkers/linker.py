"""The linker: a base, encoders, and what was trained; mentions in, links out."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.checkpoint import load_trained, save_trained
from linkers.config import LinkerConfig
from linkers.conflict import IN_CONFLICT, apart, conflict
from linkers.evidence import Evidence, MentionImages
from linkers.fingerprint import linker_fingerprint
from linkers.fitting import train_parts
from linkers.knowledge_base import KnowledgeBase
from linkers.model import Candidate, Link, LinkState, Mention, NilReason
from linkers.scoring import ALL_SIGNALS, Scorer, Sighting
from linkers.trained import Trained
from linkers.vectors import Encoders

__all__ = ["Linker"]

_DIGITS = 6
_CLOSE = 0.5  # an entity at least half as likely as NIL: the margin is low


class Linker:
    """Links mentions to the entities of a base.

    Args:
        base: The knowledge base; any, not only the one it was trained on.
        encoders: The encoders it was trained with.
        trained: From `Linker.train` or `Linker.load`.
        pixels: Opens pictures of mentions by name.
        progress: Told how much of the base is encoded.

    Raises:
        InputError: Other encoders than those it was trained with.
    """

    def __init__(
        self,
        base: KnowledgeBase,
        encoders: Encoders,
        trained: Trained,
        *,
        pixels: MentionImages | None = None,
        progress: Progress = silent,
        evidence: Evidence | None = None,
    ) -> None:
        if trained.encoders != encoders.fingerprint:
            raise InputError(
                f"the linker was trained with the encoders {trained.encoders}, "
                f"not with {encoders.fingerprint}",
                hint="train it again, or name its encoders in the settings",
            )
        self.base = base
        self.trained = trained
        self._pixels = pixels
        self._evidence = evidence or Evidence(base, encoders, progress=progress)
        most, student, foreign = trained.config.candidates, trained.student, trained.foreign
        self._scorer = Scorer(
            self._evidence, trained.network, limit=most, student=student, foreign=foreign
        )

    @classmethod
    def train(
        cls,
        base: KnowledgeBase,
        mentions: Sequence[Mention],
        gold: Sequence[EntityKey | None],
        *,
        encoders: Encoders,
        valid: tuple[Sequence[Mention], Sequence[EntityKey | None]] = ((), ()),
        config: LinkerConfig | None = None,
        pixels: MentionImages | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Self:
        """Train a linker.

        Args:
            base: The knowledge base.
            mentions: Mentions to learn from.
            gold: Key of each one's entity; None for NIL. A key that the base lacks is NIL too.
            encoders: Frozen encoders.
            valid: Mentions and gold to stop and calibrate by.
            config: Settings.
            pixels: Opens pictures of mentions by name.
            seed: Of everything random.
            progress: Told percent done.

        Raises:
            InputError: Lengths differ, or nothing can be learnt.
        """
        evidence = Evidence(base, encoders, progress=_share(progress, 0, 15))
        trained = train_parts(
            evidence,
            (mentions, gold),
            valid,
            config=config or LinkerConfig(),
            pixels=pixels,
            seed=seed,
            progress=_share(progress, 15, 100),
        )
        return cls(base, encoders, trained, pixels=pixels, evidence=evidence)

    def save(self, folder: Path) -> None:
        """Write what was trained, atomically file by file (`linkers.checkpoint`)."""
        save_trained(self.trained, folder)

    @classmethod
    def load(
        cls,
        folder: Path,
        base: KnowledgeBase,
        *,
        encoders: Encoders,
        pixels: MentionImages | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Open what `save` wrote, on a base.

        Raises:
            MissingPartError: Nothing was saved there.
            ForeignFileError: Something else lies there.
            FormatVersionError: It is of another format.
            InputError: It was trained with other encoders.
        """
        return cls(base, encoders, load_trained(folder), pixels=pixels, progress=progress)

    def on(self, base: KnowledgeBase, *, progress: Progress = silent) -> Self:
        """Return the same linker on another base."""
        encoders = self._evidence.encoders
        return type(self)(base, encoders, self.trained, pixels=self._pixels, progress=progress)

    def showing(self, pixels: MentionImages) -> Self:
        """Return the same linker with other pictures of mentions; nothing is encoded again."""
        other = copy.copy(self)  # what a sub-class knows beyond this stays known
        other._pixels = pixels  # noqa: SLF001 - it is its own class
        return other

    @property
    def fingerprint(self) -> str:
        """Hash of all that a link depends on: what was trained, and the base."""
        return linker_fingerprint(self.trained, self.base)

    @property
    def reads_pictures(self) -> bool:
        """Whether the picture of a mention counts: it does."""
        return True

    @property
    def pixels(self) -> MentionImages | None:
        """Opens pictures of mentions by name."""
        return self._pixels

    def can_open(self, mention: Mention) -> bool:
        """Tell whether a mention has no picture, or one that can be opened."""
        return mention.image is None or (
            self._pixels is not None and self._pixels(mention.image) is not None
        )

    def forget(self) -> None:
        """Drop the vectors of mentions seen so far, to bound a long job's memory."""
        self._evidence.forget()

    def link(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> list[Link]:
        """Link mentions; mentions of one `document` support one another.

        The link of a mention depends on it and its document alone, bit by bit.

        Args:
            mentions: The mentions.
            progress: Told mentions done; encoding counts as half.

        Returns:
            One link a mention, in order.
        """
        total = 2 * len(mentions)
        self._evidence.prepare(
            mentions,
            self._pixels,
            progress=lambda done, of: progress(len(mentions) * done // max(of, 1), total),
        )
        sightings: list[Sighting] = []
        for number, mention in enumerate(mentions):
            sightings.append(self._scorer.see(mention, self.trained.priors))
            if number % 16 == 0:
                progress(len(mentions) + number, total)
        links = [self._decide(m, s) for m, s in zip(mentions, sightings, strict=True)]
        for number, also in self._support(mentions, links).items():
            sighting = self._scorer.see(mentions[number], self.trained.priors, also=also)
            links[number] = self._decide(mentions[number], sighting)
        progress(total, total)
        return links

    def _support(self, mentions: Sequence[Mention], links: list[Link]) -> dict[int, set[int]]:
        """Return for mentions what the sure links of their document say beyond their own."""
        documents: dict[str, list[int]] = defaultdict(list)
        for number, mention in enumerate(mentions):
            if mention.document is not None:
                documents[mention.document].append(number)
        result: dict[int, set[int]] = {}
        for members in documents.values():
            sure: dict[int, int] = {}
            for number in members:
                link = links[number]
                if link.state == "linked" and link.probability >= self._config.coherent_above:
                    sure[number] = self.base.ids[EntityKey(link.entity or "")]
            for number in members:
                others = {entity for member, entity in sure.items() if member != number}
                if others and number not in sure:
                    result[number] = others
        return result

    @property
    def _config(self) -> LinkerConfig:
        return self.trained.config

    def candidate_keys(self, mentions: Sequence[Mention]) -> list[list[EntityKey]]:
        """Return the keys of each mention's candidates (for recall), in no order of merit."""
        self._evidence.prepare(mentions, self._pixels)
        return [
            [self.base.entities[i].key for i in self._scorer.see(m, self.trained.priors).ids]
            for m in mentions
        ]

    def _decide(self, mention: Mention, sighting: Sighting) -> Link:
        own, nil = self.trained.decision.probabilities(sighting.case)
        order = np.argsort(-own, kind="stable")[: self._config.kept]
        found = tuple(self._candidate(sighting, int(place), own) for place in order)
        best = found[0].probability if found else 0.0
        nil = round(nil, _DIGITS)
        if nil >= best and nil >= self._config.nil_above:
            return Link(
                mention=mention.id,
                state="nil",
                entity=None,
                probability=nil,
                nil_probability=nil,
                reason=self._reason(mention, sighting, best, nil),
                candidates=found,
            )
        state: LinkState = "linked" if best >= self._config.link_above else "review"
        return Link(
            mention=mention.id,
            state=state,
            entity=found[0].entity if found else None,
            probability=best,
            nil_probability=nil,
            reason="modalities in conflict" if self._in_conflict(mention) else None,
            candidates=found,
        )

    def _reason(self, mention: Mention, sighting: Sighting, best: float, nil: float) -> NilReason:
        if not sighting.ids:
            return "no candidate"
        if self._in_conflict(mention):
            return "modalities in conflict"
        return "low margin" if best >= _CLOSE * nil else "out of the graph"

    def _in_conflict(self, mention: Mention) -> bool:
        """Tell whether a mention's words and picture, asked apart, mean two entities."""
        parts = apart(mention)
        if parts is None:
            return False
        sightings = [self._scorer.see(part, self.trained.priors) for part in parts]
        chances = [self.trained.decision.probabilities(seen.case)[0].tolist() for seen in sightings]
        text, picture = (
            dict(zip(seen.ids, own, strict=True))
            for seen, own in zip(sightings, chances, strict=True)
        )
        return conflict(text, picture) >= IN_CONFLICT

    def _candidate(self, sighting: Sighting, place: int, own: NDArray[np.float64]) -> Candidate:
        signals = sighting.case.signals[place]
        return Candidate(
            entity=self.base.entities[sighting.ids[place]].key,
            score=round(float(np.log(max(own[place], 1e-12))), _DIGITS),
            probability=round(float(own[place]), _DIGITS),
            signals={
                name: round(float(value), 4)
                for name, value in zip(ALL_SIGNALS, signals, strict=True)
                if value != 0
            },
        )


def _share(progress: Progress, low: int, high: int) -> Progress:
    return lambda done, total: progress(low + (high - low) * done // max(total, 1), 100)

"""Hybrid search: lists by words in each field, by meaning and by neighbours, made one order.

How the scores of the lists are added says `api.search.blending`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from api.cursors import cursor_of, no_cursor, texts_of
from api.opened_store import identity_of_store
from api.search.blending import FIELD_LISTS, Blend
from api.search.granularity import GLANCE, Chosen, granularity_for
from api.search.highlights import Sought, highlights
from api.search.neighbourhood import Neighbourhood
from api.search.schemas import HitOut, ListName, SearchOut
from api.unknown_label import unknown_label
from kg.errors import InputError
from kg.full_text import FullTextIndex
from kg.model import Entity, EntityKey
from kg.progress import Progress, silent
from kg.spans import span
from kg.stemming import Stems

if TYPE_CHECKING:
    from api.engine import Engine
    from api.search.meaning import MeaningIndex
    from kg.text_units import Granularity
    from reasoning.query import Query

__all__ = ["MAX_HITS", "MAX_QUERY", "Found", "HybridSearch"]

DEPTH = 100
"""Entities taken from each list."""
MAX_HITS = 100
MAX_QUERY = 1_000
"""Characters of a query."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        best: Entities with their scores, best first.
        ranks: Places of entities in each list, from 1.
        weights: Of the lists.
        warnings: What was not searched.
    """

    best: Sequence[tuple[EntityKey, float]]
    ranks: Mapping[ListName, Mapping[EntityKey, int]]
    weights: Mapping[ListName, float]
    warnings: tuple[str, ...]

    def places(self, key: EntityKey) -> dict[ListName, int]:
        """Return the places of an entity in the lists that hold it."""
        return {name: of[key] for name, of in self.ranks.items() if key in of}

    def behind(self, rank: int, key: str) -> int:
        """Return how many stand up to the last entity of a page, or up to its rank if it is gone.

        Args:
            rank: Its place then, from 1.
            key: Its key.
        """
        keys = [row[0] for row in self.best]
        return keys.index(EntityKey(key)) + 1 if key in keys else rank


class HybridSearch:
    """Searches the entities of an engine's store; holds its derived indexes.

    Args:
        engine: Whose.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(
        self,
        text: str,
        *,
        k: int = 10,
        labels: Collection[str] = (),
        within: str | Mapping[str, Any] | Query | None = None,
        granularity: Chosen = GLANCE,
        after: str | None = None,
        patient: bool = True,
    ) -> SearchOut:
        """Search; as `Engine.search`.

        Args:
            text: What to look for.
            k: Most hits of a page, at most `MAX_HITS`.
            labels: Only entities of these.
            within: A question; of the first `MAX_HITS` hits, only its known answers are returned.
            granularity: How fine the prose is cut that shows why a hit was found.
            after: The `next` of the page before. The last page ends where the lists do: each holds
                its best `DEPTH`.
            patient: Wait for the vectors to be made, where there are none yet.

        Raises:
            InputError: The text is empty or too long, k out of range, `after` no cursor, no entity
                has one of the labels, or the question is wrong.
            MissingPartError: There is no snapshot yet to ask the question of.
        """
        if not 1 <= k <= MAX_HITS:
            raise InputError(f"k is 1 to {MAX_HITS}", where="k")
        past = None if after is None else _past(after)
        found = self.ranked(text, labels=labels, within=within, patient=patient)
        start = 0 if past is None else found.behind(*past)
        rows = found.best[start : start + k]
        fine = granularity_for(text, granularity)
        sought = Sought.of(text, self._stems)
        there = {e.key: e for e in self._engine.store.entities_of([key for key, _ in rows])}
        hits = (
            self._hit(there[row[0]], row[1], found.places(row[0]), sought, fine)
            for row in rows
            if row[0] in there  # not deleted since the lists were made
        )
        return SearchOut(
            query=text,
            hits=tuple(hits),
            next=_cursor(start + k, rows[-1][0]) if start + k < len(found.best) else None,
            granularity=fine,
            lists=tuple(found.ranks),
            weights={name: round(found.weights[name], 4) for name in found.ranks},
            warnings=found.warnings,
        )

    def ranked(
        self,
        text: str,
        *,
        labels: Collection[str] = (),
        within: str | Mapping[str, Any] | Query | None = None,
        patient: bool = True,
    ) -> Found:
        """Return all that a search finds, best first, without saying why; else as `__call__`."""
        if not text.strip() or len(text) > MAX_QUERY:
            raise InputError(f"a search needs 1 to {MAX_QUERY} characters", where="the query")
        self._check_labels(labels)
        with span("search.words"):
            lists = self._by_words(text, labels)
        with span("search.neighbours"):
            lists["neighbours"] = self._neighbours.search(text, k=DEPTH, labels=labels)
        warnings: tuple[str, ...] = ()
        if patient or self._meaning.ready():
            with span("search.meaning"):
                lists["meaning"] = self._meaning.search(text, k=DEPTH, labels=labels)
        else:
            warnings = ("by words only: vectors of meaning are being made",)
        blend, whole = Blend.packaged(), {"meaning": [], **lists}
        best = blend.ranked(text, whole)
        if within is not None:
            best = self._within(best[:MAX_HITS], within)
        ranks = {name: {key: n for n, (key, _) in enumerate(of, 1)} for name, of in lists.items()}
        return Found(best, ranks, blend.weights(text, whole), warnings)

    def _check_labels(self, labels: Collection[str]) -> None:
        """Refuse a label that no entity has: nothing would be found, and nobody would know why."""
        if not labels:
            return
        absent, known = self._neighbours.lacking(labels)
        if absent:
            raise unknown_label(absent[0], known, where="label")

    def _by_words(
        self, text: str, labels: Collection[str]
    ) -> dict[ListName, list[tuple[EntityKey, float]]]:
        """Return a list for each field, and one for all together."""
        found: dict[ListName, list[tuple[EntityKey, float]]] = {}
        for name in FIELD_LISTS:
            hits = self.words.search(text, k=DEPTH, labels=labels, fields={name: 1.0})
            found[name] = [(hit.key, hit.score) for hit in hits]
        hits = self.words.search(text, k=DEPTH, labels=labels)
        found["words"] = [(hit.key, hit.score) for hit in hits]
        return found

    def _within(
        self, rows: list[tuple[EntityKey, float]], question: str | Mapping[str, Any] | Query
    ) -> list[tuple[EntityKey, float]]:
        """Return the rows whose entities are known answers of a question."""
        from reasoning.exact import answer_set

        engine = self._engine.at_once()  # reading and answering on one snapshot
        edges = engine.known_edges
        kept = set(answer_set(engine.read(question), edges).tolist())
        return [row for row in rows if edges.snapshot.entities.get(row[0]) in kept]

    def catch_up(self, *, progress: Progress = silent) -> None:
        """Make the vectors of meaning of the store as it is now: of many texts it takes long.

        Args:
            progress: Told texts encoded, of those that are new.
        """
        self._meaning.catch_up(progress=progress)

    @cached_property
    def words(self) -> FullTextIndex:
        """The index of words alone."""
        store, workspace = self._engine.store, self._engine.workspace
        # the version of a store that is lost with its process says nothing to the next one
        folder = workspace.words if store.capabilities.durable else None
        identity = identity_of_store(workspace, self._engine.settings)
        languages = self._stems.languages
        return FullTextIndex(store, folder, identity=identity, languages=languages)

    @cached_property
    def _stems(self) -> Stems:
        return Stems(self._engine.settings.text_languages)

    @cached_property
    def _neighbours(self) -> Neighbourhood:
        return Neighbourhood(self._engine.store)

    @cached_property
    def _meaning(self) -> MeaningIndex:
        from api.search.meaning import MeaningIndex
        from api.steps.encoders import text_encoder_named

        engine = self._engine
        folder = engine.workspace.indexes
        encoder = text_encoder_named(engine.settings.text_encoder, folder, remembers=False)
        return MeaningIndex(engine.store, encoder, folder)

    def _hit(
        self,
        entity: Entity,
        score: float,
        ranks: dict[ListName, int],
        sought: Sought,
        granularity: Granularity,
    ) -> HitOut:
        from api.views import image_out

        return HitOut(
            key=entity.key,
            name=entity.name,
            label=entity.label,
            score=score,
            ranks=ranks,
            highlights=highlights(self._engine.store, entity, sought, granularity),
            image=image_out(entity.images[0]) if entity.images else None,
        )


def _cursor(rank: int, key: EntityKey) -> str:
    return cursor_of((str(rank), key))


def _past(cursor: str) -> tuple[int, str]:
    """Return the rank and key of the last entity of a page.

    Raises:
        InputError: It is no cursor of a search.
    """
    rank, key = texts_of(cursor, 2)
    if not rank.isdecimal():
        raise no_cursor()
    return int(rank), key

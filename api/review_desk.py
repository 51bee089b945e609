"""The desk at which every door reviews: one open review of an engine, one user at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cursors import cursor_of, place_of
from api.review_schemas import (
    CaseCandidateOut,
    CaseOut,
    CasesOut,
    DecisionIn,
    DecisionOut,
    DecisionsOut,
)
from kg.errors import InputError, UnknownEntityError
from kg.model import EntityKey

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.store import Store
    from linkers.model import Candidate, LinkState
    from linkers.records import MentionColumns
    from linkers.review import Case, Decision, Review

__all__ = ["ReviewDesk"]

_NEAREST = 3


class ReviewDesk:
    """Reviews the links of an engine's graph.

    Args:
        engine: Whose graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._names: tuple[int, dict[str, list[EntityKey]]] | None = None

    @cached_property
    def _opened(self) -> Review:
        from linkers.review import Review

        return Review(self._engine.store, self._engine.workspace.review)

    @property
    def review(self) -> Review:
        """The review, with what other processes have decided and what a killed one left undone."""
        with self._lock:
            review = self._opened
            if review.has_pending:
                review.catch_up()
            return review

    def load(
        self,
        links: Path,
        mentions: Path | None = None,
        *,
        columns: MentionColumns | None = None,
        states: Collection[LinkState] | None = None,
    ) -> int:
        """Take in the cases of a file of links; return how many are new.

        Raises:
            RecordError: A row is no link, or its mention is missing.
            LimitError: There are too many.
        """
        from linkers.review.reading import REVIEWED, read_cases

        cases = read_cases(links, mentions, columns=columns, states=states or REVIEWED)
        return self.add(cases)

    @contextmanager
    def holding(self) -> Iterator[Review]:
        """Return a context with the review, in which no other thread of this process decides."""
        with self._lock:
            yield self.review

    @property
    def store(self) -> Store:
        """The graph."""
        return self._engine.store

    def add(self, cases: Iterable[Case]) -> int:
        """Take cases in; return how many are new."""
        with self._lock:
            return self.review.add(cases)

    def cases(self, *, limit: int = 20, after: str | None = None) -> CasesOut:
        """Return a page of open cases, the most useful first.

        What is decided between two pages makes cases of the same words worth less: one may come
        again, none that stays open is passed over.

        Args:
            limit: Most cases.
            after: The `next` of the page before.

        Raises:
            InputError: `after` is no cursor.
        """
        past = None if after is None else place_of(after)
        with self._lock:
            review = self.review
            found = review.worths()
            later = [row for row in found if past is None or (-row[0], (row[1].id,)) > past]
            page = later[:limit]
            return CasesOut(
                cases=tuple(self.shown(case) for _, case in page),
                open=len(found),
                decided=len(review.answers),
                next=_cursor(*page[-1]) if len(page) < len(later) else None,
            )

    def decide(self, body: DecisionIn) -> DecisionOut:
        """Make a decision (`linkers.review.Review.decide`); entities by key or by unique name.

        Raises:
            InputError: It does not fit the case, or a name is not unique.
            UnknownEntityError: No entity has such a key or name.
            ConflictError: The case is decided already, or the graph does not allow it.
        """
        from linkers.review import Request

        values = body.model_dump(exclude_none=True)
        with self._lock:
            if body.entity is not None:
                values["entity"] = self.key_of(body.entity)
            values["keys"] = [self.key_of(key) for key in body.keys]
            review = self.review
            return self._decision(review.decide(Request.from_json(values)))

    def decisions(self, *, limit: int | None = None, after: int = 0) -> DecisionsOut:
        """Return the log, or at most `limit` of it after the decision of a number."""
        with self._lock:
            later = [one for one in self.review.decisions if one.number > after]
            page = later if limit is None else later[:limit]
            more = page[-1].number if len(page) < len(later) else None
            return DecisionsOut(decisions=tuple(map(self._decision, page)), next=more)

    def name(self, key: EntityKey) -> str | None:
        """Return the name of an entity; None if there is none of this key."""
        entity = self._engine.store.entity(key)
        return None if entity is None else entity.name

    def key_of(self, text: str) -> EntityKey:
        """Return the key of an entity that is named by its key or by a name that only it has.

        Raises:
            UnknownEntityError: There is none.
            InputError: Several have the name.
        """
        from linkers.names import normalised

        if self._engine.store.entity(EntityKey(text)) is not None:
            return EntityKey(text)
        names = self._by_name()
        found = names.get(normalised(text), [])
        if len(found) > 1:
            raise InputError(f"{len(found)} entities are called {text!r:.80}", hint="use a key")
        if not found:
            raise UnknownEntityError(text, nearest=self._nearest(normalised(text), names))
        return found[0]

    def _nearest(self, text: str, names: Iterable[str]) -> tuple[str, ...]:
        from rapidfuzz import process

        return tuple(name for name, *_ in process.extract(text, list(names), limit=_NEAREST))

    def _by_name(self) -> dict[str, list[EntityKey]]:
        from linkers.names import normalised

        store = self._engine.store
        if self._names is None or self._names[0] != store.version:
            found: defaultdict[str, list[EntityKey]] = defaultdict(list)
            version = store.version
            for entity in store.entities():
                if entity.part is None:
                    for name in {normalised(n) for n in (entity.name, *entity.aliases)}:
                        found[name].append(entity.key)
            self._names = (version, dict(found))
        return self._names[1]

    def shown(self, case: Case) -> CaseOut:
        """Return a case as the doors show it."""
        from linkers.review.order import doubt

        values: dict[str, Any] = {}
        if case.mention is not None:
            mention = case.mention
            values = {name: getattr(mention, name) for name in ("context", "start", "end", "image")}
            values["mention"] = mention.surface
        shown = tuple(map(self._candidate, case.candidates))
        if case.pair is not None:
            values["pair"], shown = shown, ()
        return CaseOut(
            id=case.id,
            doubt=round(doubt(case), 6),
            state=case.state,
            entity=case.entity,
            probability=case.probability,
            nil_probability=case.nil_probability,
            reason=case.reason,
            candidates=shown,
            **values,
        )

    def _candidate(self, candidate: Candidate) -> CaseCandidateOut:
        return CaseCandidateOut(
            entity=candidate.entity,
            name=self.name(candidate.entity),
            probability=candidate.probability,
            reasons=dict(candidate.signals),
        )

    def _decision(self, decision: Decision) -> DecisionOut:
        request = decision.request.to_json()
        head = {name: request.pop(name, None) for name in ("kind", "who", "id", "comment")}
        case = self._opened.found(decision.case)
        request.pop("case", None)
        return DecisionOut(
            number=decision.number,
            at=decision.at,
            case=decision.case,
            mention=None if case is None or case.mention is None else case.mention.surface,
            entity=request.pop("entity", None),
            state=decision.state,
            reason=decision.reason,
            details=request,
            **head,
        )


def _cursor(worth: float, case: Case) -> str:
    return cursor_of((repr(worth), case.id))

"""The calls of the review of links and facts, and of what was changed and taken back."""

from __future__ import annotations

from typing import Any

from api.client.connection import Connection, path_of
from api.fact_schemas import FactIn, FactOut, FactsOut
from api.review_schemas import (
    CasesFromJobIn,
    CasesLoadedOut,
    CasesOut,
    DecisionIn,
    DecisionOut,
    DecisionsOut,
    DuplicatesIn,
    DuplicatesOut,
    ImportedOut,
    ReviewFileIn,
)
from api.undo_schemas import DiffOut, HistoryOut, UndoIn, UndoOut

__all__ = ["Reviewing"]


class Reviewing:
    """What a client calls to review links and facts, to undo, and to look back."""

    _to: Connection

    def review_cases(self, *, limit: int | None = None, after: str | None = None) -> CasesOut:
        """Read a page of what waits for a decision; `after` is the `next` of the page before."""
        asked = {"limit": limit, "after": after}
        return self._to.read("GET", "/v1/review/cases", CasesOut, query=asked)

    def load_review_cases(
        self, job: CasesFromJobIn, *, idempotency_key: str | None = None
    ) -> CasesLoadedOut:
        """Put the doubtful links of a job before the reviewers."""
        return self._to.read(
            "POST", "/v1/review/cases", CasesLoadedOut, body=job, once=idempotency_key
        )

    def review_decisions(
        self, *, limit: int | None = None, after: int | None = None
    ) -> DecisionsOut:
        """Read a page of the decisions; `after` is the `next` of the page before."""
        asked = {"limit": limit, "after": after}
        return self._to.read("GET", "/v1/review/decisions", DecisionsOut, query=asked)

    def decide(self, decision: DecisionIn, *, idempotency_key: str | None = None) -> DecisionOut:
        """Decide on a link."""
        return self._to.read(
            "POST", "/v1/review/decisions", DecisionOut, body=decision, once=idempotency_key
        )

    def duplicates(self, **asked: Any) -> DuplicatesOut:
        """Find entities that may be one: label, least, limit, after."""
        return self._to.read("GET", "/v1/review/duplicates", DuplicatesOut, query=asked)

    def review_duplicates(
        self, asked: DuplicatesIn, *, idempotency_key: str | None = None
    ) -> DuplicatesOut:
        """Put entities that may be one before the reviewers."""
        return self._to.read(
            "POST", "/v1/review/duplicates", DuplicatesOut, body=asked, once=idempotency_key
        )

    def export_review(self, format: str, *, licence: str | None = None) -> bytes:  # noqa: A002
        """Read the decisions as a file of another tool."""
        asked = {"format": format, "licence": licence}
        return self._to.content("GET", "/v1/review/export", query=asked)

    def import_review(
        self, file: ReviewFileIn, *, idempotency_key: str | None = None
    ) -> ImportedOut:
        """Take in decisions that were made with another tool."""
        return self._to.read(
            "POST", "/v1/review/import", ImportedOut, body=file, once=idempotency_key
        )

    def facts(self, *, limit: int | None = None, after: int | None = None) -> FactsOut:
        """Read a page of the verdicts on single edges; `after` is the `next` of the page before."""
        asked = {"limit": limit, "after": after}
        return self._to.read("GET", "/v1/review/facts", FactsOut, query=asked)

    def decide_fact(self, verdict: FactIn, *, idempotency_key: str | None = None) -> FactOut:
        """Accept or reject an edge, or take the verdict back."""
        return self._to.read(
            "POST", "/v1/review/facts", FactOut, body=verdict, once=idempotency_key
        )

    def undo(self, what: UndoIn, *, idempotency_key: str | None = None) -> UndoOut:
        """Say what would go with a source, a job or an edge; with `confirm`, take it back."""
        return self._to.read("POST", "/v1/undo", UndoOut, body=what, once=idempotency_key)

    def history(
        self, key: str, *, limit: int | None = None, after: str | None = None
    ) -> HistoryOut:
        """Read a page of how an entity came to be; `after` is the `next` of the page before."""
        path = path_of("/v1/history/{key}", key=key)
        return self._to.read("GET", path, HistoryOut, query={"limit": limit, "after": after})

    def diff(
        self, old: str, new: str = "store", *, limit: int | None = None, after: str | None = None
    ) -> DiffOut:
        """Read how two snapshots, or a snapshot and the store, differ; `after` leads on."""
        asked = {"old": old, "new": new, "limit": limit, "after": after}
        return self._to.read("GET", "/v1/diff", DiffOut, query=asked)

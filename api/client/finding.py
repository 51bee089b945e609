"""The calls that find: search, lists, suggestions, and contexts for language models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.client.connection import Connection
from api.entity_schemas import EntitiesOut
from api.retrieval.schemas import ContextOut, EvidenceKind
from api.schemas import QuestionIn
from api.search.granularity import DEFAULT, GLANCE, Chosen
from api.search.schemas import SearchOut
from api.suggestion_schemas import QuerySuggestionsOut

__all__ = ["Finding"]


class Finding:
    """What a client calls to find entities and what is said of them."""

    _to: Connection

    def search(
        self,
        text: str,
        *,
        k: int = 10,
        labels: Sequence[str] = (),
        within: str | Mapping[str, Any] | None = None,
        granularity: Chosen = GLANCE,
        after: str | None = None,
    ) -> SearchOut:
        """Find a page of entities; `within` keeps the answers of a question."""
        asked = {"q": text, "k": k, "label": list(labels), "within": _question(within)}
        asked |= {"granularity": granularity, "after": after}
        return self._to.read("GET", "/v1/search", SearchOut, query=asked)

    def entities(
        self, label: str | None = None, *, limit: int | None = None, after: str | None = None
    ) -> EntitiesOut:
        """Read a page of the entities, of all or of a label; `after` is the `next` before."""
        asked = {"label": label, "limit": limit, "after": after}
        return self._to.read("GET", "/v1/entities", EntitiesOut, query=asked)

    def suggest(
        self,
        text: str,
        *,
        limit: int = 5,
        labels: Sequence[str] = (),
        within: str | Mapping[str, Any] | None = None,
    ) -> QuerySuggestionsOut:
        """Suggest how to narrow a search, with the number of hits of each."""
        asked = {"q": text, "limit": limit, "label": list(labels), "within": _question(within)}
        return self._to.read("GET", "/v1/suggestions", QuerySuggestionsOut, query=asked)

    def suggest_next(
        self, query: str | Mapping[str, Any], *, limit: int = 5, **options: Any
    ) -> QuerySuggestionsOut:
        """Suggest what to ask next; options are the fields of `QuestionIn`."""
        body = QuestionIn.model_validate({"query": query, **options})
        asked = {"limit": limit}
        return self._to.read("POST", "/v1/suggestions", QuerySuggestionsOut, query=asked, body=body)

    def context(
        self,
        text: str,
        *,
        budget: int = 2_000,
        k: int = 10,
        labels: Sequence[str] = (),
        kinds: Sequence[EvidenceKind] = (),
        granularity: Chosen = DEFAULT,
    ) -> ContextOut:
        """Assemble evidence for a language model, of all kinds or of some."""
        asked = {"q": text, "budget": budget, "k": k, "label": list(labels), "kind": list(kinds)}
        asked["granularity"] = granularity
        return self._to.read("GET", "/v1/context", ContextOut, query=asked)


def _question(within: str | Mapping[str, Any] | None) -> str | None:
    return json.dumps(within) if isinstance(within, Mapping) else within

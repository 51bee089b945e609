"""Suggestions: facts of the graph that part the results of a search or the answers of a question.

A suggestion's number is that of the known answers of its own query, counted before it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from api.explaining import EdgeText, named_edits
from api.search.hybrid import MAX_HITS
from api.suggestion_schemas import QuerySuggestionOut, QuerySuggestionsOut
from kg.errors import InputError
from kg.words import words
from reasoning.exact import answer_set
from reasoning.known_edges import Ids, KnownEdges
from reasoning.notations import write_query
from reasoning.query import Intersection, Query, walk
from reasoning.suggesting import Fact, Relaxation, chosen, facts_about, relaxations

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["MAX_SUGGESTIONS", "suggest_for_question", "suggest_for_search"]

MAX_SUGGESTIONS = 20
EXAMPLES = 3
"""Names shown of each suggestion's results."""


def suggest_for_search(
    engine: Engine,
    text: str,
    *,
    labels: Collection[str] = (),
    within: str | Mapping[str, Any] | Query | None = None,
    limit: int = 5,
    patient: bool = True,
) -> QuerySuggestionsOut:
    """Return facts that part the first `MAX_HITS` hits of a search.

    Args:
        engine: The graph.
        text: What was searched.
        labels: Only entities of these.
        within: Only known answers of this question, as in the search.
        limit: Most suggestions.
        patient: Wait for the vectors of meaning to be made, where there are none yet.

    Returns:
        Each with a query to give to the same search as `within`: it then has as many hits as told.

    Raises:
        InputError: The text is empty or too long, or the limit out of range.
        MissingPartError: There is no snapshot yet.
    """
    _check(limit)
    found = engine.search(text, k=MAX_HITS, labels=labels, within=within, patient=patient)
    narrowed = None if within is None else engine.read(within)
    edges = engine.known_edges
    places = (edges.snapshot.entities.get(hit.key) for hit in found.hits)
    results = np.array(sorted(at for at in places if at is not None), dtype=np.int32)
    said = {word.text for word in words(text)}
    facts = facts_about(results, edges)
    near = [_closeness(said, {word.text for word in words(fact.words)}) for fact in facts]
    suggestions = tuple(
        _narrowed(facts[place], _both(narrowed, facts[place].query), near[place], results, edges)
        for place in chosen(facts, near, limit)
    )
    return QuerySuggestionsOut(
        text=text, total=len(results), suggestions=suggestions, warnings=found.warnings
    )


def suggest_for_question(
    engine: Engine,
    question: str | Mapping[str, Any] | Query,
    *,
    parameters: Mapping[str, Any] | None = None,
    assume: Sequence[EdgeText] = (),
    without: Sequence[EdgeText] = (),
    limit: int = 5,
) -> QuerySuggestionsOut:
    """Return facts that part the known answers of a question; of one without any, what asks less.

    Args:
        engine: The graph.
        question: A text, JSON, or a tree, of one variable.
        parameters: Values for ``$name`` in a text.
        assume: Edges added for this question alone.
        without: Edges taken away for this question alone.
        limit: Most suggestions.

    Returns:
        Each with a query whose known answers are as many as told.

    Raises:
        InputError: The question is wrong, or the limit out of range.
        MissingPartError: There is no snapshot yet.
    """
    _check(limit)
    tree = engine.read(question, parameters)
    edges = engine.known_edges
    edges = edges.with_edits(named_edits(assume, without, edges.snapshot))
    results = answer_set(tree, edges)
    if not len(results):
        less = relaxations(tree, edges, limit=limit)
        suggestions = tuple(_relaxed(one, tree, edges) for one in less)
        return QuerySuggestionsOut(total=0, suggestions=suggestions)
    facts = facts_about(results, edges)
    size = _size(tree)
    near = [size / (size + _size(fact.query)) for fact in facts]
    suggestions = tuple(
        _narrowed(facts[at], _both(tree, facts[at].query), near[at], results, edges)
        for at in chosen(facts, near, limit)
    )
    return QuerySuggestionsOut(total=len(results), suggestions=suggestions)


def _both(tree: Query | None, fact: Query) -> Query:
    return fact if tree is None else Intersection((tree, fact))


def _check(limit: int) -> None:
    if not 1 <= limit <= MAX_SUGGESTIONS:
        raise InputError(f"limit is 1 to {MAX_SUGGESTIONS}", where="limit")


def _closeness(said: set[str], added: set[str]) -> float:
    """Return the words asked for over the words of both (Jaccard, since none is taken away)."""
    return len(said) / max(1, len(said | added)) or 0.01


def _size(tree: Query) -> int:
    return sum(1 for _ in walk(tree))


def _narrowed(
    fact: Fact, query: Query, closeness: float, results: Ids, edges: KnownEdges
) -> QuerySuggestionOut:
    everywhere = len(answer_set(fact.query, edges))
    return QuerySuggestionOut(
        text=fact.words,
        change="narrow",
        results=fact.count,
        query=write_query(query, "json"),
        examples=_names(results[fact.holders], edges),
        specificity=round(fact.count / everywhere, 4),
        closeness=round(closeness, 4),
    )


def _relaxed(one: Relaxation, tree: Query, edges: KnownEdges) -> QuerySuggestionOut:
    sizes = sorted((_size(one.query), _size(tree)))
    return QuerySuggestionOut(
        text=one.words,
        change=one.change,
        results=len(one.results),
        query=write_query(one.query, "json"),
        examples=_names(one.results, edges),
        specificity=1.0,
        closeness=round(sizes[0] / sizes[1], 4),
    )


def _names(ids: Ids, edges: KnownEdges) -> tuple[str, ...]:
    return tuple(edges.snapshot.names[int(one)] for one in ids[:EXAMPLES])

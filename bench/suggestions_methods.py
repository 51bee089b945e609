"""What each method of `bench.suggestions` suggests for a group, and how well that leads there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.suggestions_sets import Asked
from kg.words import words
from reasoning.exact import answer_set
from reasoning.known_edges import contains
from reasoning.query import Projection
from reasoning.suggesting import Fact, best_for, chosen, facts_about

__all__ = ["METHODS", "measured"]

METHODS = (
    "unchanged", "frequent", "nearest", "ours", "frequent as words", "nearest as words",
    "ours as words", "five frequent", "our five",
)  # fmt: skip
LIMIT = 5


def measured(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the figures of each method, a row for each group of a query."""
    facts = [fact for fact in facts_about(asked.results, asked.edges) if _name(fact) != asked.text]
    if not facts:
        return
    said = [" ".join((asked.text, _name(fact))) for fact in facts]
    vectors = _encoded(asked, [asked.text, *said, *map(_name, facts)])
    of_query, of_text = vectors[0], vectors[1 : 1 + len(facts)]
    of_fact = vectors[1 + len(facts) :]
    held = np.array([fact.holders for fact in facts])
    near = [_closeness(asked.text, text) for text in said]
    here = np.flatnonzero(contains(asked.results, asked.universe))
    shown = {
        "five frequent": np.argsort(-held.sum(axis=1), kind="stable")[:LIMIT].tolist(),
        "our five": chosen(facts, near, LIMIT),
    }
    for group in asked.groups:
        middle = asked.vectors[here[group]].mean(axis=0)
        best = best_for(facts, group)
        picked = {
            "frequent": int((held & group).sum(axis=1).argmax()),
            "nearest": int((of_fact @ middle).argmax()),
            "ours": 0 if best is None else best,
        }
        for name, places in shown.items():
            fit = best_for([facts[place] for place in places], group)
            picked[name] = places[fit or 0]
        row: dict[str, Any] = {"query": asked.text}
        row["unchanged"] = {
            "fact": "", "closeness": 1.0, **_found(asked, group, asked.vectors @ of_query)
        }  # fmt: skip
        for name, place in picked.items():
            likeness = asked.vectors @ of_text[place]
            about = {"fact": _name(facts[place]), "closeness": near[place]}
            typed = likeness + 10.0 * _answers(asked, facts[place])
            row[name] = {**about, **_found(asked, group, typed)}
            row[f"{name} as words"] = {**about, **_found(asked, group, likeness)}
        yield row


def _answers(asked: Asked, fact: Fact) -> NDArray[np.float64]:
    """Return 1 for each of the universe that is an answer of the query narrowed by a fact."""
    both = answer_set(fact.query, asked.edges)
    both = both[contains(asked.results, both)]
    return contains(both, asked.universe).astype(np.float64)


def _found(asked: Asked, group: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """Return closed recall and average precision of a ranking of the universe."""
    size = int(group.sum())
    here = contains(asked.results, asked.universe)
    among = scores[here]
    first = np.argsort(-among, kind="stable")[:size]
    wanted = np.zeros(len(scores), dtype=np.bool_)
    wanted[np.flatnonzero(here)[group]] = True
    hits = wanted[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return {
        "closed_recall": float(group[first].sum() / size),
        "ap": float((precision * hits).sum() / size),
    }


def _name(fact: Fact) -> str:
    """Return what is said of a fact as a word of a search: the name at its end."""
    return fact.words.split(maxsplit=2)[-1] if isinstance(fact.query, Projection) else fact.words


def _closeness(query: str, suggestion: str) -> float:
    asked, said = ({word.text for word in words(text)} for text in (query, suggestion))
    return len(asked & said) / len(asked | said)


def _encoded(asked: Asked, texts: Sequence[str]) -> NDArray[np.float32]:
    return np.asarray(asked.encoder.encode(list(texts)).pooled, dtype=np.float32)

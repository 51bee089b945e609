"""Queries of an index of words: any word of a text, by itself, a letter off, or by its stems."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import tantivy

from kg.full_text_documents import FIELDS, stem_field
from kg.stemming import Stems
from kg.words import words

__all__ = ["FUZZY_FROM", "Term", "only", "query_of", "terms"]

MAX_TERMS = 64
"""Distinct words of a query that count."""
FUZZY_FROM = 5
"""Characters from which a word that no entity holds may be misspelt by one."""


class Term(NamedTuple):
    """A word of a query.

    Attributes:
        text: Folded.
        roots: Its stems with their languages.
    """

    text: str
    roots: frozenset[tuple[str, str]]


def terms(text: str, stems: Stems) -> list[Term]:
    """Return the distinct words of a query that count."""
    found: dict[str, Term] = {}
    for word in words(text):
        if len(found) == MAX_TERMS:
            break
        if word.text not in found:
            found[word.text] = Term(word.text, stems.roots(text[word.start : word.end]))
    return list(found.values())


def query_of(
    schema: Any,
    searcher: Any,
    wanted: list[Term],
    fields: Mapping[str, float],
    *,
    prefix: bool,
) -> Any:
    """Return a query that any word fulfils, or None where there is no word."""
    parts = []
    for position, term in enumerate(wanted):
        unfinished = prefix and position == len(wanted) - 1
        for name, boost in fields.items():
            if boost <= 0:
                continue
            if unfinished:
                one = tantivy.Query.fuzzy_term_query(
                    schema, name, term.text, distance=0, prefix=True
                )
            elif len(term.text) >= FUZZY_FROM and not _known(schema, searcher, term):
                one = tantivy.Query.fuzzy_term_query(schema, name, term.text, distance=1)
            else:
                one = _exactly(schema, name, term.text)
            one = _or_inflected(schema, name, term, one)
            parts.append((tantivy.Occur.Should, tantivy.Query.boost_query(one, boost)))
    return tantivy.Query.boolean_query(parts) if parts else None


def _exactly(schema: Any, field: str, text: str) -> Any:
    return tantivy.Query.term_query(schema, field, text, index_option="freq")


def _or_inflected(schema: Any, name: str, term: Term, one: Any) -> Any:
    """Return a query for a word of a field, or for the best of its stems."""
    stems = [_exactly(schema, field, stem) for field, stem in _stems_in(name, term)]
    return tantivy.Query.disjunction_max_query([one, *stems]) if stems else one


def _stems_in(name: str, term: Term) -> list[tuple[str, str]]:
    return [(stem_field(name, code), stem) for code, stem in sorted(term.roots)]


def _known(schema: Any, searcher: Any, term: Term) -> bool:
    """Tell whether an entity holds a word, or an inflection of it."""
    return any(
        _held(schema, searcher, [(name, term.text), *_stems_in(name, term)]) for name in FIELDS
    )


def _held(schema: Any, searcher: Any, texts: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a document has one of some texts in its field; counts hold what was replaced."""
    return any(
        searcher.doc_freq(field, text) and searcher.search(_exactly(schema, field, text), 1).hits
        for field, text in texts
    )


def only(schema: Any, query: Any, labels: Collection[str]) -> Any:
    """Return the query for entities of some labels; the labels add nothing to the score."""
    wanted = tantivy.Query.term_set_query(schema, "label", sorted(labels))
    return tantivy.Query.boolean_query(
        [
            (tantivy.Occur.Must, query),
            (tantivy.Occur.Must, tantivy.Query.const_score_query(wanted, 0.0)),
        ]
    )

"""Which form of an answer a client gets."""

from __future__ import annotations

import pytest

from kg.sparql import GRAPHS, RESULTS, acceptable


@pytest.mark.parametrize(
    ("accept", "rows_as", "triples_as"),
    [
        (None, "application/sparql-results+json", "text/turtle"),
        ("*/*", "application/sparql-results+json", "text/turtle"),
        ("text/*", "text/csv", "text/turtle"),
        (
            "text/csv;q=0, text/*;q=0.5, application/*;q=0.1",
            "text/tab-separated-values",
            "text/turtle",
        ),
        ("application/xml, text/csv;q=0.9", "application/xml", None),
        ("Text/CSV ; Q=1", "text/csv", None),
        ("text/csv;q=nonsense", None, None),
        ("image/png", None, None),
        ("", "application/sparql-results+json", "text/turtle"),
    ],
)
def test_the_client_gets_the_form_that_it_likes_best(
    accept: str | None, rows_as: str | None, triples_as: str | None
) -> None:
    assert acceptable(accept, RESULTS) == rows_as
    assert acceptable(accept, GRAPHS) == triples_as

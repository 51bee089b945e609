"""Forms of answers by their media types, and which of them a client accepts."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["GRAPHS", "RESULTS", "acceptable"]

RESULTS: Mapping[str, str] = {
    "application/sparql-results+json": "json",
    "application/sparql-results+xml": "xml",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}
"""Forms of rows and of truth values (SELECT, ASK); the first is the default."""

GRAPHS: Mapping[str, str] = {
    "text/turtle": "ttl",
    "application/n-triples": "nt",
    "application/rdf+xml": "rdf",
    "application/ld+json": "jsonld",
    "application/trig": "trig",
    "application/n-quads": "nq",
    "text/plain": "nt",
}
"""Forms of triples (CONSTRUCT, DESCRIBE); the first is the default."""


def acceptable(accept: str | None, offered: Mapping[str, str]) -> str | None:
    """Return the media type that a client likes best, by an ``Accept`` header.

    Args:
        accept: The header; everything is accepted without one.
        offered: Media types, the preferred ones first.

    Returns:
        None if it accepts none.

    Example:
        >>> acceptable("text/csv;q=0.5, application/sparql-results+xml", RESULTS)
        'application/sparql-results+xml'
        >>> acceptable("text/html, */*;q=0.1", GRAPHS), acceptable("image/png", GRAPHS)
        ('text/turtle', None)
    """
    wishes = [_wish(part) for part in (accept or "*/*").split(",")]
    best, highest = None, 0.0
    for media in offered:
        _, quality = max(
            ((len(kind.rstrip("*")), q) for kind, q in wishes if _covers(kind, media)),
            default=(0, 0.0),
        )
        if quality > highest:
            best, highest = media, quality
    return best


def _wish(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return kind, quality


def _covers(kind: str, media: str) -> bool:
    if kind == "*/*":
        return True
    return media.startswith(kind[:-1]) if kind.endswith("/*") else kind == media

"""Documents as a graph: passages, tables and figures, each an entity with its place in the text."""

from __future__ import annotations

from kg.documents.graph import DocumentGraph, document_graph
from kg.documents.reading import ENDINGS, MAX_BYTES, Document, read_document
from kg.documents.units import Figure, Passage, Table, Unit

__all__ = [
    "ENDINGS",
    "MAX_BYTES",
    "Document",
    "DocumentGraph",
    "Figure",
    "Passage",
    "Table",
    "Unit",
    "document_graph",
    "read_document",
]

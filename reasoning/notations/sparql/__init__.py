"""A fragment of SPARQL: read into query trees, and written from them."""

from __future__ import annotations

from reasoning.notations.sparql.reader import read_sparql
from reasoning.notations.sparql.writer import write_sparql

__all__ = ["read_sparql", "write_sparql"]

"""A fragment of Cypher: read into query trees, and written from them."""

from __future__ import annotations

from reasoning.notations.cypher.reader import read_cypher
from reasoning.notations.cypher.writer import write_cypher

__all__ = ["read_cypher", "write_cypher"]

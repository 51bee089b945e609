"""Formats of whole graphs: each is read by an import and written by an export, without loss.

What a format loses, if anything, is its `loses`.
"""

from kg.graph_formats.protocol import Graph, GraphFormat, Written
from kg.graph_formats.registry import FORMATS, format_of, opened_graph, write_graph

__all__ = [
    "FORMATS",
    "Graph",
    "GraphFormat",
    "Written",
    "format_of",
    "opened_graph",
    "write_graph",
]

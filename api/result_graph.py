"""A Cypher result as the graph that stands in it: nodes and edges with their ends, each once."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic_core import to_json

from api.schemas import GRAPH
from kg.query_results import Rows, graph_of

__all__ = ["as_graph_too", "graph_response", "graph_wanted"]


def graph_wanted(request: Request) -> bool:
    """Tell whether a request asks for the graph in a result.

    Example:
        >>> graph_wanted(Request({"type": "http", "headers": [(b"accept", GRAPH.encode())]}))
        True
    """
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(one.partition(";")[0].strip() == GRAPH for one in accepted)


def graph_response(rows: Rows, *, truncated: bool) -> Response:
    """Return ``nodes`` and ``edges``, and whether rows were cut off."""
    shown = {**graph_of(rows), "truncated": truncated}
    return Response(to_json(shown), media_type=GRAPH)


def as_graph_too(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Declare that an answer may also come as a graph; for a route's `responses`."""
    found = dict(responses)
    good = found.get(200, {"description": "OK"})
    forms = {GRAPH: {"schema": {"type": "object"}}}
    return found | {200: good | {"content": good.get("content", {}) | forms}}

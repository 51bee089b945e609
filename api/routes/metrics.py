"""`GET /metrics`: what the server has counted, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.access.scopes import scoped
from api.problems import problems
from api.serving.measures import CONTENT_TYPE_LATEST, Measures

__all__ = ["router"]

router = APIRouter(tags=["health"], route_class=scoped("read"))


@router.get(
    "/metrics",
    summary="Read what was counted",
    response_class=Response,
    responses=problems()
    | {
        200: {
            "description": "The text format of Prometheus",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
def metrics(request: Request) -> Response:
    """Read counts of requests by route and status, their seconds, and what is under way."""
    measures: Measures = request.app.state.measures
    return Response(measures.text(), media_type=CONTENT_TYPE_LATEST)

"""`/v1/review/facts`: people accept or reject single edges."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Depends, Request

from api.access.scopes import scoped
from api.dependencies import WorkDep
from api.fact_desk import FactDesk
from api.fact_schemas import FactIn, FactOut, FactsOut
from api.problems import problems
from kg.errors import (
    ConflictError,
    ForeignFileError,
    InputError,
    MissingPartError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UnknownEntityError,
    UnknownRelationError,
)

__all__ = ["VERDICTS", "router"]

router = APIRouter(tags=["review"], route_class=scoped("read", changes="write"))

VERDICTS: dict[str, Any] = {
    "accept": {
        "summary": "A border that a sentence speaks of is there",
        "value": {
            "head": "Georgia", "relation": "borders", "tail": "country:TR",
            "verdict": "accept", "who": "ada",
        },
    },
    "undo": {
        "summary": "Take the verdict back",
        "value": {
            "head": "Georgia", "relation": "borders", "tail": "country:TR",
            "verdict": "undo", "who": "ada",
        },
    },
}  # fmt: skip
"""Examples of requests, in OpenAPI and in tests."""


async def _desk(request: Request) -> FactDesk:
    return cast("FactDesk", request.app.state.fact_desk)


FactDeskDep = Annotated[FactDesk, Depends(_desk)]
_KEPT = (MissingPartError, ForeignFileError, QueryTimeoutError)


@router.get("/v1/review/facts", summary="List verdicts on edges", responses=problems(*_KEPT))
async def facts(desk: FactDeskDep, work: WorkDep) -> FactsOut:
    """List the edges that people have accepted or rejected, the latest verdict first."""
    return await work(desk.facts)


@router.post(
    "/v1/review/facts",
    summary="Accept or reject an edge",
    responses=problems(
        *_KEPT,
        InputError,
        UnknownEntityError,
        UnknownRelationError,
        ConflictError,
        StoreError,
        StoreUnavailableError,
    ),
)
async def decide(
    body: Annotated[FactIn, Body(openapi_examples=VERDICTS)], desk: FactDeskDep, work: WorkDep
) -> FactOut:
    """Give a verdict on an edge, or take it back; the same verdict again changes nothing.

    An accepted edge enters the graph with a record of who said so. A rejected one is kept as a
    verdict alone: name it in `without` of a question to leave it out.
    """
    return await work(desk.decide, body)

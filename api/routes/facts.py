"""`/v1/review/facts`: people accept or reject single edges."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Depends, Query, Request, Response

from api.access.scopes import scoped
from api.dependencies import WorkDep
from api.fact_desk import FactDesk
from api.fact_schemas import FactIn, FactOut, FactsOut
from api.next_page import link_next
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


Limit = Annotated[int, Query(ge=1, le=1000, description="verdicts of one page")]
After = Annotated[
    int | None, Query(ge=1, lt=2**53, description="the `next` of the page before: go on after it")
]


@router.get("/v1/review/facts", summary="List verdicts on edges", responses=problems(*_KEPT))
async def facts(
    desk: FactDeskDep, work: WorkDep, response: Response, limit: Limit = 1_000, after: After = None
) -> FactsOut:
    """List a page of the edges that people have accepted or rejected, the latest verdict first.

    `Link` names the next page.
    """
    found = await work(desk.facts, limit=limit, after=after)
    link_next(response, "/v1/review/facts", after=found.next, limit=limit)
    return found


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

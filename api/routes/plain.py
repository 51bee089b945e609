"""`POST /v1/plain`: a question in plain language, read as a query that the caller then sees."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.plain.schemas import PlainIn, PlainOut
from api.problems import problems
from api.routes.query import QUESTION_ERRORS
from kg.errors import StoreError, StoreUnavailableError

__all__ = ["PLAIN", "router"]

router = APIRouter(tags=["questions"], route_class=scoped("read"))

PLAIN = {
    "rules": {
        "summary": "By rules",
        "value": {"question": "Which countries border Turkey but do not speak Arabic?"},
    }
}


@router.post(
    "/v1/plain",
    summary="Read a question in plain language",
    responses=problems(*QUESTION_ERRORS, StoreError, StoreUnavailableError),
)
async def plain(
    body: Annotated[PlainIn, Body(openapi_examples=PLAIN)], engine: EngineDep, work: WorkDep
) -> PlainOut:
    """Return the query that a question was read as; it is not asked: send it to `/v1/query`.

    `heard` says which words were taken for which relation, `warnings` what is a guess.
    """
    return await work(engine.plain, body.question, by=body.by)

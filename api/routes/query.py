"""`POST /v1/query`: a question over what is known and what is likely."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.access.scopes import scoped
from api.dependencies import SteadyEngineDep, WorkDep
from api.problems import problems
from api.routes.examples import ANSWERS, QUESTIONS, shown
from api.schemas import AnswersOut, QueryIn
from kg.errors import (
    InputError,
    LimitError,
    MissingPartError,
    QuerySyntaxError,
    QueryTimeoutError,
    SettingError,
    UnknownEntityError,
    UnknownRelationError,
    UnsafeQueryError,
    UnsupportedQueryError,
)

__all__ = ["QUESTION_ERRORS", "router"]

router = APIRouter(tags=["questions"], route_class=scoped("read"))

QUESTION_ERRORS = (
    InputError,
    QuerySyntaxError,
    UnsupportedQueryError,
    UnsafeQueryError,
    UnknownEntityError,
    UnknownRelationError,
    SettingError,
    LimitError,
    QueryTimeoutError,
    MissingPartError,
)
"""What any question can meet."""


@router.post(
    "/v1/query",
    summary="Ask a question",
    responses=problems(*QUESTION_ERRORS) | shown(ANSWERS),
)
async def query(
    body: Annotated[QueryIn, Body(openapi_examples=QUESTIONS)],
    engine: SteadyEngineDep,
    work: WorkDep,
) -> AnswersOut:
    """Answer a text of the Cypher fragment, or a tree in JSON; known answers come first."""
    return await work(
        engine.ask,
        body.query,
        k=body.k,
        answerer=body.answerer,
        parameters=body.parameters,
        proofs=body.proofs,
        assume=body.assume,
        without=body.without,
    )

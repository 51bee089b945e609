"""`POST /v1/query`: a question over what is known and what is likely."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from api.access.scopes import scoped
from api.dependencies import engine_of, work_of
from api.problems import problems
from api.routes.answer_examples import ANSWERS
from api.routes.examples import QUESTIONS, shown
from api.rows import answer_table, arrow_response, as_rows_too, lines_response, rows_wanted
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
    responses=problems(*QUESTION_ERRORS) | as_rows_too(shown(ANSWERS)),
    response_model=AnswersOut,
)
async def query(
    body: Annotated[QueryIn, Body(openapi_examples=QUESTIONS)],
    request: Request,
) -> AnswersOut | Response:
    """Answer a text of the Cypher fragment, or a tree in JSON; known answers come first.

    With `Accept: application/x-ndjson` the first line is all but the answers, then comes a line for
    each answer or row, and the last one tells their number. With
    `Accept: application/vnd.apache.arrow.stream` they are an Arrow table, its metadata the head.
    """
    found = await work_of(request)(
        engine_of(request).ask,
        body.query,
        k=body.k,
        answerer=body.answerer,
        parameters=body.parameters,
        proofs=body.proofs,
        assume=body.assume,
        without=body.without,
        after=body.after,
    )
    form = rows_wanted(request)
    if form is None:
        return found
    head = found.model_dump(mode="json", exclude={"answers": True, "rows": {"rows"}})
    if form == "arrow":
        return arrow_response(head, answer_table(found))
    rows = found.answers if found.rows is None else ()
    cells = () if found.rows is None else found.rows.rows
    lines: list[Any] = [answer.model_dump(mode="json") for answer in rows]
    lines += [[cell.model_dump(mode="json") for cell in row] for row in cells]
    return lines_response(head, lines)

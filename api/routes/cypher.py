"""`POST /v1/cypher`: read-only Cypher on the store."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.problems import problems
from api.result_graph import as_graph_too, graph_response, graph_wanted
from api.routes.examples import CYPHER, TABLE, shown
from api.rows import arrow_response, as_rows_too, lines_response, rows_wanted
from api.running_queries import end_tagged
from api.schemas import CypherIn, TableOut
from kg.errors import (
    LimitError,
    MissingPartError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReadOnlyError,
    StoreError,
    StoreUnavailableError,
)

__all__ = ["router"]

router = APIRouter(tags=["store"], route_class=scoped("read"))


@router.post(
    "/v1/cypher",
    summary="Run read-only Cypher",
    responses=problems(
        QuerySyntaxError,
        ReadOnlyError,
        LimitError,
        QueryTimeoutError,
        MissingPartError,
        StoreError,
        StoreUnavailableError,
    )
    | as_graph_too(as_rows_too(shown(TABLE))),
    response_model=TableOut,
)
async def cypher(
    body: Annotated[CypherIn, Body(openapi_examples=CYPHER)],
    request: Request,
    engine: EngineDep,
    work: WorkDep,
) -> TableOut | Response:
    """Run a query as the reader role; what would write, read files or administer is refused.

    With `Accept: application/x-ndjson` the first line is the names of the columns, then comes a
    line for each row, and the last one tells their number and whether there were more. With
    `Accept: application/vnd.apache.arrow.stream` they are an Arrow table. With
    `Accept: application/vnd.umbra.graph+json` the nodes and edges that stand in them, each once
    and with its ends.
    """
    tag = f"request {secrets.token_hex(8)}"
    table = await work.abandoned_by(partial(end_tagged, engine, tag))(
        engine.cypher,
        body.query,
        body.parameters,
        timeout_s=body.timeout_s,
        max_rows=body.max_rows,
        tag=tag,
    )
    if graph_wanted(request):
        return graph_response(table, truncated=table.truncated)
    form = rows_wanted(request)
    if form is None:
        return table
    if form == "arrow":
        return arrow_response(table.columns, table, truncated=table.truncated)
    plain = table.model_dump(mode="json")
    return lines_response(plain["columns"], plain["rows"], truncated=table.truncated)

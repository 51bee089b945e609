"""`POST /v1/cypher`: read-only Cypher on the store."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.access.scopes import scoped
from api.cypher_streams import failure_line, pipe_lines, spool
from api.dependencies import EngineDep, WorkDep
from api.engine import Engine
from api.piped_body import PipedResponse
from api.problems import problem_of_body, problems
from api.result_graph import as_graph_too, graph_response, graph_wanted
from api.routes.examples import CYPHER, TABLE, shown
from api.rows import NDJSON, SpooledResponse, as_rows_too, rows_wanted
from api.running_queries import end_tagged
from api.schemas import CypherIn, TableOut
from api.spooled_rows import SpooledRows
from kg.errors import (
    LimitError,
    MissingPartError,
    QuerySyntaxError,
    QueryTimeoutError,
    QueryValueError,
    ReadOnlyError,
    StoreError,
    StoreUnavailableError,
)
from kg.row_stream import RowStream

__all__ = ["router"]

router = APIRouter(tags=["store"], route_class=scoped("read"))


@router.post(
    "/v1/cypher",
    summary="Run read-only Cypher",
    responses=problems(
        QuerySyntaxError,
        QueryValueError,
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

    With `Accept: application/x-ndjson` the rows are sent while the query runs: the first line is
    the names of the columns, then comes a line for each row, and the last one tells their number
    and whether there were more. A query that fails after its first rows ends with a line
    `{"error": …}` instead, which holds the problem. With
    `Accept: application/vnd.apache.arrow.stream` they are an Arrow table, sent when the last row
    has come. Both have up to `max_streamed_rows` rows. With
    `Accept: application/vnd.umbra.graph+json` the nodes and edges that stand in them, each once
    and with its ends.
    """
    tag = f"request {secrets.token_hex(8)}"
    work.abandoned_by(partial(end_tagged, engine, tag))
    is_graph = graph_wanted(request)
    form = None if is_graph else rows_wanted(request)
    if form is None:
        table = await work(
            engine.cypher, body.query, body.parameters, timeout_s=body.timeout_s,
            max_rows=body.max_rows, tag=tag,
        )  # fmt: skip
        return graph_response(table, truncated=table.truncated) if is_graph else table
    rows = partial(
        engine.stream_cypher, body.query, body.parameters, timeout_s=body.timeout_s,
        max_rows=body.max_rows, tag=tag,
    )  # fmt: skip
    if form == "arrow":
        return SpooledResponse(await work(_spooled, engine, rows))
    lines = await work.piped(
        lambda pipe: pipe_lines(rows(), pipe), within_s=engine.time_limit_s(body.timeout_s)
    )
    return PipedResponse(
        lines,
        last_words=lambda error: failure_line(problem_of_body(error, request.scope)),
        media_type=NDJSON,
    )


def _spooled(engine: Engine, rows: Callable[[], AbstractContextManager[RowStream]]) -> SpooledRows:
    most, folder = engine.settings.max_spooled_bytes, engine.workspace.folder
    return spool(rows(), folder=folder, max_bytes=most)

"""`POST /v1/cypher`: read-only Cypher on the store."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.dependencies import EngineDep, WorkDep
from api.problems import problems
from api.routes.examples import CYPHER
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

router = APIRouter(tags=["store"])


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
    ),
)
async def cypher(
    body: Annotated[CypherIn, Body(openapi_examples=CYPHER)], engine: EngineDep, work: WorkDep
) -> TableOut:
    """Run a query as the reader role; what would write, read files or administer is refused."""
    return await work(
        engine.cypher,
        body.query,
        body.parameters,
        timeout_s=body.timeout_s,
        max_rows=body.max_rows,
    )

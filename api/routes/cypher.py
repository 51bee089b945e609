"""`POST /v1/cypher`: read-only Cypher on the store."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Annotated, Any, Protocol, runtime_checkable

from fastapi import APIRouter, Body

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.engine import Engine
from api.problems import problems
from api.routes.examples import CYPHER, TABLE, shown
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
    | shown(TABLE),
)
async def cypher(
    body: Annotated[CypherIn, Body(openapi_examples=CYPHER)], engine: EngineDep, work: WorkDep
) -> TableOut:
    """Run a query as the reader role; what would write, read files or administer is refused."""
    tag = f"// request {secrets.token_hex(8)}"
    return await work.abandoned_by(partial(_end, engine, tag))(
        engine.cypher,
        f"{body.query}\n{tag}",
        body.parameters,
        timeout_s=body.timeout_s,
        max_rows=body.max_rows,
    )


@runtime_checkable
class _EndsQueries(Protocol):
    """A store that lists the queries that run and can end one."""

    def running_queries(self) -> list[Any]: ...

    def end_query(self, query: str) -> bool: ...


def _end(engine: Engine, tag: str) -> None:
    """End a query at the store; the comment after its text tells it from others."""
    store = engine.store
    if isinstance(store, _EndsQueries):
        for running in store.running_queries():
            if tag in running.text:
                store.end_query(running.id)

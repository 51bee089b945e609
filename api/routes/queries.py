"""`/v1/queries`: the Cypher queries that run on the store now, and an end to one of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.errors import HttpProblem
from api.problems import problems
from api.running_queries import EndedQueryOut, RunningQueriesOut, end_query, running_queries
from kg.errors import InputError, MissingPartError, StoreUnavailableError

__all__ = ["router"]

router = APIRouter(tags=["store"], route_class=scoped("admin", changes="admin"))

Id = Annotated[str, Path(max_length=80)]


@router.get(
    "/v1/queries",
    summary="List the queries that run",
    responses=problems(MissingPartError, StoreUnavailableError),
)
async def queries(engine: EngineDep, work: WorkDep) -> RunningQueriesOut:
    """List the Cypher queries that run on the store now, of every client, oldest first."""
    return await work(running_queries, engine)


@router.delete(
    "/v1/queries/{id}",
    summary="End a query that runs",
    responses=problems("not-found", InputError, MissingPartError, StoreUnavailableError),
)
async def end(id: Id, engine: EngineDep, work: WorkDep) -> EndedQueryOut:  # noqa: A002
    """End a query; its caller is told that it was ended."""
    if not await work(end_query, engine, id):
        raise HttpProblem("not-found", f"no query {id!r:.80} runs", hint="list those that do")
    return EndedQueryOut(ended=id)

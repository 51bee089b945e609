"""`/v1/review`: cases that the linker leaves to people, their decisions, and duplicates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from api.access.scopes import scoped
from api.dependencies import DeskDep, RunnerDep, WorkDep
from api.next_page import link_next
from api.problems import problems
from api.review_schemas import (
    CasesFromJobIn,
    CasesLoadedOut,
    CasesOut,
    DecisionIn,
    DecisionOut,
    DecisionsOut,
    DuplicatesIn,
    DuplicatesOut,
)
from api.routes.examples import DECISIONS
from api.steps.duplicates import duplicates
from api.steps.review import load_job
from kg.errors import (
    ConflictError,
    InputError,
    LimitError,
    QueryTimeoutError,
    SettingError,
    StoreError,
    UnknownEntityError,
)

__all__ = ["router"]

router = APIRouter(tags=["review"], route_class=scoped("read", changes="write"))

Limit = Annotated[int, Query(ge=1, le=1_000)]
After = Annotated[int, Query(ge=0, lt=2**53, description="number of the last one before")]
Cursor = Annotated[
    str | None, Query(max_length=30_000, description="the `next` of the page before")
]
Label = Annotated[str | None, Query(max_length=200)]
Least = Annotated[float, Query(ge=0, le=1, description="least probability")]
Known = problems(StoreError, QueryTimeoutError)
Searched = problems(InputError, LimitError, SettingError, StoreError, QueryTimeoutError)


@router.get(
    "/v1/review/cases",
    summary="List what waits for a decision",
    responses=problems(InputError, StoreError, QueryTimeoutError),
)
async def cases(
    desk: DeskDep, work: WorkDep, response: Response, limit: Limit = 20, after: Cursor = None
) -> CasesOut:
    """List open cases, the most useful first, each with its candidates and reasons.

    `Link` names the next page.
    """
    found = await work(desk.cases, limit=limit, after=after)
    link_next(response, "/v1/review/cases", after=found.next, limit=limit)
    return found


@router.post(
    "/v1/review/cases",
    summary="Review the links of a job",
    responses=problems("unknown-job", "not-found", InputError, LimitError, StoreError),
)
async def load(
    body: CasesFromJobIn, desk: DeskDep, runner: RunnerDep, work: WorkDep
) -> CasesLoadedOut:
    """Make cases of the links of a job that is done; those that are cases already stay."""
    return await work(load_job, desk, runner, body)


@router.get("/v1/review/decisions", summary="Read the log of decisions", responses=Known)
async def decisions(
    desk: DeskDep, work: WorkDep, response: Response, limit: Limit = 1_000, after: After = 0
) -> DecisionsOut:
    """Read decisions in their order, undone and refused ones too; `Link` names the next page."""
    found = await work(desk.decisions, limit=limit, after=after)
    link_next(response, "/v1/review/decisions", after=found.next, limit=limit)
    return found


@router.post(
    "/v1/review/decisions",
    summary="Make a decision",
    responses=problems(
        InputError, UnknownEntityError, ConflictError, LimitError, StoreError, QueryTimeoutError
    ),
)
async def decide(
    body: Annotated[DecisionIn, Body(openapi_examples=DECISIONS)], desk: DeskDep, work: WorkDep
) -> DecisionOut:
    """Make a decision and do it to the graph; sent again with the same `id` it changes nothing."""
    return await work(desk.decide, body)


@router.get("/v1/review/duplicates", summary="Find entities that may be one", responses=Searched)
async def search(
    desk: DeskDep,
    work: WorkDep,
    response: Response,
    label: Label = None,
    least: Least = 0.5,
    limit: Limit = 100,
    after: Cursor = None,
) -> DuplicatesOut:
    """Find pairs of entities that may be one, with reasons; nothing is written.

    `Link` names the next page.
    """
    found = await work(duplicates, desk, label=label, least=least, limit=limit, after=after)
    path = "/v1/review/duplicates"
    link_next(response, path, after=found.next, limit=limit, label=label, least=least)
    return found


@router.post(
    "/v1/review/duplicates",
    summary="Review entities that may be one",
    responses=Searched,
)
async def review_duplicates(body: DuplicatesIn, desk: DeskDep, work: WorkDep) -> DuplicatesOut:
    """Make cases of pairs of entities that may be one; nothing is merged."""
    return await work(duplicates, desk, dry_run=False, **body.model_dump())

"""`GET /v1/checks/{key}`: what is in conflict with the pictures of an entity, both sides shown."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response

from api.access.scopes import scoped
from api.check_schemas import ChecksOut
from api.dependencies import EngineDep, WorkDep
from api.next_page import link_next
from api.problems import problems
from api.routes.examples import ENTITY_KEYS
from api.steps.entity_checks import checks_of
from kg.errors import (
    ForeignFileError,
    FormatVersionError,
    InputError,
    StoreUnavailableError,
    UnknownEntityError,
)

__all__ = ["router"]

router = APIRouter(tags=["pictures"], route_class=scoped("read"))

Key = Annotated[str, Path(max_length=2000, openapi_examples=ENTITY_KEYS)]
Limit = Annotated[int, Query(ge=1, le=1000, description="parts that a page checks")]
After = Annotated[str | None, Query(max_length=20_000, description="the `next` of the page before")]


@router.get(
    "/v1/checks/{key:path}",
    summary="Read what is in conflict with an entity's pictures",
    responses=problems(
        InputError, UnknownEntityError, ForeignFileError, FormatVersionError, StoreUnavailableError
    ),
)
async def checks(
    key: Key,
    engine: EngineDep,
    work: WorkDep,
    response: Response,
    limit: Limit = 100,
    after: After = None,
) -> ChecksOut:
    """Check relations of parts against their boxes; texts as `umbra scenes check` found them.

    A page checks `limit` parts, fewer if they have thousands of edges; `Link` names the next one.
    """
    found = await work(checks_of, engine, key, limit=limit, after=after)
    link_next(response, f"/v1/checks/{quote(key, safe='')}", after=found.next, limit=limit)
    return found

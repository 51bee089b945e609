"""`GET /v1/checks/{key}`: what is in conflict with the pictures of an entity, both sides shown."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.access.scopes import scoped
from api.check_schemas import ChecksOut
from api.dependencies import EngineDep, WorkDep
from api.problems import problems
from api.routes.examples import ENTITY_KEYS
from api.steps.entity_checks import checks_of
from kg.errors import (
    ForeignFileError,
    FormatVersionError,
    StoreUnavailableError,
    UnknownEntityError,
)

__all__ = ["router"]

router = APIRouter(tags=["pictures"], route_class=scoped("read"))

Key = Annotated[str, Path(max_length=2000, openapi_examples=ENTITY_KEYS)]
Limit = Annotated[int, Query(ge=1, le=1000, description="parts that are checked")]


@router.get(
    "/v1/checks/{key:path}",
    summary="Read what is in conflict with an entity's pictures",
    responses=problems(
        UnknownEntityError, ForeignFileError, FormatVersionError, StoreUnavailableError
    ),
)
async def checks(key: Key, engine: EngineDep, work: WorkDep, limit: Limit = 100) -> ChecksOut:
    """Check relations of parts against their boxes; texts as `umbra scenes check` found them."""
    return await work(checks_of, engine, key, limit=limit)

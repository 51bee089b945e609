"""`GET /v1/entities/{key}`: an entity with names, attributes, images, parts and edges."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from api.access.scopes import scoped
from api.dependencies import engine_of, work_of
from api.next_page import link_next
from api.problems import problems
from api.routes.examples import ENTITY_KEYS
from api.schemas import EntityOut
from api.serving.kept_answers import UNCHANGED
from kg.errors import InputError, StoreUnavailableError, UnknownEntityError

__all__ = ["router"]

router = APIRouter(tags=["store"], route_class=scoped("read"))

Key = Annotated[str, Path(max_length=2000, openapi_examples=ENTITY_KEYS)]
Limit = Annotated[int, Query(ge=1, le=1000, description="edges of one page")]
After = Annotated[str | None, Query(max_length=20_000, description="the `next` of the page before")]


@router.get(
    "/v1/entities/{key:path}",
    summary="Read an entity",
    responses=problems(InputError, UnknownEntityError, StoreUnavailableError) | UNCHANGED,
)
async def entity(
    key: Key,
    request: Request,
    response: Response,
    limit: Limit = 100,
    after: After = None,
) -> EntityOut:
    """Read an entity and one page of its edges, both directions; `Link` names the next page."""
    found = await work_of(request)(engine_of(request).entity, key, limit=limit, after=after)
    link_next(response, f"/v1/entities/{quote(key, safe='')}", after=found.next, limit=limit)
    return found

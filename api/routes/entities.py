"""`GET /v1/entities`: the graph's entities; `/{key}`: one with names, images, parts and edges."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from api.access.scopes import scoped
from api.dependencies import engine_of, work_of
from api.entity_schemas import EntitiesOut
from api.held_already import is_held
from api.next_page import link_next
from api.problems import problems
from api.routes.examples import ENTITY_KEYS
from api.routes.info import installed_version
from api.schemas import EntityOut
from api.serving.kept_answers import UNCHANGED
from kg.errors import InputError, MissingPartError, StoreUnavailableError, UnknownEntityError

__all__ = ["router"]

router = APIRouter(tags=["store"], route_class=scoped("read"))

Key = Annotated[str, Path(max_length=2000, openapi_examples=ENTITY_KEYS)]
Limit = Annotated[int, Query(ge=1, le=1000, description="edges of one page")]
After = Annotated[str | None, Query(max_length=20_000, description="the `next` of the page before")]
Listed = Annotated[int, Query(ge=1, le=1000, description="entities of one page")]
Label = Annotated[str | None, Query(max_length=200, description="only entities of this label")]


@router.get(
    "/v1/entities",
    summary="List the entities",
    responses=problems(InputError, MissingPartError) | UNCHANGED,
    response_model=EntitiesOut,
)
async def entities(
    request: Request,
    response: Response,
    label: Label = None,
    limit: Listed = 100,
    after: After = None,
) -> EntitiesOut | Response:
    """List a page of the graph's entities, of all or of one label, ascending by key.

    They are those of the snapshot that questions run on, which `snapshot` and the `ETag` name: what
    was written since shows once there is a newer one. `Link` names the next page.
    """
    engine = engine_of(request)
    found = await work_of(request)(engine.entities, label=label, limit=limit, after=after)
    tag = f'"{installed_version()}-{found.snapshot}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_held(request, tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    link_next(response, "/v1/entities", after=found.next, label=label, limit=limit)
    return found


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

"""`POST /v1/link/text`: the mentions of a plain text, linked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.access.scopes import scoped
from api.dependencies import LinkerDep, WorkDep
from api.problems import problems
from api.routes.examples import TEXTS
from api.steps.link_text import link_held
from api.text_schemas import TextIn, TextLinksOut
from kg.errors import InputError, LimitError, MissingPartError, QueryTimeoutError, StoreError

__all__ = ["router"]

router = APIRouter(tags=["linking"], route_class=scoped("read"))


@router.post(
    "/v1/link/text",
    summary="Link a text",
    responses=problems(InputError, LimitError, MissingPartError, QueryTimeoutError, StoreError),
)
async def link_text(
    body: Annotated[TextIn, Body(openapi_examples=TEXTS)], linker: LinkerDep, work: WorkDep
) -> TextLinksOut:
    """Find the mentions of a plain text and link them to entities of the graph."""
    return await work(link_held, linker, body.text, name=body.name)

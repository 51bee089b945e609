"""`GET /v1/images/sheet`: many pictures of the graph on one page, with what is on them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.engine import Engine
from api.errors import HttpProblem
from api.problems import problems
from api.routes.examples import SHEETS
from api.routes.images import SVG_POLICY
from api.routes.search import Labels
from kg.errors import (
    ImageError,
    InputError,
    MissingPartError,
    StoreUnavailableError,
    UnknownEntityError,
)

__all__ = ["MAX_PICTURES", "MAX_SIDE", "router"]

MAX_PICTURES = 100
"""Pictures of one sheet over REST; the command line draws more."""
MAX_SIDE = 512
"""Pixels of the longer side of each; with `MAX_PICTURES` some 26 million pixels in all."""

router = APIRouter(tags=["pictures"], route_class=scoped("read"))

Keys = Annotated[
    list[Annotated[str, Query(max_length=2000)]],
    Query(
        alias="key",
        max_length=MAX_PICTURES,
        description="whose pictures; may be repeated; without it the first of the graph",
        openapi_examples=SHEETS,
    ),
]
Most = Annotated[int, Query(ge=1, le=MAX_PICTURES, description="most pictures")]
Columns = Annotated[int, Query(ge=1, le=20, description="pictures a row")]
Side = Annotated[int, Query(ge=32, le=MAX_SIDE, description="pixels of each one's longer side")]
Form = Annotated[Literal["svg", "png"], Query(alias="format", description="of the sheet")]


@router.get(
    "/v1/images/sheet",
    summary="Draw many pictures on one sheet",
    response_class=Response,
    responses=problems(
        "unknown-image", ImageError, InputError, UnknownEntityError, StoreUnavailableError
    )
    | {200: {"description": "The sheet", "content": {"image/svg+xml": {}, "image/png": {}}}},
)
async def sheet(
    engine: EngineDep,
    work: WorkDep,
    key: Keys = [],  # noqa: B006
    label: Labels = [],  # noqa: B006
    most: Most = 24,
    columns: Columns = 4,
    side: Side = 320,
    form: Form = "svg",
) -> Response:
    """Draw pictures with the masks, boxes, labels and relations of their parts on one page.

    Give keys, or labels of entities, or neither for the first pictures of the graph.
    """
    if key and label:
        raise InputError("give keys or labels, not both")
    drawn = await work(
        _drawn, engine, key, label=label, most=most, columns=columns, side=side, form=form
    )
    if form == "png":
        return Response(drawn, media_type="image/png")
    headers = {"Content-Security-Policy": SVG_POLICY}
    return Response(drawn, media_type="image/svg+xml", headers=headers)


def _drawn(
    engine: Engine,
    keys: list[str],
    *,
    label: list[str],
    most: int,
    columns: int,
    side: int,
    form: str,
) -> bytes:
    from api.steps.scene_sheet import sheet_tiles
    from scenes.sheet import sheet_png, sheet_svg

    try:
        tiles = sheet_tiles(engine, keys, labels=label, most=most, side=side)
    except MissingPartError as error:  # of the graph, not of the server: to wait is no use
        raise HttpProblem("unknown-image", str(error)) from error
    if form == "png":
        return sheet_png(tiles, columns=columns, side=side)
    return sheet_svg(tiles, columns=columns, side=side).encode()

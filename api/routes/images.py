"""`GET /v1/images/{sha256}`: a picture of the graph, plain, small, or with one part outlined."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.engine import Engine
from api.errors import HttpProblem
from api.held_already import is_held
from api.overlay import media_type_of, outlined
from api.problems import problems
from api.serving.kept_answers import UNCHANGED
from api.thumbnails import LARGEST, SMALLEST, thumbnail
from kg.errors import ImageError, InputError, StoreUnavailableError, UnknownEntityError

__all__ = ["router"]

router = APIRouter(tags=["pictures"], route_class=scoped("read"))

Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="of the file's bytes")]
Part = Annotated[
    str | None, Query(max_length=2000, description="key of a part to outline; gives SVG")
]
Side = Annotated[
    int | None,
    Query(ge=SMALLEST, le=LARGEST, description="pixels of the longer side of a smaller PNG"),
]

FOREVER = "private, max-age=31536000, immutable"
SVG_POLICY = "default-src 'none'; img-src data:; frame-ancestors 'none'"


@router.get(
    "/v1/images/{sha256}",
    summary="Read a picture",
    response_class=Response,
    responses=problems(
        "unknown-image", ImageError, InputError, UnknownEntityError, StoreUnavailableError
    )
    | {200: {"description": "The picture", "content": {"image/*": {}, "image/svg+xml": {}}}}
    | UNCHANGED,
)
async def image(
    sha256: Hash,
    request: Request,
    engine: EngineDep,
    work: WorkDep,
    part: Part = None,
    side: Side = None,
) -> Response:
    """Read a picture by its hash; with `side` a small one, with `part` an SVG that outlines it."""
    if part is not None and side is not None:
        raise InputError("give one of part and side", hint="an SVG has any size")
    picture = await work(_picture, engine, sha256)
    if part is not None:
        drawn = await work(_with_part, engine, picture, sha256=sha256, part=part)
        headers = {"Content-Security-Policy": SVG_POLICY}
        return Response(drawn, media_type="image/svg+xml", headers=headers)
    tag = f'"{sha256}"' if side is None else f'"{sha256}-{side}"'
    headers = {"Cache-Control": FOREVER, "ETag": tag}
    if is_held(request, tag):
        return Response(status_code=304, headers=headers)
    if side is not None:
        small = await work(thumbnail, picture, side)
        return Response(small, media_type="image/png", headers=headers)
    return Response(picture, media_type=media_type_of(picture[:16]), headers=headers)


def _picture(engine: Engine, sha256: str) -> bytes:
    path = engine.images.path(sha256)
    if not path.is_file():
        raise HttpProblem("unknown-image", f"no picture {sha256[:12]}…")
    return path.read_bytes()


def _with_part(engine: Engine, picture: bytes, *, sha256: str, part: str) -> bytes:
    found = engine.entity(part, limit=1).part
    if found is None or found.image != sha256:
        raise HttpProblem("unknown-image", f"{part[:80]!r} is no part of this picture")
    return outlined(picture, found)

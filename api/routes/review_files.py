"""`/v1/review/export` and `/v1/review/import`: decisions to other tools and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import StreamingResponse

from api.access.scopes import scoped
from api.dependencies import DeskDep, WorkDep
from api.problems import problems
from api.review_schemas import ImportedOut, ReviewFileIn
from api.steps.review_files import ENDINGS, MEDIA_TYPES, ReviewFormat, export_held, import_held
from kg.errors import InputError, LimitError, QueryTimeoutError, RecordError, StoreError

__all__ = ["FILES", "router"]

router = APIRouter(tags=["review"], route_class=scoped("read", changes="write"))

FILES: dict[str, Any] = {
    "sssom": {
        "summary": "Mappings of SSSOM: two entities that are not one",
        "value": {
            "format": "sssom",
            "who": "ada",
            "content": "subject_id\tpredicate_id\tpredicate_modifier\tobject_id\t"
            "mapping_justification\ncountry:GR\tskos:exactMatch\tNot\tcountry:TR\t"
            "semapv:ManualMappingCuration\n",
        },
    },
    "label-studio": {
        "summary": "An export of Label Studio in which nothing was annotated",
        "value": {"format": "label-studio", "who": "ada", "content": [{"data": {}}]},
    },
}
"""Examples of requests, in OpenAPI and in tests."""

_BLOCK = 65_536

Format = Annotated[ReviewFormat, Query(alias="format", description="of the file")]
Licence = Annotated[str | None, Query(max_length=500, description="of SSSOM mappings: an address")]
Written: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {kind: {} for kind in MEDIA_TYPES.values()}}
}


@router.get(
    "/v1/review/export",
    summary="Write a review for another tool",
    response_class=StreamingResponse,
    responses=problems(StoreError, QueryTimeoutError) | Written,
)
async def export(
    desk: DeskDep, work: WorkDep, kind: Format, licence: Licence = None
) -> StreamingResponse:
    """Return cases and decisions as tasks of Label Studio, mappings of SSSOM, or training pairs."""
    file = await work(export_held, desk, kind, licence=licence)
    ending = next(ending for ending, known in ENDINGS.items() if known == kind)
    headers = {"Content-Disposition": f'attachment; filename="review{ending}"'}
    return StreamingResponse(_blocks(file), media_type=MEDIA_TYPES[kind], headers=headers)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK):
            yield block


@router.post(
    "/v1/review/import",
    summary="Take in decisions of another tool",
    responses=problems(InputError, RecordError, LimitError, StoreError, QueryTimeoutError),
)
async def take_in(
    body: Annotated[ReviewFileIn, Body(openapi_examples=FILES)], desk: DeskDep, work: WorkDep
) -> ImportedOut:
    """Make the decisions of a file; the same file again changes nothing, so it may be sent anew."""
    return await work(import_held, desk, body)

"""`/v1/undo`, `/v1/history`, `/v1/diff`: take back, how things came to be, what has changed."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Path, Query, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, WorkDep
from api.next_page import link_next
from api.problems import problems
from api.routes.examples import ENTITY_KEYS
from api.steps.diff import diff_named
from api.steps.history import history_of
from api.steps.undo import undo_in_graph
from api.undo_schemas import DiffOut, HistoryOut, UndoIn, UndoOut
from kg.errors import InputError, MissingPartError, StoreUnavailableError, UnknownEntityError

__all__ = ["router"]

router = APIRouter(tags=["store"], route_class=scoped("read", changes="write"))

UNDOS: dict[str, Any] = {
    "dry run": {
        "summary": "What would go with a source",
        "value": {"source": "nobody.jsonl", "confirm": False},
    }
}
Key = Annotated[str, Path(max_length=2000, openapi_examples=ENTITY_KEYS)]
Limit = Annotated[int, Query(ge=1, le=1000, description="events of one page")]
After = Annotated[str | None, Query(max_length=20_000, description="the `next` of the page before")]
Examples = Annotated[int, Query(ge=0, le=1000, description="examples of each kind on a page")]
Name = Annotated[str, Query(max_length=200, description="a snapshot's name, or `store`")]


@router.post(
    "/v1/undo",
    summary="Take back a source, a job or an edge",
    responses=problems(InputError, MissingPartError, StoreUnavailableError),
)
async def undo(
    body: Annotated[UndoIn, Body(openapi_examples=UNDOS)], engine: EngineDep, work: WorkDep
) -> UndoOut:
    """Say what would go; with `confirm`, take it back, with all that was derived from it."""
    found = await work(undo_in_graph, engine, body.what(), confirm=body.confirm)
    if found.brought_back_by is None:
        return found
    file = FilePath(found.brought_back_by)  # where the server's folder lies is nobody's business
    return found.model_copy(update={"brought_back_by": f"{file.parent.name}/{file.name}"})


@router.get(
    "/v1/history/{key:path}",
    summary="Read how an entity came to be",
    responses=problems(InputError, UnknownEntityError, StoreUnavailableError),
)
async def history(
    key: Key,
    engine: EngineDep,
    work: WorkDep,
    response: Response,
    limit: Limit = 200,
    after: After = None,
) -> HistoryOut:
    """Read the records of an entity and of its edges, oldest first, and what was taken back.

    `Link` names the next page.
    """
    found = await work(history_of, engine, key, limit=limit, after=after)
    link_next(response, f"/v1/history/{quote(key, safe='')}", after=found.next, limit=limit)
    return found


@router.get(
    "/v1/diff",
    summary="Read how two graphs differ",
    responses=problems(InputError, MissingPartError, StoreUnavailableError),
)
async def diff(
    engine: EngineDep,
    work: WorkDep,
    response: Response,
    old: Name,
    new: Name = "store",
    limit: Examples = 20,
    after: After = None,
) -> DiffOut:
    """Compare two snapshots, or one with the store as it is now.

    The numbers are of all that differs; `Link` names the next page of examples.
    """
    found = await work(diff_named, engine, old, new, limit=limit, after=after)
    link_next(response, "/v1/diff", after=found.next, old=old, new=new, limit=limit)
    return found

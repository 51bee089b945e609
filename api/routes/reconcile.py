"""`/v1/reconcile`: the reconciliation service of OpenRefine, version 0.2 of its protocol."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, EngineWork, LinkerDep, WorkDep
from api.engine import Engine
from api.forms import form_fields
from api.held_linker import HeldLinker
from api.problems import problems
from api.reconciling.candidates import reconciled
from api.reconciling.properties import Kind, extended, preview, properties_of, suggested
from api.reconciling.schemas import (
    ExtendOut,
    ManifestOut,
    NamedOut,
    PropertiesOut,
    ResultOut,
    SuggestionsOut,
    read_extension,
    read_queries,
)
from api.routes.examples import ENTITY_KEYS, RECONCILED
from api.routes.info import installed_version
from kg.errors import (
    InputError,
    LimitError,
    MissingPartError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
    UnknownEntityError,
)

__all__ = ["router"]

router = APIRouter(tags=["reconciliation"], route_class=scoped("read"))

Batch = Annotated[
    str | None, Query(max_length=50_000, openapi_examples=RECONCILED, description="queries in JSON")
]
Extend = Annotated[str | None, Query(max_length=50_000, description="a data extension in JSON")]
Answer = ManifestOut | ExtendOut | dict[str, ResultOut]
Met = problems(
    InputError, LimitError, MissingPartError, QueryTimeoutError, StoreError, StoreUnavailableError
)
_FORM: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {"queries": {"type": "string"}, "extend": {"type": "string"}},
                }
            }
        }
    }
}


@router.get(
    "/v1/reconcile",
    summary="Read the manifest, or reconcile",
    responses=Met,
    response_model_exclude_none=True,
)
async def read(
    request: Request,
    engine: EngineDep,
    linker: LinkerDep,
    work: WorkDep,
    queries: Batch = None,
    extend: Extend = None,
) -> Answer:
    """Say what the service offers; with `queries` or `extend`, answer them."""
    return await _answer(request, engine, linker, work, queries, extend)


@router.post(
    "/v1/reconcile",
    summary="Reconcile, or fetch properties",
    responses=Met,
    response_model_exclude_none=True,
    openapi_extra=_FORM,
)
async def send(request: Request, engine: EngineDep, linker: LinkerDep, work: WorkDep) -> Answer:
    """Answer the form field `queries` (rows to match) or `extend` (properties to fetch)."""
    form = await form_fields(request)
    queries, extend = (form.get(name, [None])[0] for name in ("queries", "extend"))
    return await _answer(request, engine, linker, work, queries, extend)


async def _answer(
    request: Request,
    engine: Engine,
    linker: HeldLinker,
    work: EngineWork,
    queries: str | None,
    extend: str | None,
) -> Answer:
    if queries is not None:
        return await work(reconciled, engine, linker, read_queries(queries))
    if extend is not None:
        return await work(extended, engine, read_extension(extend))
    return await work(_manifest, engine, str(request.base_url).rstrip("/"))


@router.get(
    "/v1/reconcile/suggest/{kind}",
    summary="Complete a beginning",
    responses=Met,
    response_model_exclude_none=True,
)
async def suggest(
    kind: Annotated[Kind, Path()],
    engine: EngineDep,
    work: WorkDep,
    prefix: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[int, Query(ge=0, le=1_000)] = 0,
) -> SuggestionsOut:
    """Complete the beginning of an entity's name, a property or a type."""
    return await work(suggested, engine, kind, prefix, cursor)


@router.get(
    "/v1/reconcile/properties",
    summary="Propose properties",
    responses=Met,
    response_model_exclude_none=True,
)
async def propose(
    engine: EngineDep,
    work: WorkDep,
    type: Annotated[str | None, Query(max_length=500)] = None,  # noqa: A002 - the protocol's name
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> PropertiesOut:
    """Propose properties to fetch for entities of a type."""
    found = await work(lambda: tuple(properties_of(engine, type))[:limit])
    return PropertiesOut(type=type, limit=limit, properties=found)


@router.get(
    "/v1/reconcile/preview",
    summary="Preview an entity",
    response_class=Response,
    responses=problems(UnknownEntityError, QueryTimeoutError, StoreError, StoreUnavailableError)
    | {200: {"description": "A small page", "content": {"text/html": {}}}},
)
async def show(
    id: Annotated[str, Query(max_length=2000, openapi_examples=ENTITY_KEYS)],  # noqa: A002
    engine: EngineDep,
    work: WorkDep,
) -> Response:
    """Show an entity as a small page, for the frame of a client."""
    page = await work(preview, engine, id)
    readers = " ".join(engine.settings.reconcile_origins) or "'none'"
    policy = f"default-src 'none'; img-src 'self'; frame-ancestors {readers}"
    headers = {"Content-Security-Policy": policy}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _manifest(engine: Engine, address: str) -> ManifestOut:
    service = f"{address}/v1/reconcile"

    def place(path: str) -> dict[str, str]:
        return {"service_url": service, "service_path": path}

    return ManifestOut(
        name=f"Umbra: {engine.workspace.folder.absolute().parent.name}",
        serviceVersion=installed_version(),
        identifierSpace="urn:umbra:entity",
        schemaSpace="urn:umbra:schema",
        defaultTypes=tuple(NamedOut(id=name, name=name) for name in engine.snapshot.labels),
        view={"url": f"{address}/v1/entities/{{{{id}}}}"},
        preview={"url": f"{service}/preview?id={{{{id}}}}", "width": 400, "height": 200},
        suggest={kind: place(f"/suggest/{kind}") for kind in ("entity", "property", "type")},
        extend={"propose_properties": place("/properties")},
    )

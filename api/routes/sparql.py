"""`/v1/sparql`: SPARQL 1.1 queries by the W3C protocol, read only."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.access.scopes import scoped
from api.dependencies import EngineDep, EngineWork, WorkDep
from api.errors import HttpProblem
from api.forms import form_fields
from api.held_sparql import HeldSparql
from api.problems import problems
from kg.errors import (
    InputError,
    LimitError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReadOnlyError,
    StoreError,
    StoreUnavailableError,
    UnsupportedQueryError,
)
from kg.sparql.media import GRAPHS, RESULTS, acceptable

if TYPE_CHECKING:
    from api.settings import Settings

__all__ = ["FORM", "QUERY", "router"]

router = APIRouter(tags=["store"], route_class=scoped("read"))

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
EXAMPLE = "SELECT ?s ?p ?o WHERE { ?s ?p ?o } LIMIT 3"

_RESPONSES: dict[int | str, dict[str, Any]] = problems(
    "bad-request",
    "not-acceptable",
    InputError,
    QuerySyntaxError,
    ReadOnlyError,
    LimitError,
    UnsupportedQueryError,
    QueryTimeoutError,
    StoreError,
    StoreUnavailableError,
) | {
    200: {
        "description": "Rows or a truth value (SELECT, ASK), triples (CONSTRUCT, DESCRIBE)",
        "content": {
            media: {} if media.endswith("json") else {"schema": {"type": "string"}}
            for media in dict.fromkeys((*RESULTS, *GRAPHS))
        },
    }
}


async def _held(request: Request) -> HeldSparql:
    held: HeldSparql = request.app.state.sparql
    return held


HeldDep = Annotated[HeldSparql, Depends(_held)]
Text = Annotated[str | None, Query(description="the query", examples=[EXAMPLE])]
Graphs = Annotated[list[str], Query(max_length=100, description="IRIs of graphs")]


class _Asking:
    """What both methods share: the limits of the engine, the forms that the client accepts."""

    def __init__(
        self, accept: str | None, limits: Settings, work: EngineWork, held: HeldSparql
    ) -> None:
        self._accept = accept
        self._limits = limits
        self._work = work
        self._held = held

    async def answer(
        self, query: str | None, default_graphs: list[str], named_graphs: list[str]
    ) -> Response:
        """Answer a query."""
        if query is None:
            raise InputError("there is no query", hint="send it as `query`")
        result, graph = (acceptable(self._accept, forms) for forms in (RESULTS, GRAPHS))
        if result is None and graph is None:
            raise _not_acceptable()
        tag = secrets.token_hex(8)
        answer = await self._work.abandoned_by(partial(self._held.end, tag))(
            self._held.query,
            query,
            result=result,
            graph=graph,
            default_graphs=default_graphs,
            named_graphs=named_graphs,
            timeout_s=self._limits.timeout_s,
            max_rows=self._limits.max_rows,
            tag=tag,
        )
        if answer.media is None:
            raise _not_acceptable()
        return Response(answer.body, media_type=answer.media)


async def _asking(request: Request, engine: EngineDep, work: WorkDep, held: HeldDep) -> _Asking:
    return _Asking(request.headers.get("accept"), engine.settings, work, held)


AskingDep = Annotated[_Asking, Depends(_asking)]


@router.get(
    "/v1/sparql",
    summary="Run a SPARQL query",
    response_class=Response,
    responses=_RESPONSES,
)
async def sparql(
    asking: AskingDep,
    query: Text = None,
    default_graph_uri: Annotated[Graphs, Query(alias="default-graph-uri")] = [],  # noqa: B006
    named_graph_uri: Annotated[Graphs, Query(alias="named-graph-uri")] = [],  # noqa: B006
) -> Response:
    """Run SELECT, ASK, CONSTRUCT or DESCRIBE; updates, SERVICE and LOAD are refused."""
    return await asking.answer(query, default_graph_uri, named_graph_uri)


@router.post(
    "/v1/sparql",
    summary="Run a SPARQL query that is too long for an address",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra={
        "requestBody": {
            "content": {
                QUERY: {"schema": {"type": "string"}, "example": EXAMPLE},
                FORM: {
                    "schema": {"type": "object", "properties": {"query": {"type": "string"}}},
                    "example": {"query": EXAMPLE},
                },
            }
        }
    },
)
async def sparql_by_body(
    request: Request,
    asking: AskingDep,
    default_graph_uri: Annotated[Graphs, Query(alias="default-graph-uri")] = [],  # noqa: B006
    named_graph_uri: Annotated[Graphs, Query(alias="named-graph-uri")] = [],  # noqa: B006
) -> Response:
    """Run the query in the body: the query itself, or a form as a browser sends it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == QUERY:
        try:
            query = (await request.body()).decode()
        except UnicodeDecodeError as error:
            raise HttpProblem("bad-request", "the query is not UTF-8") from error
        return await asking.answer(query, default_graph_uri, named_graph_uri)
    fields = await form_fields(request)
    if "update" in fields:
        raise ReadOnlyError("an update is refused: this address only reads")
    if len(fields.get("query", ())) > 1:
        raise HttpProblem("bad-request", "more than one query")
    return await asking.answer(
        fields.get("query", [None])[0],
        fields.get("default-graph-uri", []),
        fields.get("named-graph-uri", []),
    )


def _not_acceptable() -> HttpProblem:
    forms = ", ".join(dict.fromkeys((*RESULTS, *GRAPHS)))
    return HttpProblem(
        "not-acceptable", "the answer has none of the accepted media types", hint=f"one of {forms}"
    )

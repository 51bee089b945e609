"""Problems over HTTP: the handlers that make them, and their declaration in OpenAPI (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from api.errors import HTTP_PROBLEMS, TYPE_PREFIX, HttpProblem, outcome_of, problem_of
from kg.errors import EngineError

__all__ = [
    "MEDIA_TYPE",
    "add_handlers",
    "merged",
    "problem_of_body",
    "problem_response",
    "problems",
]

MEDIA_TYPE = "application/problem+json"
LOG = logging.getLogger("umbra.http")
MAX_ERRORS = 20
"""Field errors that one problem lists."""

_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}


def problem_response(
    members: Mapping[str, Any], scope: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem as the response to a request.

    Args:
        members: As `api.errors.problem_of` makes them.
        scope: ASGI scope of the request; gives `instance` and `request_id`.
        headers: Further headers.
    """
    whole = _with_request(members, scope)
    sent = dict(headers or {})
    if "retry_after_seconds" in whole:
        sent["Retry-After"] = str(whole["retry_after_seconds"])
    return JSONResponse(whole, int(whole["status"]), sent, MEDIA_TYPE)


def problem_of_body(error: Exception, scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return the problem that a body ends with which has begun and cannot go on.

    It is logged as it would be before the first byte, and its status is that which the request is
    counted with.

    Args:
        error: Why it cannot.
        scope: ASGI scope of the request.
    """
    state = scope.setdefault("state", {})
    if not isinstance(error, EngineError | HttpProblem):
        LOG.error("request %s failed", state.get("request_id"), exc_info=error)
        error = HttpProblem("internal", "the server's log has more under the request id")
    elif isinstance(error, EngineError) and outcome_of(error).status >= 500:
        LOG.error("request %s: %s", state.get("request_id"), error)
    members = problem_of(error)
    state["ended_with"] = members["status"]
    return _with_request(members, scope)


def _with_request(members: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    whole = {**members, "instance": f"{scope.get('root_path', '')}{scope.get('path', '')}"}
    request_id = scope.get("state", {}).get("request_id")
    return whole if request_id is None else {**whole, "request_id": request_id}


def add_handlers(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(EngineError, _engine_error)
    app.add_exception_handler(HttpProblem, _http_problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)


async def _engine_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, EngineError):  # registered for nothing else
        raise error
    if outcome_of(error).status >= 500:
        LOG.error("request %s: %s", request.state.request_id, error)
    return problem_response(problem_of(error), request.scope)


async def _http_problem(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HttpProblem):
        raise error
    return problem_response(problem_of(error), request.scope)


async def _http_exception(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    slug = _BY_STATUS.get(error.status_code, "bad-request")
    detail = error.detail
    if slug == "not-found":
        detail = f"nothing is at {request.url.path[:200]}"
    headers = dict(error.headers or {})
    if slug == "method-not-allowed":
        detail = f"{request.method} is not for {request.url.path[:200]}"
        headers["Allow"] = ", ".join(_methods(request, headers.get("Allow", "")))
    members = problem_of(HttpProblem(slug, detail))
    return problem_response(members, request.scope, headers)


def _methods(request: Request, found: str) -> list[str]:
    """Return what an address takes: each method has a route of its own, and only one was asked."""
    methods = {method.strip() for method in found.split(",") if method.strip()}
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            methods |= {name.upper() for name in operations}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    """Say which fields are wrong, without sending back what was in them."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [_field(entry, error.body) for entry in error.errors()[:MAX_ERRORS]]
    first = found[0]
    detail = f"{first['pointer'] or 'the request'}: {first['detail']}"
    problem = HttpProblem("invalid-request", detail, errors=found)
    return problem_response(problem_of(problem), request.scope)


def _field(entry: Mapping[str, Any], body: Any) -> dict[str, str]:
    """Return which field is wrong and how; of a text that is no JSON, where it stops being any."""
    if entry["type"] == "json_invalid":
        place, why = entry["loc"][-1], entry.get("ctx", {}).get("error", "")
        return {"pointer": "", "detail": f"no JSON at character {place}: {why}"}
    door, *path = entry["loc"]
    if door != "body":
        return {"pointer": " ".join(map(str, entry["loc"])), "detail": str(entry["msg"])}
    absent = path[-1:] if entry["type"] == "missing" else []
    return {"pointer": _pointer([*_within(body, path), *absent]), "detail": str(entry["msg"])}


def _within(body: Any, path: Iterable[Any]) -> Iterator[Any]:
    """Iterate the steps of a path that lead into a body; others name one form of several."""
    for step in path:
        steps = range(len(body)) if isinstance(body, list) else body
        if isinstance(body, list | dict) and step in steps:
            body = body[step]
            yield step


def _pointer(path: Iterable[int | str]) -> str:
    """Return a path as a JSON pointer (RFC 6901)."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in escaped)


def problems(*kinds: type[EngineError] | str) -> dict[int | str, dict[str, Any]]:
    """Declare which problems a route may answer with, for OpenAPI.

    Args:
        *kinds: Error classes of `kg.errors`, and slugs of `HTTP_PROBLEMS`.

    Returns:
        What a route's `responses` takes; those that every route may give are added.

    Example:
        >>> from kg.errors import UnknownEntityError
        >>> sorted(problems(UnknownEntityError))
        [400, 401, 403, 404, 413, 415, 421, 422, 429, 500, 503]
    """
    everywhere = (
        "bad-request", "unauthorized", "insufficient-scope", "body-too-large",
        "unsupported-media-type", "wrong-host", "invalid-request", "too-many-requests",
        "internal", "busy",
    )  # fmt: skip
    found: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, *everywhere):
        slug = kind if isinstance(kind, str) else kind.slug
        outcome = HTTP_PROBLEMS[kind] if isinstance(kind, str) else outcome_of(kind)
        row = found.setdefault(outcome.status, {"description": outcome.title, "content": {}})
        if outcome.title not in row["description"]:
            row["description"] += f"; {outcome.title[0].lower()}{outcome.title[1:]}"
        content = row["content"].setdefault(
            MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/ProblemOut"}, "examples": {}}
        )
        content["examples"][slug] = {
            "value": {
                "type": TYPE_PREFIX + slug,
                "title": outcome.title,
                "status": outcome.status,
                "instance": "/v1/query",
            }
        }
    return found


def merged(
    responses: Mapping[int | str, dict[str, Any]], more: Mapping[int | str, dict[str, Any]]
) -> dict[int | str, dict[str, Any]]:
    """Return a route's responses with further problems beside those that it has.

    Args:
        responses: As a route's `responses`.
        more: As `problems` makes them.
    """
    found = dict(responses)
    for status, row in more.items():
        had = found.get(status)
        if had is None or MEDIA_TYPE not in had.get("content", {}):
            found[status] = row
            continue
        examples = had["content"][MEDIA_TYPE]["examples"]
        new = {k: v for k, v in row["content"][MEDIA_TYPE]["examples"].items() if k not in examples}
        titles = [one["value"]["title"] for one in new.values()]
        said = "; ".join([had["description"], *(f"{t[0].lower()}{t[1:]}" for t in titles)])
        content = {**had["content"][MEDIA_TYPE], "examples": examples | new}
        found[status] = {**had, "description": said, "content": {MEDIA_TYPE: content}}
    return found

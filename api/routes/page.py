"""`/` and `/explorer/…`: the page that asks a question, as plain files of this package."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from api.errors import HttpProblem

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def _read() -> dict[str, tuple[bytes, str]]:
    folder = files("api") / "explorer"
    return {
        file.name: (file.read_bytes(), _TYPES[suffix])
        for file in folder.iterdir()
        if (suffix := "." + file.name.rpartition(".")[2]) in _TYPES
    }


_FILES = _read()


@router.get("/")
def index(request: Request) -> Response:
    """Return the page."""
    return _file("index.html", request)


@router.get("/explorer/{name}")
def file(name: str, request: Request) -> Response:
    """Return one file of the page."""
    return _file(name, request)


def _file(name: str, request: Request) -> Response:
    if name not in _FILES:
        raise HttpProblem("not-found", f"nothing is at {request.url.path[:200]}")
    content, media_type = _FILES[name]
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)

"""The page of every REST address, from the OpenAPI document that the server itself serves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from api.app import create_app
from api.engine import Engine
from api.workspace import Workspace

__all__ = ["rest_page"]

_METHODS = ("get", "put", "post", "patch", "delete")
_HEAD = """# REST addresses

The server's own OpenAPI 3.1 document lies at `/openapi.json`; this page is written from it.
[Serve the graph](../serving.md) says how a server is run and called. Every failure is a
[problem](errors.md) as `application/problem+json`.
"""


def rest_page() -> str:
    """Return the page."""
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Engine(Workspace(Path(folder)))).openapi()
    lines = [_HEAD]
    for path, methods in document["paths"].items():
        for method in (name for name in _METHODS if name in methods):
            lines += _operation(f"{method.upper()} {path}", methods[method])
    return "\n".join(lines)


def _operation(heading: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {heading}\n\n{operation['description'].strip()}\n"
    parameters = operation.get("parameters", ())
    if parameters:
        yield "| parameter | in | |\n|---|---|---|"
        for one in parameters:
            told = one.get("description", "").replace("\n", " ").replace("|", r"\|")
            yield f"| `{one['name']}` | {one['in']} | {told} |"
        yield ""
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        example = next(iter(body.get("examples", {}).values()), {}).get("value")
        if example is not None:
            text = json.dumps(example, indent=2, ensure_ascii=False)
            yield f"Body, `{kind}`, for example:\n\n```json\n{text}\n```\n"
    yield "| status | |\n|---|---|"
    for status, response in sorted(operation["responses"].items()):
        kinds = response.get("content", {}) if status < "300" else ()  # others are problems
        told = ", ".join([response["description"].strip(), *(f"`{kind}`" for kind in kinds)])
        yield f"| {status} | {told} |"
    yield ""

"""One connection to a server: requests, retries where they are safe, problems as errors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from api.errors import OUTCOMES, TYPE_PREFIX
from api.http_library import http_library
from api.schemas import ProblemOut
from kg.errors import EngineError

if TYPE_CHECKING:
    import httpx

__all__ = ["Connection", "RefusedError", "path_of"]

M = TypeVar("M", bound=BaseModel)
RETRIED = (429, 503)
MOST_WAIT_S = 10.0


class RefusedError(EngineError):
    """The server refused a request; `problem` is what it said (RFC 9457).

    Attributes:
        problem: Type, status, detail, hint, and for a question its position.
    """

    slug = "refused"

    def __init__(self, problem: ProblemOut) -> None:
        super().__init__(problem.detail or problem.title, where=problem.instance, hint=problem.hint)
        self.problem = problem

    @property
    def kind(self) -> type[EngineError] | None:
        """The engine's error of the same type, if it is one."""
        slug = self.problem.type.removeprefix(TYPE_PREFIX)
        return next((kind for kind in OUTCOMES if kind.slug == slug), None)


class Connection:
    """Sends requests and reads answers.

    Args:
        address: Of the server, such as ``http://127.0.0.1:8321``.
        key: API key, where the server needs one.
        timeout_s: Most seconds without a byte.
        retries: How often a read that met 429 or 503 is sent again; writes only with a key.
        client: An open `httpx.Client` to use instead (tests, proxies); its owner closes it.

    Raises:
        MissingPartError: httpx is not installed.
    """

    def __init__(
        self,
        address: str,
        key: str | None,
        *,
        timeout_s: float,
        retries: int,
        client: httpx.Client | None,
    ) -> None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._owns = client is None
        self._http = client or _opened(address, timeout_s)
        self._headers = headers
        self._retries = retries

    def close(self) -> None:
        """Close what this connection opened."""
        if self._owns:
            self._http.close()

    def read(self, method: str, path: str, kind: type[M], **sent: Any) -> M:
        """Send a request and return its answer as a model."""
        return kind.model_validate_json(self.content(method, path, **sent))

    def content(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: BaseModel | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        once: str | None = None,
    ) -> bytes:
        """Send a request and return the body of its answer.

        With `once`, an idempotency key, a write may be sent again like a read.

        Raises:
            RefusedError: The server says that the request cannot be answered.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        content = None if body is None else body.model_dump_json(exclude_none=True)
        kind = {} if body is None else {"Content-Type": "application/json"}
        key = {} if once is None else {"Idempotency-Key": once}
        sent = {**self._headers, **kind, **key, **(headers or {})}
        repeats = method == "GET" or once is not None
        for attempt in range(self._retries + 1):
            answer = self._http.request(
                method, path, params=given, content=content, data=form, headers=sent
            )
            again = repeats and answer.status_code in RETRIED and attempt < self._retries
            if not again:
                break
            wait = float(answer.headers.get("Retry-After") or 0.1)
            time.sleep(min(wait, MOST_WAIT_S))
        if answer.is_error:
            raise RefusedError(_problem(answer))
        return answer.content

    @contextmanager
    def lines(
        self, method: str, path: str, *, body: BaseModel, headers: Mapping[str, str]
    ) -> Iterator[Iterator[bytes]]:
        """Return a context with the lines of an answer, read as they come.

        Raises:
            RefusedError: The server says that the request cannot be answered.
        """
        content = body.model_dump_json(exclude_none=True)
        sent = {**self._headers, "Content-Type": "application/json", **headers}
        with self._http.stream(method, path, content=content, headers=sent) as answer:
            if answer.is_error:
                answer.read()
                raise RefusedError(_problem(answer))
            yield _lines(answer.iter_bytes())

    def events(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator[bytes]:
        """Yield the data of server-sent events until the server ends them."""
        sent = {**self._headers, **(headers or {})}
        with self._http.stream("GET", path, headers=sent) as answer:
            if answer.is_error:
                answer.read()
                raise RefusedError(_problem(answer))
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield line[5:].strip().encode()


def path_of(template: str, **values: str) -> str:
    """Return a path with its places filled in, whatever they hold.

    Example:
        >>> path_of("/v1/entities/{key}", key="a/b c")
        '/v1/entities/a%2Fb%20c'
    """
    return template.format(**{name: quote(value, safe="") for name, value in values.items()})


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines that are whole; JSON may hold what httpx takes for the end of one."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole


def _problem(answer: httpx.Response) -> ProblemOut:
    try:
        return ProblemOut.model_validate_json(answer.content)
    except ValueError:
        return ProblemOut(
            type="about:blank", title=answer.reason_phrase or "no answer", status=answer.status_code
        )


def _opened(address: str, timeout_s: float) -> httpx.Client:
    client: httpx.Client = http_library().Client(base_url=address, timeout=timeout_s)
    return client

"""Traces by OpenTelemetry (extra `otel`): a span for each request, with its steps below it.

Where they are sent, and how many, say OpenTelemetry's own variables, such as
``OTEL_EXPORTER_OTLP_ENDPOINT``. Texts of questions and of the graph never stand in a span.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.errors import MissingPartError
from kg.spans import watch

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["Traced", "tracing"]


@contextmanager
def tracing(exporter: SpanExporter | None = None) -> Iterator[None]:
    """Record spans while this lasts, and send what is left at its end.

    Args:
        exporter: Where spans go; over OTLP and HTTP if not given.

    Raises:
        MissingPartError: The extra is not installed.
    """
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter()
    except ImportError as error:
        raise MissingPartError(
            "traces need OpenTelemetry", hint="pip install 'umbra-kg[otel]', or set traces = false"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "umbra"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("umbra")
    Traced.tracer = tracer
    watch(tracer)
    try:
        yield
    finally:
        Traced.tracer = None
        watch(None)
        provider.shutdown()


class Traced:
    """Middleware around all others: one span a request, a child of the caller's if it names one.

    Args:
        app: What it goes around.
    """

    tracer: Any = None

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request."""
        if scope["type"] != "http" or self.tracer is None:
            await self._app(scope, receive, send)
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode

        heads = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        method = scope["method"]
        with self.tracer.start_as_current_span(
            method,
            context=extract(heads),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method},
        ) as span:

            async def passed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, passed)
            finally:
                route = _route(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("umbra.request_id", scope.get("state", {}).get("request_id", ""))


def _route(scope: Scope) -> str:
    """Return the address as it is declared: one with a key in it may be secret."""
    found: str | None = scope.get("kept_route") or getattr(scope.get("route"), "path", None)
    return found or "unknown"

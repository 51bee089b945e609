"""The SPARQL endpoint of a server or a command: opened when it is first asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.sparql import SparqlAnswer, SparqlEndpoint

__all__ = ["HeldSparql"]


class HeldSparql:
    """SPARQL over an engine's store. Use it as a context manager.

    Args:
        engine: Whose store.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._endpoint: SparqlEndpoint | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """End the process of the endpoint and its queries."""
        if self._endpoint is not None:
            self._endpoint.close()

    def query(self, text: str, **options: Any) -> SparqlAnswer:
        """Answer a query as `kg.sparql.SparqlEndpoint.query` does."""
        from kg.sparql import SparqlEndpoint, StoreQuads
        from kg.sparql.text import check

        check(text)  # a text that may not run starts no store
        with self._lock:
            if self._endpoint is None:
                self._endpoint = SparqlEndpoint(StoreQuads(self._engine.store))
        return self._endpoint.query(text, **options)

    def end(self, tag: str) -> None:
        """End the query with this tag, if it runs."""
        if self._endpoint is not None:
            self._endpoint.end(tag)

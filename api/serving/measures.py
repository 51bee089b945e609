"""What a server counts, for Prometheus: requests by route and status, seconds, work under way.

Routes are named as in the OpenAPI document, never by the path that was asked, so that no client can
make the number of series grow. Where several processes serve, they count in files of one folder
(`api.serving.role.MEASURES_IN`), and each can tell all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from api.access.graph_keys import HOME
from api.serving.role import MEASURES_IN

__all__ = ["CONTENT_TYPE_LATEST", "Measures", "no_longer_under_way"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NOWHERE = "none"
"""Route of a request that has none: a wrong address, or refused before it was looked at."""


class Measures:
    """Counts requests of one application.

    Args:
        graph: Name of its graph, a label of all counts.

    Example:
        >>> measures = Measures()
        >>> measures.answered({"method": "GET", "path": "/nowhere"}, 404, 0.002)
        >>> 'umbra_requests_total{graph="home",method="GET",route="none"' in measures.text()
        True
    """

    def __init__(self, graph: str = HOME) -> None:
        self._graph = graph
        if MEASURES_IN in os.environ:  # the library looks only once, when it is loaded
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._series = cache(_series)  # looking one up anew takes longer than counting does
        held: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter(
            "umbra_requests", "Requests answered", ("graph", "method", "route", "status"), **held
        )
        self._seconds = Histogram(
            "umbra_request_seconds", "From a request's head to its last byte", ("graph", "route"),
            buckets=BUCKETS, **held,
        )  # fmt: skip
        self._under_way = Gauge(
            "umbra_requests_under_way", "Requests not yet answered", ("graph",),
            multiprocess_mode="livesum", **held,
        )  # fmt: skip
        self._kept = Counter(
            "umbra_cached_answers", "Answers by how they were found", ("graph", "found"), **held
        )
        self._reloads = Counter(
            "umbra_reloads",
            "Snapshots and models opened while serving",
            ("graph", "outcome"),
            **held,
        )

    def begun(self) -> None:
        """Count a request that is under way."""
        self._series(self._under_way, self._graph).inc()

    def ended(self) -> None:
        """Count it no longer."""
        self._series(self._under_way, self._graph).dec()

    def answered(self, scope: Mapping[str, Any], status: int | None, seconds: float) -> None:
        """Count an answer; a status of None is a client that left before any."""
        route = getattr(scope.get("route"), "path", None) or scope.get("kept_route") or NOWHERE
        labels = (self._graph, scope["method"], route, str(status or 499))
        self._series(self._requests, *labels).inc()
        self._series(self._seconds, self._graph, route).observe(seconds)

    def looked_up(self, found: str) -> None:
        """Count an answer that was kept (``hit``, ``same``) or was not (``miss``)."""
        self._series(self._kept, self._graph, found).inc()

    def reloaded(self, outcome: str) -> None:
        """Count a reload: ``done`` or ``failed``."""
        self._reloads.labels(self._graph, outcome).inc()

    def text(self) -> str:
        """Return all that has been counted, in the text format of Prometheus."""
        if MEASURES_IN not in os.environ:
            return generate_latest(self._registry).decode()
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody).decode()


def _series(metric: Any, *labels: str) -> Any:
    return metric.labels(*labels)


def no_longer_under_way(pid: int) -> None:
    """Forget the requests that a process had under way when it ended; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]

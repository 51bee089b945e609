"""What one process of a server is there for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.access.graph_keys import HOME

__all__ = ["MEASURES_IN", "WHOLE", "Role"]

MEASURES_IN = "PROMETHEUS_MULTIPROC_DIR"
"""Variable with the folder in which several processes count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a process does of a server's work.

    Attributes:
        share: Part of each key's limits that it gives out.
        jobs_at: Socket of the process that runs the jobs; None where this one does.
        internal: Only other processes of the server reach it: they have counted and limited what
            comes, and say whose it is.
        graph: Name of the graph that is served.
        home_keys: File of the keys of the server's working folder, where it serves others too.
        keyed: Some graph of the server needs keys, so that this one does as well.
    """

    share: float = 1.0
    jobs_at: Path | None = None
    internal: bool = False
    graph: str = HOME
    home_keys: Path | None = None
    keyed: bool = False


WHOLE = Role()
"""One process that does all."""

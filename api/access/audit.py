"""The audit log: one line of JSON for every request that asked to change something."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

__all__ = ["AuditLog"]


class AuditLog:
    """Appends lines to a file; what a line holds cannot break it in two.

    Args:
        path: The file; it and its folder are made with the first line, readable by the owner alone.

    Example:
        >>> import tempfile
        >>> log = AuditLog(Path(tempfile.mkdtemp()) / "audit.jsonl")
        >>> log.append({"path": "/v1/jobs" + chr(10) + "forged"})
        >>> len(log.path.read_text().splitlines())
        1
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def append(self, entry: Mapping[str, object]) -> None:
        """Append one entry."""
        line = json.dumps(entry).encode() + b"\n"
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)

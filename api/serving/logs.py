"""The log of a server: lines for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

__all__ = ["JsonLines", "log_to_stderr"]


class JsonLines(logging.Formatter):
    """Writes a record as one object: when, how grave, by whom, what, and its facts.

    Example:
        >>> record = logging.makeLogRecord({"msg": "seen", "facts": {"request": "r1"}})
        >>> json.loads(JsonLines().format(record))["request"]
        'r1'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; what it holds cannot break it in two."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {"at": at, "level": record.levelname, "logger": record.name}
        told |= getattr(record, "facts", None) or {"message": record.getMessage()}
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


def log_to_stderr(form: Literal["text", "json"]) -> None:
    """Send the log to standard error in one of two forms."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("neo4j").setLevel(logging.WARNING)

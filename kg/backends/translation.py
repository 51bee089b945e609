"""Errors of the Bolt driver become errors of `kg.errors`; this is the only place that knows both.

The code of the server's status decides, since texts differ between engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from neo4j.exceptions import (
    AuthError,
    ClientError,
    CypherSyntaxError,
    CypherTypeError,
    DriverError,
    Forbidden,
    Neo4jError,
    TransientError,
)
from neo4j.exceptions import (
    ConstraintError as DriverConstraintError,
)

from kg.errors import (
    ConstraintError,
    EngineError,
    InputError,
    LimitError,
    QuerySyntaxError,
    QueryTimeoutError,
    ReadOnlyError,
    StoreError,
    StoreTransientError,
    StoreUnavailableError,
)
from kg.interrupts import interrupt_behind

__all__ = ["translate", "translated"]

_PLACE = re.compile(r"\bline (\d+):(\d+)")  # the embedded engine counts columns from 0
_MEMORY = re.compile(r"Limit of allowed elements|arcadedb\.query|OutOfMemory|MemoryLimit")
_TIMEOUT_CODES = (
    "Neo.ClientError.Transaction.TransactionTimedOut",
    "Neo.ClientError.Transaction.Terminated",
    "Neo.TransientError.Transaction.Terminated",
)


def translate(error: Neo4jError | DriverError) -> EngineError:
    """Return our error for one of the driver's; the caller chains it as the cause."""
    if not isinstance(error, Neo4jError):
        return StoreUnavailableError(
            f"the graph store cannot be reached ({_text(error)})",
            hint="look at `umbra store status`, or at the server",
        )
    code, text = error.code or "", _text(error)
    if isinstance(error, AuthError):
        return StoreUnavailableError("the graph store refused the user or the password", hint=text)
    if code in _TIMEOUT_CODES or "timeout" in code.lower() or _timed_out(text):
        return QueryTimeoutError(
            "the query was ended at the store", hint="ask for less or for longer"
        )
    if isinstance(error, Forbidden):
        return ReadOnlyError("the query needs a right that the reader lacks", where=text)
    if isinstance(error, DriverConstraintError):
        return ConstraintError("the store's constraints refuse this", where=text)
    if isinstance(error, TransientError) or error.is_retryable():
        return StoreTransientError("the store asks to try again", where=text)
    if isinstance(error, CypherSyntaxError):
        place = _PLACE.search(text)
        if place is None:
            return QuerySyntaxError(text)
        return QuerySyntaxError(text, line=int(place[1]), column=int(place[2]) + 1)
    if _MEMORY.search(text):
        return LimitError(
            "the query needs more memory than the store gives one", hint="ask for less"
        )
    if code.endswith("ParameterMissing"):
        return InputError(f"the query needs parameters that were not given: {text}")
    if isinstance(error, CypherTypeError | ClientError):
        return InputError(f"the store cannot answer this query: {text}")
    return StoreError(f"the store failed: {text}", hint=f"its code is {code}")


def _timed_out(text: str) -> bool:
    return "TimeoutException" in text or "timed out" in text.lower()


def _text(error: BaseException) -> str:
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    return " ".join(str(message).split())[:500]


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors of the block as ours, the cause kept.

    A driver that Ctrl+C interrupts while it reads a message cannot close its connection: its
    `BufferError` would hide the interrupt, which is raised instead.
    """
    try:
        yield
    except (Neo4jError, DriverError) as error:
        raise translate(error) from error
    except BufferError as error:
        interrupt = interrupt_behind(error)
        if interrupt is None:
            raise
        raise interrupt from error

"""Errors of the Bolt driver become errors of `kg.errors`; this is the only place that knows both.

The code of the server's status decides, since texts differ between engines; where the embedded
engine's code says nothing (`UnknownError` for a wrong type), its text does.
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
    QueryValueError,
    ReadOnlyError,
    StoreError,
    StoreTransientError,
    StoreUnavailableError,
    UnsupportedQueryError,
)
from kg.interrupts import interrupt_behind

__all__ = ["translate", "translated"]

_PLACE = re.compile(r"\bline (\d+):(\d+)")  # the embedded engine counts columns from 0
_MEMORY = re.compile(r"Limit of allowed elements|arcadedb\.query|OutOfMemory|MemoryLimit")
_DETAIL = re.compile(r"([A-Z][a-z]+[A-Z]\w+): ")
_SAID: tuple[tuple[re.Pattern[str], str, str | None], ...] = tuple(
    (re.compile(pattern), kind, detail)
    for pattern, kind, detail in (
        (r"^(UndefinedVariable): ", "SyntaxError", None),
        (r"^VariableTypeConflict: .* redefine as PATH$", "SyntaxError", "VariableAlreadyBound"),
        (r"^IntegerOverflow: .*: -?0[xo](\w*[g-zG-Z]\w*)?$", "SyntaxError", "InvalidNumberLiteral"),
        (r"^MergeReadOwnWrites: ", "SemanticError", "MergeReadOwnWrites"),
        (r"^DeleteConnectedNode: ", "ConstraintVerificationFailed", None),
        (r"^DeletedEntityAccess: ", "EntityNotFound", "DeletedEntityAccess"),
        (r"^NumberOutOfRange: ", "ArgumentError", "NumberOutOfRange"),
        (r"step cannot be zero", "ArgumentError", "NumberOutOfRange"),
        (r"^Type mismatch: range\(\)", "ArgumentError", "InvalidArgumentType"),
        (r"Cannot index into type: \w*Map$", "TypeError", "MapElementAccessByNonString"),
        (r"^TypeError: ([A-Z][a-z]+[A-Z]\w+) - ", "TypeError", None),
        (r"^TypeError: |^List index must be", "TypeError", None),
        (r"/ by zero", "ArithmeticError", None),
        (r"^Invalid value for \w+ \(valid values|^Text '.*' could not be parsed|^Invalid date",
         "ArgumentError", None),
    )
)  # fmt: skip
"""What the embedded engine says, openCypher's type of error, and its detail (None: group 1)."""
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
    if text.startswith("Transaction error on commit"):
        return StoreError(
            "the store could not keep a commit, and nothing of it is written",
            where=text,
            hint="is its disk full? engine.log in its folder says more; then do it again",
        )
    if _MEMORY.search(text) and not isinstance(error, CypherSyntaxError):
        return LimitError(
            "the query needs more memory than the store gives one", hint="ask for less"
        )
    if code.endswith("ParameterMissing"):
        return InputError(f"the query needs parameters that were not given: {text}")
    if text.startswith("Unknown procedure"):
        return UnsupportedQueryError(text, detail="ProcedureNotFound")
    if (said := _said(text)) is not None:
        return said
    if isinstance(error, CypherSyntaxError):
        return _syntax_error(text, _detail(text))
    if isinstance(error, CypherTypeError | ClientError):
        return QueryValueError(f"the store cannot answer this query: {text}", detail=_detail(text))
    return StoreError(f"the store failed: {text}", hint=f"its code is {code}")


def _syntax_error(text: str, detail: str | None) -> QuerySyntaxError:
    place = _PLACE.search(text)
    if place is None:
        return QuerySyntaxError(text, detail=detail)
    return QuerySyntaxError(text, line=int(place[1]), column=int(place[2]) + 1, detail=detail)


def _said(text: str) -> EngineError | None:
    """Return the error that the embedded engine's text tells of, where its code does not."""
    for pattern, kind, known in _SAID:
        found = pattern.search(text)
        if found is None:
            continue
        detail = known or (found[1] if found.lastindex else None)
        if kind == "SyntaxError":
            return _syntax_error(text, detail)
        if kind == "ConstraintVerificationFailed":
            return ConstraintError("the store's constraints refuse this", where=text)
        return QueryValueError(text, kind=kind, detail=detail)
    return None


def _detail(text: str) -> str | None:
    """Return openCypher's word for an error, with which most of the engine's texts begin."""
    found = _DETAIL.match(text)
    return None if found is None else found[1]


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

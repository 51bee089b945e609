"""The one table from errors to HTTP statuses, problem types and exit codes (RFC 9457).

`kg.errors` says what went wrong and owns the slugs; this file says how each door of Umbra reports
it. It imports nothing heavy, so that the command line can use it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kg.errors import (
    CheckpointMismatchError,
    ConflictError,
    ConstraintError,
    EngineError,
    ForeignFileError,
    FormatVersionError,
    ImageError,
    InputError,
    JobError,
    LimitError,
    MappingError,
    MissingPartError,
    QuerySyntaxError,
    QueryTimeoutError,
    QueryValueError,
    ReadOnlyError,
    RecordError,
    SettingError,
    StoreError,
    StoreTransientError,
    StoreUnavailableError,
    UnknownEntityError,
    UnknownRelationError,
    UnsafeQueryError,
    UnsupportedQueryError,
)

__all__ = [
    "EXIT_INTERRUPTED",
    "EXIT_TERMINATED",
    "HTTP_PROBLEMS",
    "OUTCOMES",
    "TYPE_PREFIX",
    "HttpProblem",
    "Outcome",
    "exit_code",
    "outcome_of",
    "problem_of",
]

TYPE_PREFIX = "urn:umbra:problem:"
"""What stands before the slug in a problem's `type`; part of the stable surface."""

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl+C (128 + SIGINT)."""

EXIT_TERMINATED = 143
"""Exit code after SIGTERM (128 + SIGTERM)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one class of error is reported.

    Attributes:
        status: HTTP status.
        exit_code: Of the command line: 1 our fault, 2 the caller's input, 3 something is missing
            or contradicts, 4 a limit, 5 the store.
        title: The problem's title: the same for every occurrence.
        retry_after_s: Seconds after which trying again makes sense, if it does.
    """

    status: int
    exit_code: int
    title: str
    retry_after_s: int | None = None


OUTCOMES: Mapping[type[EngineError], Outcome] = {
    EngineError: Outcome(500, 1, "The engine failed"),
    InputError: Outcome(400, 2, "The input is wrong"),
    QuerySyntaxError: Outcome(400, 2, "The query does not parse"),
    UnsupportedQueryError: Outcome(422, 2, "The query lies outside what can be answered"),
    UnsafeQueryError: Outcome(422, 2, "The query asks for everything but something"),
    QueryValueError: Outcome(422, 2, "The query fails on the values that it meets"),
    UnknownEntityError: Outcome(404, 2, "No entity has this key"),
    UnknownRelationError: Outcome(422, 2, "No edge has this relation"),
    RecordError: Outcome(422, 2, "A row of a file is wrong"),
    MappingError: Outcome(422, 2, "The mapping cannot be applied"),
    ImageError: Outcome(422, 2, "The picture cannot be read"),
    SettingError: Outcome(422, 2, "A setting lies outside its range"),
    ConflictError: Outcome(409, 3, "This contradicts what is there"),
    CheckpointMismatchError: Outcome(409, 3, "The model belongs to another snapshot"),
    FormatVersionError: Outcome(409, 3, "A file has another format number"),
    ForeignFileError: Outcome(409, 3, "Something that is not Umbra's lies there"),
    ReadOnlyError: Outcome(403, 2, "Only reading is allowed"),
    LimitError: Outcome(422, 4, "A limit was reached"),
    QueryTimeoutError: Outcome(504, 4, "The time limit was reached"),
    StoreError: Outcome(502, 5, "The store failed"),
    StoreUnavailableError: Outcome(503, 5, "The store cannot be reached", retry_after_s=5),
    StoreTransientError: Outcome(503, 5, "The store asks to try again", retry_after_s=1),
    ConstraintError: Outcome(409, 5, "A constraint of the store does not hold"),
    MissingPartError: Outcome(503, 3, "A part that this needs is missing"),
    JobError: Outcome(409, 3, "The job cannot go on"),
}
"""Every class of `kg.errors`; a meta-test holds it complete."""

HTTP_PROBLEMS: Mapping[str, Outcome] = {
    "bad-request": Outcome(400, 2, "The request is malformed"),
    "unauthorized": Outcome(401, 2, "An API key is needed"),
    "insufficient-scope": Outcome(403, 2, "The key may not do this"),
    "not-found": Outcome(404, 2, "Nothing is at this address"),
    "unknown-job": Outcome(404, 2, "No job has this id"),
    "unknown-image": Outcome(404, 2, "No picture has this hash"),
    "not-acceptable": Outcome(406, 2, "The answer has none of the accepted media types"),
    "method-not-allowed": Outcome(405, 2, "This address does not take the method"),
    "body-too-large": Outcome(413, 4, "The request body is too large"),
    "unsupported-media-type": Outcome(415, 2, "The body must be JSON"),
    "wrong-host": Outcome(421, 2, "The server does not answer to this host name"),
    "invalid-request": Outcome(422, 2, "The request does not fit its schema"),
    "idempotency-key-reused": Outcome(422, 2, "The idempotency key was used for another request"),
    "idempotency-key-in-use": Outcome(409, 3, "A request with this idempotency key runs now"),
    "too-many-requests": Outcome(429, 4, "The key has reached its limit", retry_after_s=1),
    "client-closed-request": Outcome(499, 4, "The client has gone"),
    "internal": Outcome(500, 1, "Umbra failed in a way that it did not foresee"),
    "busy": Outcome(503, 4, "Too many requests at once", retry_after_s=1),
    "not-ready": Outcome(503, 3, "The server is not ready", retry_after_s=2),
}
"""Problems that exist at the HTTP door only, by slug."""

_ABOUT_INPUT = (InputError, ReadOnlyError, LimitError)
_EXTRA_MEMBERS = ("position", "line", "column", "name", "nearest", "trained_on", "asked_for")


class HttpProblem(Exception):  # noqa: N818 - it is an answer to the client, not a fault of ours
    """A problem of the HTTP door itself; its slug stands in `HTTP_PROBLEMS`.

    Args:
        slug: Key of `HTTP_PROBLEMS`.
        detail: What is wrong this time.
        hint: What the client can do.
        members: Extension members of the problem.
    """

    def __init__(
        self, slug: str, detail: str, *, hint: str | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.hint = hint
        self.members = members


def outcome_of(error: EngineError | type[EngineError]) -> Outcome:
    """Return how an error is reported: the row of its class, else of its nearest ancestor.

    Example:
        >>> from kg.errors import QuerySyntaxError
        >>> outcome_of(QuerySyntaxError("unexpected ')'", position=3)).status
        400
    """
    kind = error if isinstance(error, type) else type(error)
    row = next((OUTCOMES[c] for c in kind.__mro__ if c in OUTCOMES), None)
    return OUTCOMES[EngineError] if row is None else row


def exit_code(error: BaseException) -> int:
    """Return the exit code of a command that ends with this error."""
    if isinstance(error, EngineError):
        return outcome_of(error).exit_code
    return EXIT_INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def problem_of(error: EngineError | HttpProblem) -> dict[str, Any]:
    """Return the members of a problem, `instance` left to the caller.

    `where` names keys and positions of the caller's own input. For every other error it could
    name a file of the server, so that it stays in the log.

    Example:
        >>> from kg.errors import UnknownEntityError
        >>> problem_of(UnknownEntityError("country:XX"))["type"]
        'urn:umbra:problem:unknown-entity'
    """
    if isinstance(error, HttpProblem):
        outcome = HTTP_PROBLEMS[error.slug]
        members = {"detail": error.detail, "hint": error.hint, **error.members}
        return _assembled(error.slug, outcome, members)
    members = {name: getattr(error, name, None) for name in _EXTRA_MEMBERS}
    where = error.where if isinstance(error, _ABOUT_INPUT) else None
    detail = error.what if where is None else f"{error.what}, in {where}"
    members |= {"detail": detail, "hint": error.hint}
    return _assembled(error.slug, outcome_of(error), members)


def _assembled(slug: str, outcome: Outcome, members: Mapping[str, object]) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "type": TYPE_PREFIX + slug,
        "title": outcome.title,
        "status": outcome.status,
    }
    whole |= {name: value for name, value in members.items() if value not in (None, (), [])}
    if outcome.retry_after_s is not None:
        whole.setdefault("retry_after_seconds", outcome.retry_after_s)
    return whole

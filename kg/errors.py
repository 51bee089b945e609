"""Every error that Umbra raises on purpose; HTTP statuses and exit codes stand in `api.errors`.

The tree (a class exists only where a caller can act on it)::

    EngineError
    ├── InputError (ValueError)              the caller's input is wrong
    │   ├── QuerySyntaxError                 a query text that does not parse, with its position
    │   ├── UnsupportedQueryError            it parses, but cannot be answered here
    │   ├── UnsafeQueryError                 an answer set that is "everything but …"
    │   ├── QueryValueError                  it parses, and fails on the values that it meets
    │   ├── UnknownEntityError (KeyError)    no entity has this key
    │   ├── UnknownRelationError (KeyError)  no edge has this relation
    │   ├── RecordError                      one row of a file, with line and column
    │   ├── MappingError                     a declared mapping that cannot be applied
    │   ├── ImageError                       a picture that cannot be read, or is too large
    │   └── SettingError                     a setting or option out of its range
    ├── ConflictError                        what is asked contradicts what is there
    │   ├── CheckpointMismatchError          a model of another snapshot
    │   ├── FormatVersionError               a kept file of another format number
    │   └── ForeignFileError                 something that is not ours lies where ours should be
    ├── ReadOnlyError (PermissionError)      a write where only reading is allowed
    ├── LimitError                           a limit on rows, size or memory was reached
    ├── QueryTimeoutError (TimeoutError)     a time limit was reached
    ├── StoreError                           the store failed
    │   ├── StoreUnavailableError (ConnectionError)   it cannot be reached or started
    │   ├── StoreTransientError              trying again may succeed
    │   └── ConstraintError                  a key twice, a missing end of an edge
    ├── MissingPartError                     a package, a model or an earlier step is missing
    └── JobError                             a job cannot go on (too many rejects, cancelled)
"""

from __future__ import annotations

from typing import ClassVar

# fmt: off
__all__ = [
    "CheckpointMismatchError", "ConflictError", "ConstraintError", "EngineError",
    "ForeignFileError", "FormatVersionError", "ImageError", "InputError", "JobError", "LimitError",
    "MappingError", "MissingPartError", "QuerySyntaxError", "QueryTimeoutError", "QueryValueError",
    "ReadOnlyError", "RecordError", "SettingError", "StoreError", "StoreTransientError",
    "StoreUnavailableError", "UnknownEntityError", "UnknownRelationError", "UnsafeQueryError",
    "UnsupportedQueryError",
]
# fmt: on


class EngineError(Exception):
    """Root of all errors: what went wrong, where, and what to do next.

    Args:
        what: One clause that says what is wrong, without a full stop.
        where: The place: ``file:line``, a query position, a key.
        hint: What the caller can do about it.

    Example:
        >>> str(EngineError("no such graph", where="/data/world", hint="run `umbra build`"))
        'no such graph, in /data/world. Next: run `umbra build`'
    """

    slug: ClassVar[str] = "engine-error"

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Return the whole message on one line."""
        text = self.what + ("" if self.where is None else f", in {self.where}")
        return text if self.hint is None else f"{text}. Next: {self.hint}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by attributes, since keyword-only arguments are lost by the default."""
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[EngineError], state: dict[str, object]) -> EngineError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (state["what"],)
    return error


class InputError(EngineError, ValueError):
    """The caller's input is wrong; nothing was changed."""

    slug = "input-error"


class _PositionedError(InputError):
    """An error in a query text: `position` counts characters from 0, `line` and `column` from 1.

    `detail` is openCypher's word for it, such as ``UndefinedVariable``; each is None if not known.
    """

    def __init__(
        self, what: str, *, position: int | None = None, line: int | None = None,
        column: int | None = None, hint: str | None = None, detail: str | None = None,
    ) -> None:  # fmt: skip
        where = None if line is None else f"line {line}, column {column}"
        super().__init__(what, where=where, hint=hint)
        self.position = position
        self.line = line
        self.column = column
        self.detail = detail


class QuerySyntaxError(_PositionedError):
    """A query text that does not parse, or that is known to be wrong before it runs."""

    slug = "query-syntax"


class UnsupportedQueryError(_PositionedError):
    """A query that parses but lies outside the fragment or the interpreter's reach."""

    slug = "unsupported-query"


class UnsafeQueryError(_PositionedError):
    """A query whose answers would be "everything but …"; the branch is named."""

    slug = "unsafe-query"


class QueryValueError(_PositionedError):
    """A query that parses, and fails on the values that it meets.

    Args:
        what: What is wrong.
        kind: openCypher's type of error, such as ``TypeError``, if the store says it.
        detail: openCypher's word for it, such as ``NumberOutOfRange``, if known.
    """

    slug = "query-value"

    def __init__(self, what: str, *, kind: str | None = None, detail: str | None = None) -> None:
        super().__init__(what, detail=detail)
        self.kind = kind


class _UnknownNameError(InputError, KeyError):
    """The graph does not hold a `name`; `nearest` are names close to it."""

    noun: ClassVar[str] = "name"

    def __init__(self, name: str, *, nearest: tuple[str, ...] = ()) -> None:
        hint = f"did you mean {' or '.join(map(repr, nearest))}?" if nearest else None
        super().__init__(f"unknown {self.noun} {name!r}", hint=hint)
        self.name = name
        self.nearest = nearest


class UnknownEntityError(_UnknownNameError):
    """No entity has this key."""

    slug = "unknown-entity"
    noun = "entity"


class UnknownRelationError(_UnknownNameError):
    """No edge of the graph has this relation."""

    slug = "unknown-relation"
    noun = "relation"


class RecordError(InputError):
    """One row of a file is wrong.

    Args:
        what: What is wrong with it.
        path: The file.
        line: 1-based line or row.
        column: The field, if one is to blame.
        hint: What to do.
    """

    slug = "record"

    def __init__(
        self, what: str, *, path: str, line: int | None = None, column: str | None = None,
        hint: str | None = None,
    ) -> None:  # fmt: skip
        where = path + ("" if line is None else f":{line}")
        super().__init__(what, where=where if column is None else f"{where} ({column})", hint=hint)
        self.path = path
        self.line = line
        self.column = column


class MappingError(InputError):
    """A declared mapping names something that it cannot."""

    slug = "mapping"


class ImageError(InputError):
    """A picture is broken, too large, or of a kind that is not read."""

    slug = "image"


class SettingError(InputError):
    """A setting or an option lies outside its range."""

    slug = "setting"


class ConflictError(EngineError):
    """What is asked contradicts what is there; nothing was changed."""

    slug = "conflict"


class CheckpointMismatchError(ConflictError):
    """A model was trained on another snapshot.

    Args:
        trained_on: Hash of the snapshot that the checkpoint names.
        asked_for: Hash of the snapshot that it was to be used with.
    """

    slug = "checkpoint-mismatch"

    def __init__(self, *, trained_on: str, asked_for: str) -> None:
        super().__init__(
            f"the model was trained on snapshot {trained_on[:12]}, not on {asked_for[:12]}",
            hint="run `umbra train` for this snapshot, or open the one it was trained on",
        )
        self.trained_on = trained_on
        self.asked_for = asked_for


class FormatVersionError(ConflictError):
    """A kept file carries a format number that this version does not read."""

    slug = "format-version"


class ForeignFileError(ConflictError):
    """A file or process that is not Umbra's stands where Umbra's should be."""

    slug = "foreign-file"


class ReadOnlyError(EngineError, PermissionError):
    """A write, a file access or an administrative command where only reading is allowed."""

    slug = "read-only"


class LimitError(EngineError):
    """A limit on rows, size, depth or memory was reached."""

    slug = "limit"


class QueryTimeoutError(EngineError, TimeoutError):
    """A time limit was reached and the work was ended."""

    slug = "query-timeout"


class StoreError(EngineError):
    """The store failed."""

    slug = "store"


class StoreUnavailableError(StoreError, ConnectionError):
    """The store cannot be reached or started."""

    slug = "store-unavailable"


class StoreTransientError(StoreError):
    """The store asks to try again; retries were used up."""

    slug = "store-transient"


class ConstraintError(StoreError):
    """A key stands twice, or an edge lacks one of its ends."""

    slug = "constraint"


class MissingPartError(EngineError):
    """An optional package, a trained model or an earlier step is missing."""

    slug = "missing-part"


class JobError(EngineError):
    """A job cannot go on: too many rejects, cancelled, or its input has changed."""

    slug = "job"

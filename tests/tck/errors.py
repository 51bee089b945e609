"""Whether an error of Umbra's is the one that the kit asks for.

The kit names a type, a phase and a detail. Umbra's classes say type and phase: what is known before
a query runs is a `QuerySyntaxError` (an unknown function or procedure an `UnsupportedQueryError`, a
missing parameter an `InputError`), what comes of values is a `QueryValueError` with its `kind`. The
kit also has syntax errors at run time (a negative LIMIT in a parameter); there the class counts.
A detail, and a kind, is compared where the error has one.
"""

from __future__ import annotations

from kg.errors import (
    ConstraintError,
    EngineError,
    InputError,
    QuerySyntaxError,
    QueryValueError,
    UnsupportedQueryError,
)
from tests.tck.scenarios import Raises

__all__ = ["mismatch"]

CLASSES: dict[str, type[EngineError]] = {
    "SyntaxError": QuerySyntaxError,
    "ProcedureError": UnsupportedQueryError,
    "ParameterMissing": InputError,
    "ConstraintVerificationFailed": ConstraintError,
    "ConstraintValidationFailed": ConstraintError,
}
"""The class of each type of error; of those that are not named, `QueryValueError`."""
UNKNOWN_NAMES = frozenset({"UnknownFunction", "ProcedureNotFound"})


def mismatch(wanted: Raises, error: EngineError) -> str:
    """Return what differs between the error that the kit asks for and one that came, or ""."""
    kind = CLASSES.get(wanted.kind, QueryValueError)
    if wanted.detail in UNKNOWN_NAMES and isinstance(error, UnsupportedQueryError):
        return ""
    said = f"{type(error).__name__}: {error}"[:200]
    if not isinstance(error, kind):
        return f"not a {wanted.kind} at {wanted.phase} ({kind.__name__}), but {said}"
    if wanted.phase == "compile time" and isinstance(error, QueryValueError):
        return f"not at compile time, but {said}"
    for name, asked in (("kind", wanted.kind), ("detail", wanted.detail)):
        found = getattr(error, name, None)
        if found is not None and asked not in (found, "*"):
            return f"not {asked}, but {found}: {said}"
    return ""

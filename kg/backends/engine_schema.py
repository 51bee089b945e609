"""What Umbra makes in each database of the embedded engine before its first use."""

from __future__ import annotations

from typing import LiteralString

from kg.backends.alone import LoneWrite
from kg.backends.names import BASE_LABEL

__all__ = [
    "CHANGE_TYPE",
    "FUNCTIONS",
    "LOADED",
    "LOADING",
    "LONE",
    "LONG_REQUESTS",
    "META_TYPE",
    "PREPARE",
    "RAISE_AND_NOTE",
    "READY_TYPE",
    "VERSION",
]

READY_TYPE = "_UmbraReady4"
META_TYPE = "_UmbraMeta"
CHANGE_TYPE = "_UmbraChange"
PREPARE = (
    f"CREATE VERTEX TYPE {BASE_LABEL} IF NOT EXISTS",
    f"CREATE PROPERTY {BASE_LABEL}.key IF NOT EXISTS STRING",
    f"CREATE INDEX IF NOT EXISTS ON {BASE_LABEL} (key) UNIQUE",
    f"CREATE DOCUMENT TYPE {META_TYPE} IF NOT EXISTS",
    f"CREATE DOCUMENT TYPE {CHANGE_TYPE} IF NOT EXISTS",
)
LOADING = (
    "ALTER DATABASE `arcadedb.bucketReuseSpaceMode` 'low'",
    "ALTER DATABASE `arcadedb.txPageSlotMerge` false",
)
"""How a database is set while only one client loads into it: no search for room in earlier pages
where each new record goes, nothing kept for writers that meet in a page. Both together are 7 % of
the engine's work."""
LOADED = (
    "ALTER DATABASE `arcadedb.bucketReuseSpaceMode` 'high'",
    "ALTER DATABASE `arcadedb.txPageSlotMerge` true",
)
"""The engine's own settings again; they hold when it opens the database the next time."""
LONG_REQUESTS = f"set server setting arcadedb.server.httpBodyContentMaxSize {2**30}"
"""Command that lets requests be longer than 100 MB until the engine ends: it reads those of a load
piece by piece. Its doors are on the loopback address only."""
VERSION = f"(SELECT version FROM {META_TYPE} LIMIT 1)[0].version"  # noqa: S608 - a constant
# The engine parses a function's text at each call, so a short one is worth its own name: `note`
# takes twice the processor time of `noted`, and is for a transaction that has a version already.
# An older Umbra that shares the store calls `bump` and `note`.
_FUNCTIONS = {
    "counter": f"SELECT FROM {META_TYPE}",
    "note(touched)": f"INSERT INTO {CHANGE_TYPE} SET version = {VERSION}, touched = :touched",
    "noted(v,touched)": f"INSERT INTO {CHANGE_TYPE} SET version = :v, touched = :touched",
    "bump": f"UPDATE {META_TYPE} SET version = version + 1",  # noqa: S608 - a constant
    "raised": f"UPDATE {META_TYPE} SET version = version + 1 RETURN AFTER version",  # noqa: S608
    "version": f"SELECT version FROM {META_TYPE}",  # noqa: S608 - a constant
}


def _defined(signature: str, text: str) -> str:
    name, _, parameters = signature.rstrip(")").partition("(")
    listed = f"PARAMETERS [{parameters}] " if parameters else ""
    return f'DEFINE FUNCTION umbra.{name} "{text}" {listed}LANGUAGE sql'


FUNCTIONS = tuple(_defined(*one) for one in _FUNCTIONS.items())
"""Statements that define them; the engine refuses one that is defined already."""
RAISE_AND_NOTE: LiteralString = (
    "WITH umbra.raised() AS version WITH umbra.noted(version, $_touched) AS noted"
)
# What SET writes is the record as it is then, and nobody else can change it until the commit. So a
# write that was committed since `version` was read is seen here, and a later one is refused.
LONE = LoneWrite(
    begin="WITH umbra.counter() AS counter WITH counter, counter.version AS version",
    change=(
        "SET counter.version = CASE counter.version WHEN version THEN version + 1 ELSE 1 / 0 END"
    ),
    note="umbra.noted(version + 1, $_touched)",
)

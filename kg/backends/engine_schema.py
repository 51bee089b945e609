"""What Umbra makes in each database of the embedded engine before its first use."""

from __future__ import annotations

from kg.backends.names import BASE_LABEL

__all__ = ["CHANGE_TYPE", "FUNCTIONS", "META_TYPE", "PREPARE", "READY_TYPE", "VERSION"]

READY_TYPE = "_UmbraReady2"
META_TYPE = "_UmbraMeta"
CHANGE_TYPE = "_UmbraChange"
PREPARE = (
    f"CREATE VERTEX TYPE {BASE_LABEL} IF NOT EXISTS",
    f"CREATE PROPERTY {BASE_LABEL}.key IF NOT EXISTS STRING",
    f"CREATE INDEX IF NOT EXISTS ON {BASE_LABEL} (key) UNIQUE",
    f"CREATE DOCUMENT TYPE {META_TYPE} IF NOT EXISTS",
    f"CREATE DOCUMENT TYPE {CHANGE_TYPE} IF NOT EXISTS",
)
VERSION = f"(SELECT version FROM {META_TYPE} LIMIT 1)[0].version"  # noqa: S608 - a constant
FUNCTIONS = {
    "note(touched)": f"INSERT INTO {CHANGE_TYPE} SET version = {VERSION}, touched = :touched",
    "bump": f"UPDATE {META_TYPE} SET version = version + 1",  # noqa: S608 - a constant
    "version": f"SELECT version FROM {META_TYPE}",  # noqa: S608 - a constant
}

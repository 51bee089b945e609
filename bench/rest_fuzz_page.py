"""The page of `bench.rest_fuzz`."""

from __future__ import annotations

from typing import Any

__all__ = ["page"]


def page(result: dict[str, Any]) -> str:
    """Return the page of a result."""
    commit, cores = result["commit"], result["machine"]["cores"]
    servers = ", ".join(f"{n:,} {name}" for name, n in result["by_server"].items())
    told = (
        f"{result['cases']:,} requests ({servers}) that schemathesis {result['schemathesis']} made"
        f" from the OpenAPI document, {len(result['by_operation'])} operations, all of its checks:"
        f" {len(result['failures'])} distinct failures. Two checks are replaced by a closer reading"
        " of the same idea; `bench/rest_fuzz.py` says why."
    )
    lines = [
        "<!-- Written by `python -m bench.rest_fuzz`; change the code, not this page. -->",
        "",
        "# Fuzzing the REST service",
        "",
        told,
        "",
        f"Commit {commit}, {cores} cores, seed {result['seed']}, {result['minutes']} minutes.",
        "",
        "| operation | requests |",
        "|---|---:|",
        *(f"| `{name}` | {n:,} |" for name, n in result["by_operation"].items()),
        "",
        "| status | answers without a failure |",
        "|---|---:|",
        *(f"| {status} | {n:,} |" for status, n in result["statuses"].items()),
        *("", *(f"- {name}" for name in result["failures"])),
    ]
    return "\n".join(lines).rstrip() + "\n"

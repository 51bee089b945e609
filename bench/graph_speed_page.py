"""The page of `bench.graph_speed`, made from its JSON."""

from __future__ import annotations

from typing import Any

__all__ = ["page"]

GOALS = {
    "reads": "at most 1.2 times the driver",
    "upsert": "at most 1.2 times the driver",
    "bulk": "at most 1.3 times the endpoint",
    "attach": "under 150 ms beyond the imports",
    "snapshot": "at least 5 times faster than every edge in Cypher (a ratio of 0.2)",
    "open": "under 50 ms whatever the size",
    "large": "at least 40,000 edges/s, 10 million edges, 200 relations",
}

ABOUT = (
    "Beside the bare engine: the official driver on the same store, its batch endpoint, every edge "
    "read in Cypher. Both run in turn in one process after a warm-up, and their answers are "
    "compared; the ratio is of the medians. The engine runs with both of Java's compilers."
)


def page(result: dict[str, Any]) -> str:
    """Return the page."""
    lines = [
        "# Speed of the graph",
        "",
        ABOUT,
        "",
        "| part | what | ours, ms | bare, ms | ratio | goal |",
        "|---|---|---|---|---|---|",
    ]
    for part, goal in GOALS.items():
        rows = result["parts"].get(part, {}).get("rows", {})
        for what, row in rows.items():
            if "ours_ms" in row:
                bare = f"{row['bare_ms']:,.2f} | {row['ratio']:.2f}" if "bare_ms" in row else " | "
                lines.append(f"| {part} | {what} | {row['ours_ms']:,.2f} | {bare} | {goal} |")
    sizes = result["parts"].get("sizes", {}).get("rows", {})
    if sizes:
        lines += ["", "| where a graph lies | bytes an edge | edges/s written |", "|---|---|---|"]
    for where, row in sizes.items():
        speed = f"{row['edges_per_s']:,.0f}" if "edges_per_s" in row else ""
        lines.append(f"| {where} | {row['bytes_an_edge']:,.0f} | {speed} |")
    lines += ["", *_large(result["parts"].get("large")), "", "## Runs", ""]
    for part, run in result["parts"].items():
        machine = run["machine"]
        lines.append(
            f"- {part}: `{run['command']}`, commit {run['commit']}, {run['date'][:10]}, "
            f"{machine['cores']} cores, {machine['memory_gb']} GB, seed {run['seed']}"
        )
    return "\n".join(lines) + "\n"


def _large(run: dict[str, Any] | None) -> list[str]:
    if run is None:
        return ["The large load was not run."]
    row = run["rows"]["large load"]
    (before, engine_before), (most, engine_most) = row["memory_before_mb"], row["memory_mb"]
    text = (
        f"**The large load**: {row['edges']:,} edges of {row['entities']:,} entities in "
        f"{row['seconds']:,.0f} s, **{row['edges_per_s']:,.0f} edges/s** (goal: {GOALS['large']}). "
        f"Memory of the loading process {before:,.0f} MB before (the graph's numbers) and "
        f"{most:,.0f} MB at most, of the engine {engine_before:,.0f} and {engine_most:,.0f} MB."
    )
    return [text]

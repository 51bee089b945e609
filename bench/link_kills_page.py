"""The page of `bench.link_kills`."""

from __future__ import annotations

from typing import Any

__all__ = ["page"]


def page(result: dict[str, Any]) -> str:
    """Return a result in Markdown."""
    found, machine = result["report"], result["machine"]
    rows = {
        "kill -9 at random moments": found["kills"],
        "… of the whole process group": found["of_all"],
        "… of one of the workers": found["of_one"],
        "jobs brought to their end": found["jobs"],
        "outputs that differ from the undisturbed run's": found["differing"],
        "links lost": found["lost"],
        "links doubled": found["doubled"],
    }
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, seed {result['seed']}. {result['workers']} workers; a job has "
        f"{found['rows']} rows in {found['shards']} shards and takes {found['undisturbed_s']:.1f} "
        "s undisturbed (a tiny encoder: the bookkeeping is what is tried, and the kills are dense "
        "in it). Links and rejects are compared byte for byte."
    )
    lines = [
        "# Kills of linking jobs",
        "",
        about,
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
    ]
    return "\n".join(lines) + "\n"

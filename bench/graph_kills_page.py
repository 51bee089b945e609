"""The sums and the page of `bench.graph_kills`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["page", "summed"]

_SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
_VICTIMS = ("umbra", "store", "supervisor")


def summed(kills: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return counts over all kills and by operation, and every kill after which a thing was wrong.

    Args:
        kills: What became of each.
    """
    names = sorted({kill["operation"] for kill in kills})
    wrong = [dict(kill) for kill in kills if _wrong(kill)]
    return {
        "total": _counted(kills),
        "operations": {
            name: _counted([kill for kill in kills if kill["operation"] == name]) for name in names
        },
        "wrong": wrong,
    }


def _counted(kills: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    looks = [look for kill in kills for look in kill["looks"]]
    counts: dict[str, Any] = {
        "kills": len(kills),
        "checks": len(looks),
        "looked_for": sum(look["acknowledged"] for look in looks),
        "wrong": sum(map(_wrong, kills)),
        "broken": sum("broken" in kill for kill in kills),
        "hanging": sum(kill["exit"] is None for kill in kills),
        "ended_badly": sum(not kill["ended_well"] for kill in kills),
        "seconds": round(sum(kill["seconds"] for kill in kills)),
    }
    for kind in ("lost", "doubled", "foreign", "faults"):
        counts[kind] = sum(len(look[kind]) for look in looks)
    for name in _VICTIMS:
        counts[name] = sum(kill["victim"] == name for kill in kills)
    for name in _SIGNALS:
        counts[name] = sum(kill["signal"] == name for kill in kills)
    return counts


def _wrong(kill: Mapping[str, Any]) -> bool:
    said = any(
        look[kind] for look in kill["looks"] for kind in ("lost", "doubled", "foreign", "faults")
    )
    return said or "broken" in kill or not kill["ended_well"]


def page(result: dict[str, Any]) -> str:
    """Return a result in Markdown."""
    report, machine = result["report"], result["machine"]
    total = report["total"]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, seed {result['seed']}; {total['kills']:,} kills of "
        f"{result['kills']:,}, {total['seconds'] / 60:.0f} minutes of kills and looks, side by "
        "side in as many processes as the command says."
    )
    told = (
        "Runs of six operations are killed at random moments: Umbra's process, the store's engine, "
        "or the small process that watches the engine. A run writes down what the store "
        "acknowledged in a text file outside the store, on the disk before it goes on. After each "
        "kill the store is opened anew and compared with that file, `umbra graph check` looks at "
        "everything, and all but upserts is done again to its end and compared once more. A kill "
        "counts if its victim was alive and the run under way. One folder serves "
        f"{result['folder_runs']} runs: all that was acknowledged since its beginning must be "
        "there, once, as it was written. A counter that is raised by Cypher tells a write that was "
        "done twice; halves of transactions and rows that nobody wrote count as foreign."
    )
    operations_are = (
        "The operations: *load* is `umbra build` of a file or the store's bulk load; *upsert* a "
        "client's transactions, upserts and counting writes; *link* a linking job that writes its "
        "edges into the graph; *index* writes and searches in turns, each search making the "
        "full-text index anew; *backup* three backups while another process writes; *migration* a "
        "store of format 1 that is opened and written to."
    )
    operations = report["operations"]
    return (
        "\n".join(
            [
                "# Kills of whatever writes to a graph",
                "",
                about,
                "",
                told,
                "",
                *_table([*operations.items(), ("all", total)]),
                "",
                "What was killed, and how:",
                "",
                "| operation | Umbra | engine | watcher | SIGKILL | SIGTERM | SIGINT |",
                "|---|---|---|---|---|---|---|",
                *(
                    f"| {name} | "
                    + " | ".join(str(counts[key]) for key in (*_VICTIMS, *_SIGNALS))
                    + " |"
                    for name, counts in [*operations.items(), ("all", total)]
                ),
                "",
                operations_are,
            ]
        )
        + "\n"
    )


def _table(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    names = {
        "kills": "kills",
        "looked_for": "acknowledged writes looked for (again after each kill)",
        "lost": "lost",
        "doubled": "doubled",
        "foreign": "foreign",
        "faults": "faults of `graph check`",
        "hanging": "hanging",
        "ended_badly": "ended with a trace",
    }
    return [
        "| operation | " + " | ".join(names.values()) + " |",
        "|---" * (len(names) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(f"{counts[key]:,}" for key in names) + " |"
            for name, counts in rows
        ),
    ]

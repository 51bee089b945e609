"""`umbra graph`: checks the graph and what lies beside it, backs it up, restores it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from api.cli import graph_compact, graph_index, graph_past, graph_reindex, graph_validate
from api.cli.actions import add_action

__all__ = ["add_parser", "run_backup", "run_check", "run_restore", "run_stats"]

CHECK = """examples:
  umbra graph check
  umbra graph check --json

Every node, edge, record, part, image file, snapshot and output of a job is read, and the embedded
engine checks its own pages, links and indexes. Nothing is changed; writers wait while the graph is
read. The exit status is 1 if anything is wrong.
"""
BACKUP = """examples:
  umbra graph backup monday.umbra.zip

Holds the graph, its images and people's decisions on links, with their hashes; snapshots, models
and indexes are made from these and are not in it. Others may go on: writers wait while the graph
is read. The file appears only when it is whole.
"""
RESTORE = """examples:
  umbra graph restore monday.umbra.zip --folder restored

Fills a working folder that has no graph, in any store. The file is checked first: nothing is taken
of one that is damaged. Interrupted, the same command goes on.
"""


STATS = """examples:
  umbra graph stats
  umbra graph stats --json

Entities by label, relations with how many entities they leave and reach, attributes with the types
of their values, records by kind, and the sources with most of them. All of the graph is read.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "graph", help="check, validate, back up, restore, undo, compact, index"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, told, examples, run in (
        ("check", "find what is damaged in the graph and beside it", CHECK, run_check),
        ("backup", "write graph, images and decisions into one file", BACKUP, run_backup),
        ("restore", "fill an empty working folder from a backup", RESTORE, run_restore),
        ("stats", "figures of the graph: labels, relations, attributes, sources", STATS, run_stats),
    ):
        one = add_action(actions, common, name, told, examples=examples, run=run)
        if name in ("backup", "restore"):
            one.add_argument("file", type=Path, metavar="FILE", help="the backup")
    graph_validate.add_parser(actions, common)
    graph_past.add_parsers(actions, common)
    graph_compact.add_parser(actions, common)
    graph_index.add_parser(actions, common)
    graph_reindex.add_parser(actions, common)


def run_check(arguments: argparse.Namespace) -> int:
    """Check the graph and print what was found."""
    from dataclasses import asdict

    from api.cli.printing import print_json, print_rows, progress_bar
    from api.engine import Engine
    from api.steps.check_graph import MEANINGS, check_folder

    bar = progress_bar("reading image files", "images")
    with Engine.open(arguments.folder) as engine, bar as progress:
        found = check_folder(engine, progress=progress)
    if arguments.json:
        print_json([asdict(fault) | {"meaning": MEANINGS[fault.kind]} for fault in found])
    elif found:
        rows = [(fault.kind, fault.where, fault.what, MEANINGS[fault.kind]) for fault in found]
        print_rows(("fault", "where", "found", "meaning"), rows)
    else:
        print("nothing is wrong")
    return 1 if found else 0


def run_stats(arguments: argparse.Namespace) -> int:
    """Count the graph and print the figures."""
    from dataclasses import asdict

    from api.cli.printing import print_json, print_rows, print_types
    from api.engine import Engine
    from kg.upkeep.stats import graph_stats

    with Engine.open(arguments.folder) as engine:
        engine.workspace.require()
        found = graph_stats(engine.store)
    if arguments.json:
        print_json(asdict(found))
        return 0
    print_rows(("label", "entities"), [(name, f"{n:,}") for name, n in found.entities.items()])
    print()
    print_rows(
        ("relation", "edges", "from", "to", "most out", "most in"),
        [
            (name, *(f"{n:,}" for n in (r.edges, r.heads, r.tails, r.most_out, r.most_in)))
            for name, r in found.relations.items()
        ],
    )
    print()
    print_types(found.attributes)
    print()
    print_rows(("source", "records"), [(name[:60], f"{n:,}") for name, n in found.sources.items()])
    print()
    kinds = ", ".join(f"{kind} {n:,}" for kind, n in found.records.items())
    print(f"records: {kinds or 0}; {found.derived:,} of them rest on others")
    print(
        f"{found.alone:,} entities without an edge, {found.parts:,} parts, {found.images:,} images"
    )
    return 0


def run_backup(arguments: argparse.Namespace) -> int:
    """Write a backup and print what it holds."""
    from api.cli.printing import print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.backup import backup_graph

    bar = progress_bar("writing the backup", "rows")
    with Engine.open(arguments.folder) as engine, bar as progress:
        outcome = backup_graph(engine, arguments.file, progress=progress)
    print_outcome("backup", outcome, as_json=arguments.json)
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Restore a backup and print what it holds."""
    from api.cli.printing import print_outcome, progress_bar
    from api.engine import Engine
    from api.steps.backup import restore_graph

    bar = progress_bar("restoring", "rows")
    with Engine.open(arguments.folder) as engine, bar as progress:
        outcome = restore_graph(engine, arguments.file, progress=progress)
    print_outcome("restored", outcome, as_json=arguments.json)
    return 0

"""`umbra graph undo|history|diff`: take back, see how things came to be, and what has changed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from api.cli.actions import add_action
from api.cli.paging import add_after, tell_more

if TYPE_CHECKING:
    from api.undo_schemas import ValueOut

__all__ = ["add_parsers", "run_diff", "run_history", "run_undo"]

UNDO = """examples:
  umbra graph undo --source mentions.jsonl
  umbra graph undo --source mentions.jsonl --yes
  umbra graph undo --job link-0a1b2c3d4e5f6071 --yes
  umbra graph undo --edge country:TD borders country:LY --yes

Without --yes nothing is changed: it is said what would go. What goes are the records of the
source, the job or the edge, whatever was derived from them, edges and entities without a record,
and parts with their entity. What others have said stays, and a name or a value that was written
over theirs is theirs again. All goes in one transaction; a file is named from which `umbra build`
brings it back.
"""
HISTORY = """examples:
  umbra graph history country:TD
  umbra graph history country:TD --json
  umbra graph history country:TD --limit 20 --after WyIiLCJ...

Every record of the entity and of its edges, oldest first, with the values that it wrote, and what
was taken back.
"""
DIFF = """examples:
  umbra graph diff full store
  umbra graph diff monday.umbra.zip store --json

Each of the two is a snapshot's name or folder, a backup, or `store`: the graph as it is now.
"""


def add_parsers(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the commands."""
    undo = add_action(
        actions, common, "undo", "take back a source, a job or an edge", examples=UNDO, run=run_undo
    )
    what = undo.add_mutually_exclusive_group(required=True)
    what.add_argument("--source", help="file, document or person, as records name it")
    what.add_argument("--job", metavar="ID", help="id of a job")
    what.add_argument("--edge", nargs=3, metavar=("HEAD", "RELATION", "TAIL"), help="an edge")
    undo.add_argument("--yes", action="store_true", help="do it; else only say what would go")
    history = add_action(
        actions, common, "history", "how an entity came to be", examples=HISTORY, run=run_history
    )
    history.add_argument("key", metavar="KEY", help="key of the entity")
    history.add_argument("--limit", type=int, default=200, help="most events (default: 200)")
    add_after(history)
    diff = add_action(actions, common, "diff", "how two graphs differ", examples=DIFF, run=run_diff)
    diff.add_argument("old", metavar="OLD", help="snapshot, backup or `store`")
    diff.add_argument("new", metavar="NEW", help="snapshot, backup or `store`")
    diff.add_argument("--limit", type=int, default=20, help="examples of each kind (default: 20)")
    add_after(diff)


def run_undo(arguments: argparse.Namespace) -> int:
    """Say what would go, or take it back."""
    from api.cli.printing import print_json
    from api.engine import Engine
    from api.steps.undo import undo_in_graph
    from kg.upkeep.undo import Undo

    edge = None if arguments.edge is None else tuple(arguments.edge)
    asked = Undo(source=arguments.source, job=arguments.job, edge=edge)
    with Engine.open(arguments.folder) as engine:
        found = undo_in_graph(engine, asked, confirm=arguments.yes)
    if arguments.json:
        print_json(found.model_dump(mode="json"))
        return 0
    went = "went" if found.done else "would go"
    back = "are what they were before" if found.done else "would be what they were before"
    print(f"{found.records} records {went}, {found.derived} of them derived from the others")
    print(f"{found.edges_gone} edges {went}, {found.edges_kept} stay by other records")
    print(f"{found.entities_gone} entities {went}, {found.entities_kept} stay")
    for name in found.examples:
        print(f"  - {name}")
    if found.values:
        print(f"{found.values_back} values {back}, {found.values_gone} {went}")
    for change in found.values:
        print(f"  ~ {change}")
    if found.brought_back_by is not None:
        print(f"brought back by: umbra build {found.brought_back_by}")
    elif not found.done:
        print("nothing was changed; --yes does it")
    return 0


def run_history(arguments: argparse.Namespace) -> int:
    """Print the history of an entity."""
    from api.cli.printing import print_json, print_rows
    from api.engine import Engine
    from api.steps.history import history_of

    with Engine.open(arguments.folder) as engine:
        found = history_of(engine, arguments.key, limit=arguments.limit, after=arguments.after)
    if arguments.json:
        print_json(found.model_dump(mode="json"))
        return 0
    rows = [
        (
            event.at or "",
            event.event,
            event.about,
            event.source,
            event.locator or "",
            ", ".join(map(_wrote, event.values)),
        )
        for event in found.events
    ]
    print_rows(("when", "what", "about", "source", "where", "wrote"), rows)
    if not found.present:
        print(f"{found.key} is not in the graph any more")
    tell_more(found.next)
    return 0


def _wrote(value: ValueOut) -> str:
    said = ", ".join(map(str, value.value)) if isinstance(value.value, tuple) else value.value
    text = f"{value.name.removeprefix('.')} {said!s:.40}"
    return text if value.holds else f"{text} (no more)"


def run_diff(arguments: argparse.Namespace) -> int:
    """Print how two graphs differ."""
    from api.cli.printing import print_json
    from api.engine import Engine
    from api.steps.diff import diff_graphs

    with Engine.open(arguments.folder) as engine:
        found = diff_graphs(
            engine, arguments.old, arguments.new, limit=arguments.limit, after=arguments.after
        )
    if arguments.json:
        print_json(found.model_dump(mode="json"))
        return 0
    for name, part in (("entities", found.entities), ("edges", found.edges)):
        print(f"{name}: {part.added} added, {part.removed} removed, {part.changed} changed")
        for line in part.examples:
            print(f"  {line}")
    tell_more(found.next)
    return 0

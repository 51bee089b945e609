"""`umbra graph index`: makes, lists and drops indexes of attributes."""

from __future__ import annotations

import argparse
from typing import Any

from api.cli.actions import add_action

__all__ = ["add_parser", "run_index"]

INDEX = """examples:
  umbra graph index
  umbra graph index Person name
  umbra graph index Person born --type int
  umbra graph index Person born --drop

With an index, `MATCH (p:Person {name: $name})` finds its nodes without reading all of the label;
the label Entity stands for every entity. Keys have an index already. Where there is
one, the embedded store takes values of one type only: text, whole number, number or truth. It is
not part of a backup: make it again in a restored folder.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    from kg.value_types import TYPES

    one = add_action(
        actions, common, "index", "make, list or drop indexes of attributes", examples=INDEX,
        run=run_index,
    )  # fmt: skip
    one.add_argument("label", nargs="?", metavar="LABEL", help="of the entities; none lists all")
    one.add_argument("attribute", nargs="?", metavar="ATTRIBUTE", help="an attribute, or name")
    one.add_argument(
        "--type", choices=list(TYPES), help="of its values (default: of those that are there)"
    )
    one.add_argument("--drop", action="store_true", help="drop the index")


def run_index(arguments: argparse.Namespace) -> int:
    """Make, list or drop."""
    from dataclasses import asdict

    from api.cli.printing import print_json, print_rows
    from api.engine import Engine
    from kg.errors import InputError

    label, attribute = arguments.label, arguments.attribute
    if (label is None) != (attribute is None) or (arguments.drop and label is None):
        raise InputError(
            "an index is named by a label and an attribute", hint="umbra graph index Person name"
        )
    with Engine.open(arguments.folder) as engine:
        engine.workspace.require()
        indexes = engine.store.indexes
        if label is None:
            found = indexes.all()
        elif not arguments.drop:
            found = [indexes.create(label, attribute, kind=arguments.type)]
        elif indexes.drop(label, attribute):
            found = []
        else:
            raise InputError(f"there is no index of {label} {attribute}", hint="umbra graph index")
    if arguments.json:
        print_json([asdict(one) for one in found])
    elif found:
        rows = [(one.label, one.attribute, one.kind or "any") for one in found]
        print_rows(("label", "attribute", "type"), rows)
    else:
        print("dropped" if arguments.drop else "no indexes but that of keys")
    return 0

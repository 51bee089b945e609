"""`umbra facts`: people's verdicts on single edges: list, accept, reject, undo."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from api.cli.actions import add_actions
from api.cli.decider import decider

if TYPE_CHECKING:
    from api.fact_schemas import FactIn

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra facts accept Georgia borders country:TR --who ada --comment "seen on a map"
  umbra facts reject country:GR borders country:GE --who ada
  umbra facts undo country:GR borders country:GE --who ada
  umbra facts list

An accepted edge enters the graph with a record of who said so. A rejected one is kept as a verdict:
name it with `umbra ask --without` to leave it out. Entities by key, or by a name that only one has.
The explorer's buttons do the same.
"""

ACTIONS = {
    "accept": "put an edge into the graph, with who says so",
    "reject": "keep the verdict that an edge does not hold",
    "undo": "take a verdict on an edge back",
}
PARTS = {
    "head": "where the edge begins: key, or a name that only one entity has",
    "relation": "its relation",
    "tail": "where it ends, as HEAD",
}


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("facts", help="accept and reject single edges")
    action = add_actions(parser, common, examples=EXAMPLES, run=run)
    action("list", "list the verdicts that hold, the latest first")
    for name, told in ACTIONS.items():
        one = action(name, told)
        for part, told in PARTS.items():
            one.add_argument(part, metavar=part.upper(), help=told)
        one.add_argument("--who", help="who decides (default: your user name)")
        one.add_argument("--comment", help="why")


def run(arguments: argparse.Namespace) -> int:
    """Show verdicts or give one."""
    from api.cli.printing import print_json, print_outcome, print_rows
    from api.engine import Engine
    from api.fact_desk import FactDesk

    with Engine.open(arguments.folder) as engine:
        desk = FactDesk(engine)
        if arguments.action != "list":
            made = desk.decide(_asked(arguments)).model_dump(mode="json", exclude_none=True)
            print_outcome("verdict", made, as_json=arguments.json)
            return 0
        facts = desk.facts()
    if arguments.json:
        print_json(facts.model_dump(mode="json"))
        return 0
    columns = ("verdict", "head", "relation", "tail", "who", "at")
    print_rows(columns, [[getattr(one, name) for name in columns] for one in facts.facts])
    return 0


def _asked(arguments: argparse.Namespace) -> FactIn:
    from pydantic import ValidationError

    from api.fact_schemas import FactIn
    from kg.errors import InputError

    named = ("head", "relation", "tail", "comment")
    given = {name: getattr(arguments, name) for name in named}
    try:
        return FactIn(verdict=arguments.action, who=decider(arguments.who), **given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(first["msg"], where=str(first["loc"][0])) from None

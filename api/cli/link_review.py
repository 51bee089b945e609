"""`umbra link review`: people decide what the linker could not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.decider import decider

if TYPE_CHECKING:
    from api.review_desk import ReviewDesk

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link review links.jsonl --mentions mentions.jsonl
  umbra link review
  umbra link review --list --limit 5
  umbra link review --decide decisions.jsonl --who ada
  umbra link review --export tasks.json
  umbra link review --import mappings.tsv

The first loads the cases of a run and asks for answers, the most useful case first; the second goes
on where you stopped. Answers become aliases and links that the next run uses; each can be undone.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = actions.add_parser(
        "review",
        parents=[common],
        help="decide what the linker could not",
        description="Decide on links: accept, correct, reject, add, merge, split, undo.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "links", type=Path, nargs="?", help="output of `umbra link run` or `umbra link text`"
    )
    parser.add_argument("--mentions", type=Path, help="the mentions that were linked")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column of the mentions holds id, surface, context, start, end",
    )
    parser.add_argument(
        "--states", default="review,nil", help="states that become cases (default review,nil)"
    )
    parser.add_argument("--who", help="who decides (default: your user name)")
    parser.add_argument("--list", action="store_true", help="print open cases, ask nothing")
    parser.add_argument("--log", action="store_true", help="print the decisions, ask nothing")
    parser.add_argument("--limit", type=int, default=20, help="cases to list (default 20)")
    parser.add_argument(
        "--decide", type=Path, metavar="FILE", help="make the decisions of a JSON Lines file"
    )
    parser.add_argument(
        "--replay", action="store_true", help="do all decisions again, to a graph built anew"
    )
    parser.add_argument(
        "--export", type=Path, metavar="FILE", help="write cases and decisions for another tool"
    )
    parser.add_argument(
        "--import", type=Path, metavar="FILE", dest="imported", help="make decisions made elsewhere"
    )
    parser.add_argument(
        "--format",
        choices=("label-studio", "sssom", "pairs"),
        help="of these files (default: by the ending .json, .tsv, .jsonl)",
    )
    parser.add_argument("--licence", metavar="ADDRESS", help="of exported mappings (SSSOM)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load cases, then list, decide, or ask."""
    from api.cli.printing import print_outcome
    from api.engine import Engine
    from api.review_desk import ReviewDesk

    with Engine.open(arguments.folder) as engine:
        desk = ReviewDesk(engine)
        if arguments.links is not None:
            _load(desk, arguments)
        if arguments.list:
            return _list(desk, arguments)
        if arguments.log:
            return _log(desk, arguments)
        if arguments.replay:
            print_outcome("replay", desk.review.replay(), as_json=arguments.json)
            return 0
        if arguments.decide is not None:
            return _decide(desk, arguments)
        if arguments.imported is not None or arguments.export is not None:
            return _exchange(desk, arguments)
        return _ask(desk, arguments)


def _load(desk: ReviewDesk, arguments: argparse.Namespace) -> None:
    from api.cli.link import columns_of
    from kg.errors import SettingError
    from linkers.records import MentionColumns
    from linkers.review.reading import REVIEWED

    states = arguments.states.split(",")
    for state in states:
        if state not in ("linked", *REVIEWED):
            raise SettingError(f"no link to review is {state!r:.40}", where="--states")
    columns = MentionColumns.of(columns_of(arguments.map))
    new = desk.load(arguments.links, arguments.mentions, columns=columns, states=states)
    print(f"{new} new cases", file=sys.stderr)


def _list(desk: ReviewDesk, arguments: argparse.Namespace) -> int:
    from api.cli.printing import print_json, print_rows
    from api.cli.review_screen import printable
    from kg.errors import SettingError

    if not 1 <= arguments.limit <= 10_000:
        raise SettingError("--limit lies in [1, 10000]", where="--limit")
    found = desk.cases(limit=arguments.limit)
    if arguments.json:
        print_json(found)
        return 0
    rows = []
    for case in found.cases:
        what, proposed = case.mention or "", ""
        if case.pair is not None:
            what = f"{case.pair[0].entity} = {case.pair[1].entity}?"
        elif case.candidates:
            proposed = f"{case.candidates[0].name} [{case.candidates[0].entity}]"
        shown = (printable(what), printable(proposed), printable(case.reason or ""))
        rows.append((case.id, f"{case.doubt:.3f}", case.state, *shown))
    print_rows(("case", "doubt", "state", "mention", "likeliest", "reason"), rows)
    print(f"{found.open} open, {found.decided} decided")
    return 0


def _log(desk: ReviewDesk, arguments: argparse.Namespace) -> int:
    from api.cli.printing import print_json, print_rows
    from api.cli.review_screen import printable

    found = desk.decisions()
    if arguments.json:
        print_json(found)
        return 0
    rows = [
        (d.number, d.at, printable(d.who), d.kind, printable(d.mention or ""), d.entity, d.state)
        for d in found.decisions
    ]
    print_rows(("number", "at", "who", "decision", "mention", "entity", "state"), rows)
    return 0


def _decide(desk: ReviewDesk, arguments: argparse.Namespace) -> int:
    from api.steps.review import decide_file

    outcome = decide_file(desk, arguments.decide, who=decider(arguments.who))
    return _told(arguments.decide, outcome, as_json=arguments.json)


def _exchange(desk: ReviewDesk, arguments: argparse.Namespace) -> int:
    from api.cli.printing import print_outcome
    from api.steps.review_files import export_review, format_of, import_review

    code = 0
    if arguments.imported is not None:
        kind = format_of(arguments.imported, arguments.format)
        outcome = import_review(desk.review, arguments.imported, kind, who=decider(arguments.who))
        code = _told(arguments.imported, outcome, as_json=arguments.json)
    if arguments.export is not None:
        kind = format_of(arguments.export, arguments.format)
        written = export_review(
            desk.review, arguments.export, kind, names=desk.name, licence=arguments.licence
        )
        print_outcome("export", written, as_json=arguments.json)
    return code


def _told(path: Path, outcome: dict[str, Any], *, as_json: bool) -> int:
    """Print how many decisions were made, and each that was refused."""
    from api.cli.printing import print_outcome
    from api.cli.review_screen import printable

    rejects = outcome["rejects"]
    for reject in rejects:
        print(f"{path}:{reject['line']}: {printable(reject['reason'])}", file=sys.stderr)
    shown = outcome if as_json else {**outcome, "rejects": len(rejects)}
    print_outcome("decisions", shown, as_json=as_json)
    return 2 if rejects else 0


def _ask(desk: ReviewDesk, arguments: argparse.Namespace) -> int:
    from api.cli.printing import print_outcome
    from api.cli.review_screen import ReviewScreen

    made = ReviewScreen(desk, decider(arguments.who)).run()
    left = desk.cases(limit=1).open
    if not arguments.json:
        print()
    print_outcome("review", {"decided": made, "open": left}, as_json=arguments.json)
    return 0

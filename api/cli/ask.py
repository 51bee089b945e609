"""`umbra ask`: a question over what is known and what is likely."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.asked_graph import add_graph, open_asked
from api.cli.paging import add_after, tell_more
from kg.errors import InputError

if TYPE_CHECKING:
    from api.cli.explaining import Form
    from api.plain.schemas import PlainOut
    from api.schemas import AnswersOut, WhyNotOut

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra ask "MATCH (c:Country)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c" --k 5
  umbra ask --json "MATCH (c:Country)-[:borders]->(:Country {name: 'Chad'}) RETURN c"
  umbra ask "MATCH (c)-[:borders]->(:Country {name: 'Chad'}) RETURN c" --explain svg --out why.svg
  umbra ask "MATCH (c)-[:borders]->(:Country {name: 'Chad'}) RETURN c" --why-not Ghana
  umbra ask "MATCH (c)-[:borders]->(:Country {name: 'Chad'}) RETURN c" --assume "Ghana borders Chad"
  umbra ask --batch questions.jsonl --out answers.parquet
  umbra ask --number Chad area_km2 --coverage 0.8
  umbra ask "MATCH (x)-[:worksfor]->({name: 'intel'}) RETURN x" --graph FOLDER --model DIR
  umbra ask --plain "Which countries border Chad but do not speak Arabic?"

With --batch many questions are answered, one a line: a text, a query in JSON, or {"id": …,
"question": …}. What cannot be answered lands in rejects/; a job that was stopped goes on where it
was. With --number a number of an entity is told, or predicted with an interval where it is missing.
With --plain a question in English is read by rules (or --by a model that the settings name), shown
as a query, and then asked; --show only shows it.
With --graph and --model a graph folder is asked by the model that `umbra train FOLDER` made of it.
The question is a text of Cypher, SPARQL or nested tuples, or a tree in JSON (docs/queries.md).
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "ask",
        parents=[common],
        help="ask a question: known and likely answers, and why",
        description="Ask a question over what is known and what is likely.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "question", nargs="?", help="Cypher, SPARQL, tuples or JSON; - reads it from stdin"
    )
    parser.add_argument("--batch", type=Path, metavar="FILE", help="questions, one a line")
    parser.add_argument(
        "--number",
        nargs=2,
        metavar=("ENTITY", "ATTRIBUTE"),
        help="a number of an entity, predicted if it is missing; key or name",
    )
    parser.add_argument(
        "--coverage",
        type=float,
        default=0.9,
        help="how often the interval of --number shall hold the value (default 0.9)",
    )
    parser.add_argument("--plain", metavar="QUESTION", help="a question in English")
    parser.add_argument(
        "--by",
        choices=("rules", "endpoint", "directory"),
        default="rules",
        help="who reads --plain: rules (default), or the model that the settings name",
    )
    parser.add_argument("--show", action="store_true", help="only show what --plain was read as")
    parser.add_argument(
        "-k", "--k", type=int, default=10, help="most answers of each kind on a page (default 10)"
    )
    add_after(parser)
    parser.add_argument(
        "--answerer",
        choices=("symbolic", "rough", "cone", "exact"),
        default="symbolic",
        help="who answers (default symbolic)",
    )
    add_graph(parser)
    parser.add_argument("--snapshot", default="full", help="which snapshot (default full)")
    parser.add_argument("--why", type=int, default=3, help="proofs shown of each kind (default 3)")
    parser.add_argument(
        "--explain",
        choices=("text", "json", "svg"),
        help="show whole proof trees; svg draws that of the first answer",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write what --explain shows, or the answers of --batch: .jsonl, .csv or .parquet",
    )
    parser.add_argument(
        "--why-not", metavar="ENTITY", help="say what an entity lacks to be an answer; key or name"
    )
    edge = {"action": "append", "default": [], "metavar": '"HEAD RELATION TAIL"'}
    parser.add_argument("--assume", help="what if this edge were there (repeat for more)", **edge)
    parser.add_argument("--without", help="what if this edge were not there", **edge)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and print."""
    import sys

    given = (arguments.question, arguments.batch, arguments.number, arguments.plain)
    if sum(one is not None for one in given) != 1:
        raise InputError(
            "one of a question, --plain QUESTION, --batch FILE and --number ENTITY ATTRIBUTE is"
            " needed"
        )
    if arguments.show and arguments.plain is None:
        raise InputError("--show needs --plain")
    if arguments.batch is not None:
        from api.cli.ask_batch import run_batch

        return run_batch(arguments)
    if arguments.number is not None:
        return _show_number(arguments)
    if arguments.out is not None and arguments.explain is None:
        raise InputError("--out needs --explain", hint="add --explain text, json or svg")
    question: Any = sys.stdin.read() if arguments.question == "-" else arguments.question
    edits = {"assume": arguments.assume, "without": arguments.without}
    with open_asked(arguments) as engine:
        if arguments.plain is not None:
            read = engine.plain(arguments.plain, by=arguments.by)
            _show_reading(read, arguments)
            if arguments.show:
                return 0
            question = read.tree
        if arguments.why_not is not None:
            return _show_lack(engine.why_not(question, arguments.why_not, **edits), arguments)
        answers = engine.ask(
            question, k=arguments.k, answerer=arguments.answerer, after=arguments.after, **edits
        )
    return _show_answers(answers, arguments)


def _show_reading(read: PlainOut, arguments: argparse.Namespace) -> None:
    """Show what a question was read as: the result of --show, else a note before the answers."""
    import sys

    if arguments.show and arguments.json:
        from api.cli.printing import print_json

        print_json(read)
        return
    stream = sys.stdout if arguments.show else sys.stderr
    print(read.query, file=stream)
    for one in read.heard:
        print(f"  {one.words!r}: {one.relation} ({one.how})", file=stream)
    for warning in read.warnings:
        print(f"  warning: {warning}", file=sys.stderr)
    if not arguments.show:
        print(file=stream, flush=True)


def _show_number(arguments: argparse.Namespace) -> int:
    from api.cli.printing import print_json, print_number

    with open_asked(arguments) as engine:
        found = engine.number(*arguments.number, coverage=arguments.coverage)
    show = print_json if arguments.json else print_number
    show(found)
    return 0


def _show_answers(answers: AnswersOut, arguments: argparse.Namespace) -> int:
    from api.cli.explaining import explained, write_explanation
    from api.cli.printing import print_answers, print_json

    if arguments.explain is not None:
        content = explained(answers, arguments.explain, why=arguments.why)
        write_explanation(content, arguments.out)
    elif arguments.json:
        print_json(answers)
    else:
        print_answers(answers, why=arguments.why)
        tell_more(answers.next)
    return 0


def _show_lack(found: WhyNotOut, arguments: argparse.Namespace) -> int:
    from api.cli.explaining import lacking, write_explanation

    default: Form = "json" if arguments.json else "text"
    write_explanation(lacking(found, arguments.explain or default), arguments.out)
    return 0

"""`umbra search`: entities by words and by meaning."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.search.schemas import HighlightOut

from api.cli.paging import add_after, tell_more

__all__ = ["add_granularity", "add_parser", "run"]

EXAMPLES = """examples:
  umbra search turkiye
  umbra search "island in the Pacific" --label Country
  umbra search "borders Kazakhstan" -k 5 --json

The first search reads the graph and encodes its texts; later ones only what is new. Below each hit
stand the texts that hold words of the query; a hit without any was found by its meaning.
"""


def add_parser(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "search",
        parents=[common],
        help="find entities by words and by meaning",
        description="Find entities by names, prose, parts of pictures, neighbours, and meaning.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", help="what to look for")
    parser.add_argument("-k", "--k", type=int, default=10, help="most hits, up to 100 (default 10)")
    add_after(parser)
    parser.add_argument(
        "--label", action="append", default=[], help="only entities of this label; may be repeated"
    )
    parser.add_argument(
        "--within", metavar="QUERY", help="of the first 100 hits, only known answers of this query"
    )
    add_granularity(parser, default="sentence")
    parser.set_defaults(run=run)


def add_granularity(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Declare how fine prose is cut."""
    parser.add_argument(
        "--granularity",
        choices=("auto", "sentence", "passage", "page"),
        default=default,
        help="how fine prose is cut: a sentence, a passage of a few, a whole text, or as"
        f" the text asks for (default: {default})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Search and print the hits."""
    from api.cli.encoding import catch_up
    from api.cli.printing import print_json
    from api.engine import Engine

    with Engine.open(arguments.folder) as engine:
        catch_up(engine)
        found = engine.search(
            arguments.text,
            k=arguments.k,
            labels=arguments.label,
            within=arguments.within,
            granularity=arguments.granularity,
            after=arguments.after,
        )
    if arguments.json:
        print_json(found)
        return 0
    for hit in found.hits:
        places = ", ".join(f"{name} {rank}" for name, rank in hit.ranks.items())
        print(f"{hit.name}  ({hit.label}) [{hit.key}]  {places}")
        for highlight in hit.highlights:
            print(f"    {highlight.field}: {_marked(highlight)}")
    if not found.hits:
        print("nothing found")
    tell_more(found.next)
    return 0


def _marked(highlight: HighlightOut) -> str:
    """Return a text with the words found between asterisks."""
    text, end = "", 0
    for start, stop in highlight.spans:
        text += f"{highlight.text[end:start]}*{highlight.text[start:stop]}*"
        end = stop
    return (text + highlight.text[end:]).replace("\n", " ")

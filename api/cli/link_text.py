"""`umbra link text`: a plain text in, its mentions and their entities out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link text "Ships from Chile reached Perú last week."
  umbra link text report.txt --out links.jsonl
  cat report.txt | umbra link text - --json

Mentions are names and aliases of the graph's entities, longest first, whatever their case and
accents; --classifier finds further ones. Each has its place in the text, counted in characters.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = actions.add_parser(
        "text",
        parents=[common],
        help="find and link the mentions of a plain text",
        description="Find the mentions of a plain text and link them to entities of the graph.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", help="the text, a file in UTF-8, or - for standard input")
    parser.add_argument(
        "--linker",
        type=Path,
        metavar="FOLDER",
        help="a linker trained elsewhere: its folder, or a working folder (default: this one's)",
    )
    parser.add_argument("--label", help="class of entities that mentions may mean")
    parser.add_argument("--out", type=Path, help="also write the mentions here, as JSON Lines")
    parser.add_argument(
        "--classifier", type=Path, metavar="DIR", help="folder of a transformers token classifier"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Link a text and print its mentions."""
    from api.cli.printing import print_json, print_rows, progress_bar
    from api.engine import Engine
    from api.steps.link_text import TextSource, link_plain_text, write_links
    from api.steps.open_linker import LinkerChoice

    name, text = _given(arguments.text)
    with (
        Engine.open(arguments.folder) as engine,
        progress_bar("linking", "mentions") as progress,
    ):
        source = TextSource(
            name=name,
            classifier=arguments.classifier,
            linker=LinkerChoice(folder=arguments.linker, label=arguments.label),
        )
        found = link_plain_text(engine, text, source, progress=progress)
    if arguments.out is not None:
        write_links(arguments.out, found.mentions)
    if arguments.json:
        print_json(found)
        return 0
    rows = [
        (
            f"{mention.start}-{mention.end}",
            mention.surface,
            mention.state,
            "" if mention.name is None else f"{mention.name} [{mention.entity}]",
            f"{mention.probability:.3f}",
            mention.reason,
        )
        for mention in found.mentions
    ]
    print_rows(("place", "mention", "state", "entity", "probability", "reason"), rows)
    return 0


def _given(text: str) -> tuple[str, str]:
    """Return the name and the characters of a text, a file, or standard input."""
    from api.steps.link_text import read_text
    from linkers.documents import MAX_TEXT

    if text == "-":
        return "text", sys.stdin.read(MAX_TEXT + 1)
    path = Path(text)
    # words with spaces are a text; one word with an ending is meant to be a file
    if _is_file(path) or (path.suffix in (".txt", ".md") and not any(map(str.isspace, text))):
        return path.name, read_text(path)
    return "text", text


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or a NUL in it: a text
        return False

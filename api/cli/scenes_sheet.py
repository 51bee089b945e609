"""`umbra scenes sheet`: pictures of the graph on one page, with their parts and relations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra scenes sheet flags.svg
  umbra scenes sheet some.png --entity country:JP --entity country:TR --columns 2

Boxes with their labels, and a line from subject to object (its end is a dot) with the predicates;
of each picture the twelve likeliest relations.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the action."""
    one = actions.add_parser(
        "sheet",
        parents=[common],
        help="draw pictures with their parts on one page",
        description="Draw pictures of the graph with their parts and relations on one page.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("out", type=Path, metavar="OUT", help="the file: .svg or .png")
    one.add_argument(
        "--entity",
        action="append",
        default=[],
        metavar="KEY",
        help="whose pictures; may be repeated (default: the first of the graph)",
    )
    one.add_argument("--most", type=int, default=24, help="pictures at most (default 24)")
    one.add_argument("--columns", type=int, default=4, help="pictures a row (default 4)")
    one.add_argument("--side", type=int, default=320, help="longer side in pixels (default 320)")
    one.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw the sheet and say how many pictures are on it."""
    from api.cli.printing import print_outcome
    from api.engine import Engine
    from api.steps.scene_sheet import sheet_tiles
    from kg.errors import SettingError
    from kg.files import atomic_write
    from scenes.sheet import MAX_TILES, sheet_png, sheet_svg

    if arguments.out.suffix not in (".svg", ".png"):
        raise SettingError(f"a file .svg or .png is needed, got {arguments.out.name}", where="OUT")
    if not 1 <= arguments.most <= MAX_TILES:
        raise SettingError(f"must lie in 1-{MAX_TILES}, got {arguments.most}", where="--most")
    with Engine.open(arguments.folder) as engine:
        tiles = sheet_tiles(engine, arguments.entity, most=arguments.most)
    size = {"columns": arguments.columns, "side": arguments.side}
    drawn = (
        sheet_png(tiles, **size)
        if arguments.out.suffix == ".png"
        else sheet_svg(tiles, **size).encode()
    )
    with atomic_write(arguments.out) as file:
        file.write(drawn)
    outcome = {"images": len(tiles), "file": str(arguments.out)}
    print_outcome("scenes sheet", outcome, as_json=arguments.json)
    return 0

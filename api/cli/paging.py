"""Pages of a list on the command line: where to go on, and that there is more."""

from __future__ import annotations

import argparse
import sys

__all__ = ["add_after", "tell_more"]


def add_after(parser: argparse.ArgumentParser) -> None:
    """Declare the option that goes on after a page."""
    parser.add_argument("--after", metavar="CURSOR", help="go on after a page that ended so")


def tell_more(following: str | None) -> None:
    """Say on stderr how the next page is asked for, if there is one."""
    if following is not None:
        print(f"there is more: --after {following}", file=sys.stderr)

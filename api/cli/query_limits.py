"""The limits of a query on the command line: a caller may lower those of the settings."""

from __future__ import annotations

import argparse

__all__ = ["add_limits"]


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Declare the options of time and rows."""
    parser.add_argument(
        "--timeout-s",
        type=float,
        help="seconds it may take (default and most: the setting timeout_s, 20)",
    )
    parser.add_argument(
        "--max-rows",
        type=int,
        help="rows it may return (default and most: the setting max_rows, 10000)",
    )

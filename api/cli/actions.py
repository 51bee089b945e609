"""Commands of several actions, such as `umbra jobs list`: with the same options and examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

__all__ = ["add_action", "add_actions"]


def add_actions(
    command: argparse.ArgumentParser,
    common: argparse.ArgumentParser,
    *,
    examples: str,
    run: Callable[[argparse.Namespace], int],
) -> Callable[[str, str], argparse.ArgumentParser]:
    """Let a command have actions; returns what adds one, by its name and a phrase about it.

    Args:
        command: The command.
        common: Options that all actions share.
        examples: Shown after the help of each.
        run: Runs whichever was chosen; its name is in ``action``.
    """
    actions: Any = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, told: str) -> argparse.ArgumentParser:
        return add_action(actions, common, name, told, examples=examples, run=run)

    return action


def add_action(
    actions: Any,
    common: argparse.ArgumentParser,
    name: str,
    told: str,
    *,
    examples: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """Add one action, with examples and a function of its own.

    Args:
        actions: What the command's `add_subparsers` returned.
        common: Options that all actions share.
        name: Of the action.
        told: A phrase about it.
        examples: Shown after its help.
        run: Runs it.
    """
    one: argparse.ArgumentParser = actions.add_parser(
        name,
        parents=[common],
        help=told,
        description=f"{told[0].upper()}{told[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.set_defaults(run=run)
    return one

"""The command line: parse, one engine call, print.

Nothing heavy is imported here, so that `umbra --help` stays instant; each command imports what it
needs when it runs. Results go to stdout, progress and warnings to stderr.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from api.cli import (
    ask,
    build,
    compare,
    context,
    cypher,
    demo,
    doctor,
    evaluate,
    export,
    facts,
    graph,
    info,
    jobs,
    keys,
    link,
    mcp,
    queries,
    read,
    sample,
    scenes,
    search,
    serve,
    sparql,
    store,
    suggest,
    train,
)
from api.cli.terminal import guard_terminal, visible
from api.signals import interruptible
from kg.errors import EngineError
from kg.interrupts import interrupt_behind

__all__ = ["main", "make_parser"]

COMMANDS = (
    *(build, read, export, link, facts, jobs, scenes, train, ask, search, suggest, context, sample),
    *(evaluate, compare, cypher, sparql, queries, serve, keys, mcp, demo),
    *(info, doctor, graph, store),
)

_SELDOM = (700, 10, 100)
"""When Python looks for garbage: through all that is alive ten times as seldom as by itself. While
libraries were loaded it did so five times, which took a sixth of the time."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="umbra",
        description="A knowledge graph of text and images that answers what nobody wrote down.",
        epilog="`umbra COMMAND --help` shows examples. Docs: docs/tutorial.md",
    )
    parser.add_argument("--version", action="version", version="umbra 0.1.0")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--folder", type=Path, help="working folder (default: the nearest .umbra, else ./.umbra)"
    )
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_parser(commands, common)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; those of the process if not given.

    Returns:
        The exit code: 0, that of the error (`api.errors`), 130 after Ctrl+C, 143 after SIGTERM.
    """
    if argv is None:  # the process is ours
        gc.set_threshold(*_SELDOM)
        guard_terminal()
    arguments = make_parser().parse_args(argv)
    try:
        with interruptible(last=argv is None):
            code = _run(arguments)
    except KeyboardInterrupt as interrupt:
        from api.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

        if argv is None:  # what a library had half made goes with the process: no word on it
            sys.unraisablehook = lambda _: None
        print("umbra: stopped; the same command goes on where it was", file=sys.stderr)
        return EXIT_TERMINATED if interrupt.args == ("SIGTERM",) else EXIT_INTERRUPTED
    except EngineError as error:
        from api.errors import exit_code

        print(f"umbra: {visible(str(error))}", file=sys.stderr)
        return exit_code(error)
    except BrokenPipeError:  # `umbra … | head` is no error
        sys.stderr.close()
        return 0
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"umbra: {error.strerror or error}, in {error.filename}", file=sys.stderr)
        return 1
    return code


def _run(arguments: argparse.Namespace) -> int:
    try:
        code: int = arguments.run(arguments)
    except Exception as error:
        interrupt = interrupt_behind(error)
        if interrupt is not None:
            raise interrupt from None
        raise
    return code


if __name__ == "__main__":
    sys.exit(main())

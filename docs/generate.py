"""Writes the generated pages of docs/reference/: commands, errors, REST addresses, settings.

`make docs` writes them; a test compares them with what this would write, so they cannot rot.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import os
from collections.abc import Iterator
from pathlib import Path

from api.cli.main import make_parser
from api.errors import OUTCOMES
from api.settings import Settings
from docs.rest_reference import rest_page
from kg import errors
from kg.errors import EngineError

FOLDER = Path(__file__).parent / "reference"
HEADER = "<!-- Written by `make docs`; change the code, not this page. -->\n\n"


@functools.cache
def pages() -> dict[str, str]:
    """Return the text of every generated page by its file name."""
    os.environ["COLUMNS"] = "96"  # argparse wraps to the terminal's width
    return {
        "commands.md": _commands(),
        "errors.md": _errors(),
        "rest.md": HEADER + rest_page(),
        "settings.md": _settings(),
    }


def _commands() -> str:
    lines = [HEADER + "# Commands\n"]
    for name, parser in commands(make_parser()):
        lines.append(f"## umbra {name}\n\n```text\n{parser.format_help().rstrip()}\n```\n")
    return "\n".join(lines)


def commands(
    parser: argparse.ArgumentParser, prefix: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Iterate the commands of a parser with their sub-commands, by their full names."""
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to list them
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        for name, child in action.choices.items():
            below = list(commands(child, f"{prefix}{name} "))
            yield from below or [(f"{prefix}{name}", child)]


def error_classes() -> list[type[EngineError]]:
    """Return every public error, in the order of their names."""
    return [getattr(errors, name) for name in sorted(errors.__all__)]


def _errors() -> str:
    lines = [
        HEADER + "# Errors\n",
        "The last part of a problem's `type` is the heading here, the exit code is beside it.\n",
    ]
    for kind in error_classes():
        text = inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        outcome = OUTCOMES[kind]
        codes = f"`{kind.__name__}`, HTTP {outcome.status}, exit code {outcome.exit_code}."
        lines.append(f"## {kind.slug}\n\n{text}\n\n{codes}\n")
    return "\n".join(lines)


def _settings() -> str:
    described = _described(inspect.cleandoc(Settings.__doc__ or ""))
    lines = [
        HEADER + "# Settings\n",
        "In `umbra.toml` of the working folder, or as `UMBRA_NAME` in the environment (it wins).\n",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if "password" in name or "key" in name else f" Default: `{field.default}`."
        lines.append(f"## {name}\n\n{described[name]}{default}\n")
    return "\n".join(lines)


def _described(docstring: str) -> dict[str, str]:
    """Return what a docstring says of each attribute; a text may go on over several lines."""
    rows = docstring.split("Attributes:\n")[1].splitlines()
    found: dict[str, str] = {}
    name = ""
    for row in rows:
        if row.startswith("    ") and not row.startswith("     "):
            name, _, said = row.strip().partition(": ")
            found[name] = said
        elif row.strip():
            found[name] += f" {row.strip()}"
        else:
            break
    return found


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

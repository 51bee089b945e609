"""The help of every command says what each option is for, and what it is if left out."""

from __future__ import annotations

import argparse

import pytest

from api.cli.main import make_parser
from docs.generate import commands


def lacking(parser: argparse.ArgumentParser) -> list[str]:
    """Return what the help of a command leaves out."""
    found = []
    for action in parser._actions:
        name, text = "/".join(action.option_strings) or action.dest, action.help or ""
        if not text:
            found.append(f"{name}: no help")
        elif action.default not in (None, False, [], argparse.SUPPRESS) and "default" not in text:
            found.append(f"{name}: does not name its default, {action.default!r}")
    return found


@pytest.mark.parametrize(("name", "parser"), [*commands(make_parser())])
def test_help_says_what_an_option_is_for_and_its_default(
    name: str, parser: argparse.ArgumentParser
) -> None:
    assert lacking(parser) == [], name


def test_what_is_left_out_is_found() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=3, help="of the training")
    assert lacking(parser) == ["file: no help", "--seed: does not name its default, 3"]

"""The command line, run in the test's own process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.cli.main import main

__all__ = ["Shown", "parsed", "refused", "umbra"]

Shown = pytest.CaptureFixture[str]


def umbra(shown: Shown, *arguments: object) -> tuple[int, str, str]:
    """Run a command; return exit code, stdout, stderr."""
    shown.readouterr()
    code = main([str(argument) for argument in arguments])
    printed = shown.readouterr()
    return code, printed.out, printed.err


def refused(shown: Shown, code: int, *arguments: object) -> str:
    """Run a command that must fail in one line and print nothing else; return the line."""
    found, out, line = umbra(shown, *arguments)
    assert found == code, line
    assert out == ""
    assert line.startswith("umbra: ")
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert "Traceback" not in line
    return line


def parsed(shown: Shown, *arguments: object, code: int = 0) -> Any:
    """Run a command with `--json`; return what it found."""
    found, out, line = umbra(shown, *arguments, "--json")
    assert found == code, line
    return json.loads(out)

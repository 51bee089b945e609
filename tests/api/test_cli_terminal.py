"""A terminal is not steered by what a graph holds; files and programs get the very text."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.main import make_parser
from tests.api.command_line import Shown, refused, umbra


@pytest.mark.parametrize("command", ["ask", "search", "context"])
@pytest.mark.parametrize("option", ["-k", "--k"])
def test_how_many_is_one_option_everywhere(command: str, option: str) -> None:
    assert make_parser().parse_args([command, "a text", option, "3"]).k == 3


def in_a_terminal(*arguments: str) -> str:
    """Run a command whose standard output is a terminal; return what the terminal was given."""
    ours, theirs = pty.openpty()
    command = (sys.executable, "-m", "api.cli.main", *arguments)
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        given = b""
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # the other end was closed
                break
            if not part:
                break
            given += part
    os.close(ours)
    assert process.returncode == 0
    return given.decode()


def table(folder: Path) -> str:
    """Return a table whose name and columns try to steer a terminal; a proposal tells both."""
    path = folder / "a\x1b[31mb\x07\x9bc é 寿.csv"
    path.write_text("id,{x\x1b[2J}\n1,2\n")
    return str(path)


def test_a_terminal_gets_signs_for_control_characters(tmp_path: Path) -> None:
    shown = in_a_terminal("build", table(tmp_path), "--propose")
    assert "rows of a\u241b[31mb\u2407\ufffdc é 寿.csv" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b"}
    assert shown.startswith("format = 1\r\n")


def test_a_file_gets_the_text_and_an_error_shows_signs(tmp_path: Path, capsys: Shown) -> None:
    code, out, _ = umbra(capsys, "build", table(tmp_path), "--propose")
    assert code == 0
    assert "rows of a\x1b[31mb\x07\x9bc é 寿.csv" in out
    line = refused(capsys, 2, "build", "no\x1b[2Jfile.csv", "--propose")
    assert "no\u241b[2Jfile.csv" in line

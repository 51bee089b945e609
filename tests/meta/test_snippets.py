"""What the pages show is read as what it is: commands, targets, settings, code, addresses."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import dropwhile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.cli.main import make_parser
from tests.meta.test_docs import PAGES, ROOT

FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SET = re.compile(r"[A-Z_]+=")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
OUTER = re.compile(r"\]\((https?:[^)\s]*)\)|<(https?:[^>\s]*)>")
PLAIN = re.compile(r"https://[a-z0-9.-]+\.[a-z]{2,}(/[\w./~@%+=,:#?&-]*)?")
READERS: dict[str, Callable[[str], object]] = {
    "python": ast.parse,
    "toml": tomllib.loads,
    "json": json.loads,
}


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fenced(page: Path) -> list[tuple[str, str]]:
    return FENCED.findall(page.read_text(encoding="utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """Iterate the words of each command of a page, without the variables that it sets."""
    for kind, text in fenced(page):
        if kind in ("", "sh", "text"):
            for line in text.replace("\\\n", " ").splitlines():
                if re.match(r"(?:[A-Z_]+=\S+ )*(?:umbra|make) (?!:)", line):
                    words = shlex.split(re.sub(r" > \S+$", "", line), comments=True)
                    yield [*dropwhile(SET.match, words)]


def outer_links() -> dict[str, set[str]]:
    """Return the links to other hosts and the pages that have them."""
    found = defaultdict(set)
    for page in (*PAGES, *sorted((ROOT / "examples").rglob("*.md"))):
        for inline, bare in OUTER.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
            found[inline or bare].add(named(page))
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_is_one(page: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for program, *words in commands(page):
        if program == "make":
            assert words[0] in targets, f"make {words[0]}"
        elif words != ["…"]:
            make_parser().parse_args(words)


def test_commands_are_found() -> None:
    found = [words for page in PAGES for words in commands(page)]
    assert len(found) > 120
    assert ["make", "demo"] in found
    assert ["umbra", "serve"] in found  # with and without variables before it


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_is_of_the_language_that_it_names(page: Path) -> None:
    for kind, text in fenced(page):
        if kind in READERS:
            READERS[kind](text)


def test_outer_links_are_whole_addresses_of_one_spelling() -> None:
    """No host is asked: what can be wrong here is the text."""
    links = outer_links()
    assert len(links) >= 20
    spelt = defaultdict(set)
    for link, pages in links.items():
        assert PLAIN.fullmatch(link), f"{link} in {pages}"
        parts = urlsplit(link)
        host = parts.netloc.removeprefix("www.")
        spelt[host, parts.path.rstrip("/").removesuffix(".git"), parts.fragment].add(link)
    assert [ways for ways in spelt.values() if len(ways) > 1] == []

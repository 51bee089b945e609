"""Scenarios of the openCypher compatibility kit, read from Gherkin into the steps that are run."""

from __future__ import annotations

import re
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gherkin import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.token_scanner import TokenScanner

__all__ = ["EFFECTS", "Effects", "Raises", "Run", "Scenario", "Shows", "Step", "folder_of", "read"]

EFFECTS = ("nodes", "relationships", "labels", "properties")
Phase = Literal["compile time", "runtime", "any time"]
Table = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Run:
    """Run a query; what comes of a `setup` is not looked at."""

    text: str
    setup: bool = False


@dataclass(frozen=True)
class Shows:
    """The last query's result: its columns and rows in the kit's notation."""

    columns: tuple[str, ...]
    rows: Table
    in_order: bool = False
    lists_in_order: bool = True


@dataclass(frozen=True)
class Effects:
    """What the last query did to the graph; what is not named must not have changed."""

    counts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Raises:
    """The last query fails."""

    kind: str
    phase: Phase
    detail: str


Step = Run | Shows | Effects | Raises


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One scenario, or one example of an outline.

    Attributes:
        id: Area, feature, name and the number of the example: unique and stable.
        area: Its folder.
        steps: In order.
        parameters: Names and values in the kit's notation.
        graph: The named graph that it starts with, "" for an empty one.
        needs_procedure: It is about a procedure that an implementation has to offer.
    """

    id: str
    area: str
    steps: tuple[Step, ...]
    parameters: Table = ()
    graph: str = ""
    needs_procedure: bool = False


@contextmanager
def folder_of(features: Path) -> Iterator[Path]:
    """Give the folder of feature files; an archive is unpacked for as long as the block lasts."""
    if features.is_dir():
        yield features
        return
    with tempfile.TemporaryDirectory() as name, tarfile.open(features) as archive:
        archive.extractall(name, filter="data")
        root = Path(name)
        yield root / "features" if (root / "features").is_dir() else root


def read(folder: Path) -> Iterator[Scenario]:
    """Read every ``.feature`` file below a folder, in the order of their names.

    Raises:
        ValueError: A step is none of the kit's.
    """
    for path in sorted(folder.rglob("*.feature")):
        document = Parser().parse(TokenScanner(path.read_text(encoding="utf-8")))
        area = path.parent.relative_to(folder).as_posix()
        area = folder.name if area == "." else area
        seen: Counter[str] = Counter()
        for pickle in Compiler().compile({**document, "uri": path.name}):
            name = " ".join(pickle["name"].split())
            seen[name.split("]")[0]] += 1
            example = seen[name.split("]")[0]]
            number = f" #{example}" if example > 1 else ""
            yield _scenario(f"{area}/{path.stem}: {name}{number}", area, pickle["steps"])


def _scenario(name: str, area: str, lines: list[dict[str, Any]]) -> Scenario:
    steps: list[Step] = []
    fields: dict[str, Any] = {}
    for line in lines:
        text = line["text"].strip().rstrip(":")
        argument = line.get("argument", {})
        query = argument.get("docString", {}).get("content", "")
        table: Table = tuple(
            tuple(cell["value"] for cell in row["cells"])
            for row in argument.get("dataTable", {}).get("rows", ())
        )
        if text in ("an empty graph", "any graph"):
            continue
        if found := re.fullmatch(r"the ([\w-]+) graph", text):
            fields["graph"] = found[1]
        elif text == "parameters are":
            fields["parameters"] = table
        elif text.startswith("there exists a procedure"):
            fields["needs_procedure"] = True
        elif text in ("having executed", "executing query", "executing control query"):
            steps.append(Run(query, setup=text == "having executed"))
        else:
            steps.append(_expectation(text, table))
    return Scenario(id=name, area=area, steps=tuple(steps), **fields)


def _expectation(text: str, table: Table) -> Step:
    if text == "no side effects":
        return Effects()
    if text == "the side effects should be":
        return Effects(tuple((name, int(count)) for name, count in table))
    if text == "the result should be empty":
        return Shows((), ())
    if found := re.fullmatch(r"the result should be(, in any order|, in order)?"
                             r"( \(ignoring element order for lists\))?", text):  # fmt: skip
        return Shows(
            table[0], table[1:], in_order=found[1] == ", in order", lists_in_order=found[2] is None
        )
    if found := re.fullmatch(
        r"an? (\w+) should be raised at (compile time|runtime|any time): (.+)", text
    ):
        return Raises(found[1], found[2], found[3])  # type: ignore[arg-type]
    raise ValueError(f"a step that the kit does not have: {text!r}")

"""Rules that hold for every file of the project; each check is itself shown to fail."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from tests.conftest import LONG

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kg", "encoders", "evaluation", "reasoning", "linkers", "scenes", "api", "umbra")
LONGEST = 300
VAGUE = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


def sources() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def modules() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sources()
        if path.name != "__init__.py" and path.name != "__main__.py"
    ]


def too_long(text: str) -> bool:
    return text.count("\n") > LONGEST


def undocumented(tree: ast.Module) -> list[str]:
    """Public classes, functions and methods without a docstring."""
    found = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            found.append(node.name)
        if isinstance(node, ast.ClassDef):
            found += [
                f"{node.name}.{method.name}"
                for method in node.body
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
                and not method.name.startswith("_")
                and ast.get_docstring(method) is None
                and not any(getattr(d, "attr", "") == "setter" for d in method.decorator_list)
            ]
    return found


def declares_all(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
        for node in tree.body
    )


def faults(path: Path, text: str) -> list[str]:
    """What is wrong with a file, and where."""
    tree = ast.parse(text)
    found = []
    if too_long(text):
        found.append(f"{path} has more than {LONGEST} lines: split it by an idea")
    if path.stem in VAGUE:
        found.append(f"{path}: name the idea, not the shelf")
    found += [f"{path}: {name} is not documented" for name in undocumented(tree)]
    if path.name not in {"__init__.py", "__main__.py"}:
        if not ast.get_docstring(tree):
            found.append(f"{path} does not say what it is")
        if not declares_all(tree):
            found.append(f"{path} has no __all__")
    return found


# One test for all files: as many tests as files took longer to begin and end than to run.
def test_files_are_short_documented_and_name_what_is_public() -> None:
    paths = sources()
    assert len(paths) > 500
    found = [fault for path in paths for fault in faults(path, path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.timeout(600)  # alone, it loads the whole project
def test_every_public_name_exists() -> None:
    missing = [
        f"{name}.__all__ names {public}, which is not there"
        for name in modules()
        for public in importlib.import_module(name).__all__
        if not hasattr(importlib.import_module(name), public)
    ]
    assert missing == []


def test_the_checks_can_fail() -> None:
    assert too_long("x = 1\n" * (LONGEST + 1))
    bad = ast.parse("class A:\n    def method(self): ...\ndef open_function(): ...\n")
    assert undocumented(bad) == ["A", "A.method", "open_function"]
    assert not declares_all(bad)
    told = faults(Path("kg/utils.py"), "x = 1\n" * (LONGEST + 1) + "def open_function(): ...\n")
    assert len(told) == 5
    assert all(fault.startswith("kg/utils.py") for fault in told)


def test_files_that_are_said_to_take_long_are_there() -> None:
    named = [name for name in LONG if "/" in name]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []

"""Imports go one way; the contract is shown to fail on a planted import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kg", "encoders", "evaluation", "reasoning", "linkers", "scenes", "api", "umbra")
PLANTED = {
    "linkers/planted.py": "scenes.model",
    "kg/planted_torch.py": "torch",
    "kg/planted_upwards.py": "reasoning.query",
    "encoders/planted.py": "kg.model",
}
"""Files, and what each may not import."""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_planted_imports_break_the_contracts(copy: Path) -> None:
    for path, name in PLANTED.items():
        (copy / path).write_text(f"import {name}\n")
    result = lint_imports(copy)
    assert result.returncode != 0
    for path, name in PLANTED.items():
        importer = path.removesuffix(".py").replace("/", ".")
        assert f"{importer} -> {name} (l.1)" in result.stdout


def test_the_layers_hold(copy: Path) -> None:
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout + result.stderr

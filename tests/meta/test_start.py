"""What starting costs: `umbra --help` loads nothing heavy, a trained model what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "torch", "neo4j", "fastapi", "pydantic", "scipy", "sklearn")


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import umbra",
        "from api.cli.main import make_parser; make_parser().format_help()",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert loaded_by(code).isdisjoint(HEAVY)


def test_a_command_looks_for_garbage_seldom_and_a_caller_keeps_its_habit() -> None:
    for arguments, often in (("", 100), ("['queries', 'list', '--folder', '/nowhere']", 10)):
        code = (
            "import gc, sys; from api.cli.main import main; sys.argv[1:] = ['--version']\n"
            f"try: main({arguments})\n"
            "except SystemExit: pass\n"
            "print(gc.get_threshold()[2], file=sys.stderr)"
        )
        command = [sys.executable, "-c", code]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stderr.split()[-1] == str(often)


LEARN = """
import torch
from encoders.optimisers import AdamW
weight = torch.nn.Parameter(torch.ones(1))
optimiser = AdamW([weight], lr=0.1)
weight.sum().backward()
optimiser.step()
optimiser.zero_grad()
assert weight.item() < 1
"""


def test_models_load_neither_what_trained_them_nor_a_compiler() -> None:
    models = "linkers.facts, linkers.boosted, linkers.visual, linkers.evaluating"
    code = f"import {models}, scenes.pipeline, scenes.tagging, scenes.assessment"
    loaded = loaded_by(code + LEARN)
    assert loaded.isdisjoint({"sklearn", "torch._dynamo", "sympy"})
    assert "torch.optim" in loaded


def test_a_part_is_shown_without_what_finds_parts() -> None:
    part = "ImagePart(parent='a', image='0' * 64, box_xyxy=(0, 0, 2, 2), mask_rle='2 2 0 4')"
    code = (
        "from kg.model import Entity, ImagePart; from api.views import part_out\n"
        f"part = Entity(key='b', label='Part', name='B', part={part})\n"
        "assert part_out(part, None).outline == 'M0 0H2V2H0Z'"
    )
    assert loaded_by(code).isdisjoint({"numba", "scenes.regions"})


def test_the_check_can_fail() -> None:
    assert "numpy" in loaded_by("import numpy")

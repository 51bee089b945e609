"""What starting a review or a job costs: no network is loaded, and public names still are there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import linkers

HEAVY = ("torch", "sklearn", "scipy", "transformers", "onnxruntime")
REVIEW = """
import sys
from pathlib import Path
from api.cli import link_review, review_screen
from api.engine import Engine
from api.review_desk import ReviewDesk
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from linkers.review import Case, Request
from linkers.model import Mention
from linkers.review.model import mention_hash
from linkers.review.label_studio import write_tasks
from linkers.review.sssom import write_sssom
from linkers.review.training_pairs import write_pairs

folder = Path(sys.argv[1])
with Engine(Workspace(folder), store=MemoryStore()) as engine:
    desk = ReviewDesk(engine)
    mention = Mention(id="1", surface="Peru")
    desk.add([Case(id=mention_hash(mention), mention=mention)])
    desk.review.decide(Request(kind="reject", case=mention_hash(mention), who="ada"))
    assert desk.cases().decided == 1
    write_tasks(desk.review, folder / "tasks.json", names=desk.name)
    write_sssom(desk.review, folder / "mappings.tsv", names=desk.name)
    write_pairs(desk.review, folder / "pairs.jsonl", names=desk.name)
print(" ".join(sys.modules))
import linkers.pipeline  # for whoever submits a job of linking
assert "torch" not in sys.modules
"""


def loaded_by(script: str, *arguments: str) -> set[str]:
    command = [sys.executable, "-c", script, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_a_review_and_whoever_submits_a_job_load_no_network(tmp_path: Path) -> None:
    assert loaded_by(REVIEW, str(tmp_path)).isdisjoint(HEAVY)


def test_the_check_can_fail() -> None:
    assert "scipy" in loaded_by("import scipy, sys; print(' '.join(sys.modules))")


def test_public_names_are_loaded_when_they_are_used() -> None:
    assert dir(linkers) == sorted(linkers.__all__)
    for name in linkers.__all__:
        assert getattr(linkers, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Lonker'"):
        _ = linkers.Lonker

"""`umbra link run --engine ray` on this machine: the bytes of a run without it, and its resume."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from api.cli.main import main
from api.ray_pool import RayPool
from kg.errors import MissingPartError
from tests.linkers.boosted.made_world import entities, mentions, write

HERE = Path(__file__).resolve().parents[2]
RAY = pytest.mark.skipif(find_spec("ray") is None, reason="Ray, the extra 'ray', is not installed")


def umbra(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process: Ray leaves threads and warnings of its own behind."""
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    names = {"UMBRA_TEXT_ENCODER": "tiny", "UMBRA_FOLDER": str(folder), "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-m", "api.cli.main", *map(str, arguments)],
        env=os.environ | names,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@RAY
@pytest.mark.timeout(300)
def test_ray_writes_the_bytes_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write(tmp_path / "entities.jsonl", entities())
    known = write(tmp_path / "known.jsonl", mentions(120))
    rows = [json.dumps(row) for row in mentions(60, seed=3)]
    table = tmp_path / "new.jsonl"
    table.write_text("\n".join([*rows, "not json"]) + "\n")
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")
    monkeypatch.setenv("UMBRA_FOLDER", str(tmp_path / "a"))
    chosen = ("--entities", base, "--linker", tmp_path / "linker", "--shard-rows", 9)
    trained = ("--entities", base, "--save", tmp_path / "linker", "--trees", 10)
    assert main([str(word) for word in ("link", "train", known, *trained)]) == 0
    alone = ("link", "run", table, *chosen, "--out", tmp_path / "alone.jsonl")
    assert main([str(word) for word in alone]) == 0
    by_ray = ("link", "run", table, *chosen, "--engine", "ray", "--workers", 2)
    found = umbra(tmp_path / "b", *by_ray, "--out", tmp_path / "ray.jsonl", "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["state"], told["rejects"], told["pending"]) == ("done", 1, 0)
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "alone.jsonl").read_bytes()
    # too many rejects end it as they end any run
    strict = ("--out", tmp_path / "strict.jsonl", "--max-rejects", 0, "--key", "strict")
    ended = umbra(tmp_path / "b", *by_ray, *strict)
    assert ended.returncode == 3
    assert "could not be read" in ended.stderr


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_extra_is_named() -> None:
    with pytest.raises(MissingPartError, match=r"umbra-kg\[ray\]"):
        RayPool(None, workers=1)  # type: ignore[arg-type]

"""`--engine ray` of linking and of scenes on this machine: the bytes of a run without it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.cli.main import main
from api.engine import Engine
from api.ray_pool import RayPool
from api.steps.scenes import SceneJob
from api.workspace import Workspace
from kg.errors import MissingPartError, SettingError
from kg.ledger import Ledger
from kg.model import Entity, EntityKey
from tests.linkers.boosted.made_world import entities, mentions, write
from tests.scenes.tiny_detector import save_tiny_detector

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


def add_pictures(engine: Engine, count: int) -> None:
    """Put pictures of random pixels into a graph."""
    entities = []
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (24, 40, 3)).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        image = engine.images.add(file.getvalue(), source=f"{number}.png")
        key = EntityKey(f"image:{number}")
        entities.append(Entity(key=key, label="Image", name=str(number), images=(image,)))
    with engine.store.transaction() as writer:
        writer.upsert_entities(entities)


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


@RAY
@pytest.mark.timeout(300)
def test_ray_takes_pictures_apart_as_one_process_does(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "yolos").mkdir()
    detector = save_tiny_detector(tmp_path / "yolos", {0: "person", 1: "horse", 2: "dog"})
    told, held = {}, {}
    for name, chosen in {"local": (), "ray": ("--engine", "ray", "--workers", 2)}.items():
        folder = tmp_path / name
        with Engine.open(folder) as engine:
            add_pictures(engine, 40)
        run = ("scenes", "run", "--label", "Image", "--detector", detector, "--json")
        found = umbra(folder, *run, *chosen)
        assert found.returncode == 0, found.stderr
        told[name] = json.loads(found.stdout) | {"seconds": None}
        with Ledger(Workspace(folder).ledger) as ledger:
            (job,) = ledger.jobs()
            shards = list(ledger.shards(job.id))
            assert len(shards) == 2
            held[name] = [ledger.output(shard) for shard in shards]
    assert told["ray"] == told["local"]
    assert held["ray"] == held["local"]


def test_workers_without_ray_are_refused() -> None:
    with pytest.raises(SettingError, match="--engine ray"):
        SceneJob(workers=2)
    with pytest.raises(SettingError, match="1-64"):
        SceneJob(engine="ray", workers=65)


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_extra_is_named() -> None:
    with pytest.raises(MissingPartError, match=r"umbra-kg\[ray\]"):
        RayPool(None, workers=1)  # type: ignore[arg-type]

"""A demo of a handful of countries, for tests that run whole commands as processes many times."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import Any

from api.workspace import Workspace
from kg.launcher import LauncherConfig
from tests.api import small_world

__all__ = ["HEAP", "SETTINGS", "environment", "make_data", "make_workspace", "started"]

REPOSITORY = Path(__file__).parents[2]
QUICK = Path(__file__).with_name("quick_umbra.py")
TRAINING = ("demo", "train")
SUBREGIONS = {"Central Asia", "Northern Africa"}
PER_KIND = 4
"""Mentions kept of each group, split and kind of gold."""
NUM_LIST_MENTIONS = 60
SETTINGS = 'text_encoder = "tiny"\nimage_encoder = "tiny"\nidle_timeout_s = 20\n'
HEAP = LauncherConfig(idle_timeout_s=20, heap="256m")
QUESTION = """
[[questions]]
title = "Who borders Kazakhstan?"
query = "MATCH (c:Country)-[:borders]->(:Country {name: 'Kazakhstan'}) RETURN c"
"""


def make_data(folder: Path, also: Container[str] = ()) -> Path:
    """Write the files of the demo, further countries too, and return their folder."""
    small_world.make(folder, also)
    countries = _read(folder / "countries.jsonl.gz")
    countries = [r for r in countries if r["subregion"] in SUBREGIONS or r["cca2"] in also]
    ids = {row["cca2"] for row in countries}
    for row in countries:
        row["borders"] = [code for code in row["borders"] if code in ids]
    small_world.write(folder / "countries.jsonl.gz", countries)
    flags = [r for r in _read(folder / "flag_descriptions.jsonl.gz") if r["entity_id"] in ids]
    small_world.write(folder / "flag_descriptions.jsonl.gz", flags)
    lists = [r for r in _read(folder / "list_mentions.jsonl.gz") if r["source_entity"] in ids]
    small_world.write(folder / "list_mentions.jsonl.gz", lists[:NUM_LIST_MENTIONS])
    small_world.write(folder / "mentions.jsonl.gz", _few(_read(folder / "mentions.jsonl.gz"), ids))
    recipe = (folder / "demo.toml").read_text(encoding="utf-8").split("[[questions]]")[0]
    recipe = recipe.replace('full = ["symbolic"]', "full = []")
    (folder / "demo.toml").write_text(recipe + QUESTION, encoding="utf-8")
    return folder


def make_workspace(folder: Path) -> Workspace:
    """Make an empty working folder whose settings ask for tiny encoders."""
    folder.mkdir(parents=True)
    workspace = Workspace(folder)
    workspace.settings.write_text(SETTINGS, encoding="utf-8")
    return workspace


def started(*arguments: str, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start the command line as a process of its own group; what trains there trains shortly."""
    quick = ["-m", "api.cli.main"] if arguments[0] not in TRAINING else [str(QUICK)]
    return subprocess.Popen(
        [sys.executable, *quick, *arguments],
        cwd=cwd,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def environment() -> dict[str, str]:
    """Return this process's environment without settings of Umbra, one thread a process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UMBRA_")}
    return kept | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def _few(rows: list[dict[str, Any]], ids: set[str]) -> list[dict[str, Any]]:
    kept, seen = [], Counter[tuple[str, str, bool]]()
    for row in rows:
        if row["entity_id"] in ids or row["entity_id"] is None:
            kind = (row["group"], row["split"], row["entity_id"] is None)
            seen[kind] += 1
            if seen[kind] <= PER_KIND:
                kept.append(row)
    return kept


def _read(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]

"""`umbra train FOLDER --settings FILE`, killed at its work, goes on to the same model."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from api.steps.train_folder import train_folder
from kg.progress import Progress
from reasoning.folder_model import train_folder_model
from reasoning.folder_model_config import FolderModelConfig
from tests.api.tiny_world import environment
from tests.reasoning.folder_world import SETTINGS, write_folder

LONGER = SETTINGS | {"embedding": SETTINGS["embedding"] | {"epochs": 24}}  # type: ignore[operator]


def test_a_killed_training_goes_on_to_the_same_model(tmp_path: Path) -> None:
    graph, settings = tmp_path / "graph", tmp_path / "settings.json"
    write_folder(graph)
    settings.write_text(json.dumps(LONGER))
    whole = train_folder(graph, tmp_path / "whole", settings=settings)

    out = tmp_path / "killed"
    arguments = ["train", str(graph), "--out", str(out), "--settings", str(settings)]
    with subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", *arguments],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not (out / "unfinished" / "embedding" / "checkpoint.json").exists():
            assert process.poll() is None, "it ended before it kept anything"
            time.sleep(0.002)
        process.kill()
    assert not (out / "model.json").exists()

    seen: dict[str, list[int]] = {}

    def bars(title: str, _unit: str) -> Progress:
        told = seen.setdefault(title, [])
        return lambda done, _total: told.append(done)

    found = train_folder(graph, out, settings=settings, bars=bars)
    assert found["fingerprint"] == whole["fingerprint"]
    epochs = seen.get("training the embedding", [])
    assert epochs[:1] != [1], "it began anew"
    assert not (out / "unfinished").exists()
    for place in ("embedding", "rules", "ensemble"):
        first, second = (
            json.loads((folder / place / "checkpoint.json").read_text())["sha256"]
            for folder in (tmp_path / "whole", out)
        )
        assert first == second, place
    answers = [
        json.loads((folder / "answers.json").read_text()) for folder in (tmp_path / "whole", out)
    ]
    assert answers[0] == answers[1]


def test_members_trained_side_by_side_are_those_trained_one_after_the_other(
    tmp_path: Path,
) -> None:
    graph, settings = tmp_path / "graph", tmp_path / "settings.json"
    loaded = write_folder(graph)
    changes = SETTINGS | {"embedding": SETTINGS["embedding"] | {"members": 2}}  # type: ignore[operator]
    settings.write_text(json.dumps(changes))
    seen: dict[str, list[int]] = {}

    def bars(title: str, _unit: str) -> Progress:
        told = seen.setdefault(title, [])
        return lambda done, _total: told.append(done)

    train_folder(graph, tmp_path / "side", settings=settings, bars=bars)
    titles = [f"training member {number} of 2" for number in (1, 2)]
    assert [seen[title][-1] for title in titles] == [6, 6]
    assert seen["training the embedding"] == [], "it was trained again"

    size = (loaded.full.num_entities, loaded.train.num_edges)
    config = FolderModelConfig.for_graph(*size).changed(changes)
    train_folder_model(loaded, tmp_path / "one", config=config)
    first, second = (
        json.loads((tmp_path / name / "embedding" / "checkpoint.json").read_text())["sha256"]
        for name in ("side", "one")
    )
    assert first == second

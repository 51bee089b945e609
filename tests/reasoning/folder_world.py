"""A small graph folder with splits, and settings under which its model trains in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kg.graph_folder import GraphFolder, load_graph_folder
from tests.reasoning.predictor_world import WORLD

__all__ = ["SETTINGS", "write_folder"]

SETTINGS = {
    "embedding": {"rank": 6, "epochs": 6, "keep_every": 1, "batch": 64, "precision": "float32"},
    "rules": {"longest_body": 2, "sampled_edges": 20, "walks": 8, "tried_bodies": 20},
    "ensemble": {"rows": 60, "candidates": 16, "sampled": 8},
    "answer_queries": 20,
}


def write_folder(folder: Path, seed: int = 0) -> GraphFolder:
    """Write the world of the predictors' tests as train, valid and test."""
    folder.mkdir(parents=True, exist_ok=True)
    split = np.random.default_rng(seed).choice(3, WORLD.num_edges, p=[0.7, 0.15, 0.15])
    for number, name in enumerate(("train", "valid", "test")):
        keep = split == number
        rows = zip(WORLD.heads[keep], WORLD.relations[keep], WORLD.tails[keep], strict=True)
        text = "".join(
            f"{WORLD.entities.name(h)}\t{WORLD.relation_names.name(r)}\t{WORLD.entities.name(t)}\n"
            for h, r, t in rows
        )
        (folder / f"{name}.tsv").write_text(text)
    return load_graph_folder(folder)

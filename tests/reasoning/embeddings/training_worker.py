"""A process that trains on the small world: one of several, or one that is killed."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from reasoning.predictors.embeddings import ComplexConfig, EmbeddingModel, train_embedding
from reasoning.predictors.embeddings.processes import process_group
from tests.reasoning.predictor_world import WORLD

CONFIG = ComplexConfig(rank=4, epochs=20, keep_every=2, candidates=20, batch=64)


def trained(folder: Path | None, epochs: int) -> EmbeddingModel:
    """Train, telling each epoch on standard output."""
    from dataclasses import replace

    def tell(done: int, _total: int) -> None:
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()

    config = replace(CONFIG, epochs=epochs)
    return train_embedding(WORLD, config, seed=1, progress=tell, resume_folder=folder)


def main(folder: Path, role: str) -> None:
    torch.set_num_threads(1)
    if role == "killed":
        trained(folder, CONFIG.epochs)
        return
    with process_group() as processes:
        trained(None, 5).save(folder / str(processes.rank), WORLD)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""Answers among the parts of an image that came after training: nothing is trained again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from reasoning.cones.answerer import ConeAnswerer
from reasoning.cones.parts import PartTable
from reasoning.query import Query

__all__ = ["new_part_scores"]


def new_part_scores(
    answerer: ConeAnswerer, trees: Sequence[Query], parts: PartTable
) -> NDArray[np.float32]:
    """Score parts that are in no snapshot as answers.

    Scores stand beside those of `ConeAnswerer.scores` without the owner's share: the higher the
    likelier, and a union counts its best branch.

    Args:
        answerer: Over the snapshot that its model was trained on, with part features.
        trees: Queries over that snapshot.
        parts: Of a new image, see `reasoning.cones.parts.scene_table`.

    Returns:
        ``(len(trees), len(parts))``.

    Raises:
        UnsupportedQueryError: The model has no encoder, or cones cannot answer a query.
        UnsafeQueryError: A query's answers would be "everything but …".
    """
    model = answerer.model
    scores = np.full((len(trees), len(parts)), -np.inf, dtype=np.float32)
    with torch.no_grad():
        axes = model.encode(parts, np.arange(len(parts))).axes
        for row, tree in enumerate(trees):
            for cone in answerer.cones(tree):
                found = model.scores(cone, axes, None)[0].numpy()
                np.maximum(scores[row], found, out=scores[row])
    return scores

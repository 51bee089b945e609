"""Several ComplEx models as one: the mean of their scores is the score of a wider ComplEx model.

Models that differ in their seed or in their width make different mistakes, and their mean makes
fewer. Since Re⟨h, r, conj(t)⟩ is a sum over dimensions, it is enough to put the vectors side by
side and to multiply those of relations by each model's share.

Members are trained apart from one another, so that they can be trained side by side: whoever wants
that trains each of `members_of` with a folder for its state first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reasoning.predictors.embeddings.config import ComplexConfig
from reasoning.predictors.embeddings.model import EmbeddingModel

__all__ = ["Member", "mean_of_members", "members_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The training of one member.

    Attributes:
        config: Its hyper-parameters.
        seed: Its own.
        share: What its scores count; the shares of all members add up to 1.
        state: Where its state is kept, if anywhere.
    """

    config: ComplexConfig
    seed: int
    share: float
    state: Path | None


def members_of(config: ComplexConfig, *, seed: int, state: Path | None) -> Iterator[Member]:
    """Yield the trainings that a training of several members consists of.

    Args:
        config: Of the whole.
        seed: Of the whole; no two of these share a member.
        state: Folder of the whole's state.

    Example:
        >>> whole = ComplexConfig(members=2)
        >>> [member.seed for member in members_of(whole, seed=3, state=None)]
        [6, 7]
    """
    kinds = [("member", config)]
    if config.beside is not None:
        kinds.append(("beside", config.beside))
    for name, kind in kinds:
        for number in range(kind.members):
            yield Member(
                config=replace(kind, members=1, beside=None),
                seed=seed * kind.members + number,
                share=1.0 / (len(kinds) * kind.members),
                state=state and state / f"{name}-{number}",
            )


def mean_of_members(config: ComplexConfig, members: Sequence[EmbeddingModel]) -> EmbeddingModel:
    """Return the model whose scores are the mean of those of its members.

    Args:
        config: Of the whole; it says which members there are.
        members: ComplEx models over the same graph, in the order of `members_of`.

    Raises:
        ValueError: There are more or fewer of them, or of other ranks.

    Example:
        >>> ones = np.ones((3, 2), dtype=np.float32)
        >>> parts = [
        ...     EmbeddingModel(
        ...         config=ComplexConfig(rank=1), entity=ones, parameters={"relation": c * ones[:2]}
        ...     )
        ...     for c in (1, 3)
        ... ]
        >>> whole = mean_of_members(ComplexConfig(rank=1, members=2), parts)
        >>> heads = np.array([0], dtype=np.int32)
        >>> [model.scores(heads, 0).tolist()[0] for model in (*parts, whole)]
        [[2.0, 2.0, 2.0], [6.0, 6.0, 6.0], [4.0, 4.0, 4.0]]
    """
    shares = [np.float32(one.share) for one in members_of(config, seed=0, state=None)]
    relations = [
        share * member.parameters["relation"] for share, member in zip(shares, members, strict=True)
    ]
    return EmbeddingModel(
        config=config,
        entity=_side_by_side([member.entity for member in members]),
        parameters={"relation": _side_by_side(relations)},
    )


def _side_by_side(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Join vectors, real parts first."""
    halves = [np.split(part, 2, axis=1) for part in parts]
    return np.concatenate([half[i] for i in (0, 1) for half in halves], axis=1)

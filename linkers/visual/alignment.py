"""Two styles of one thing brought together: a discriminant map learnt from pairs, in closed form.

The mention's and the entity's vector of a pair are two looks at one thing, so what differs between
them is style and what they share is meaning: with W the (shrunk) covariance within pairs and B that
of the means of pairs, the map has the directions u of the largest B u = λ W u, each weighted by
λ / (1 + λ), the share of its variance that is meaning (Fisher's discriminant with two looks a
thing). A thousand pairs are enough for it, it has no seed, and it takes a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from encoders.padding import unit
from kg.errors import InputError, SettingError

__all__ = ["Alignment", "AlignmentConfig", "components"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentConfig:
    """How a map is learnt.

    Attributes:
        shrinkage: Share of W that is made round, in (0, 1]; the rest stays as measured.
        directions: Most directions kept.
        components: Longer vectors are first brought to so many principal components of the base.
    """

    shrinkage: float = 0.3
    directions: int = 200
    components: int = 400

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 0 < self.shrinkage <= 1:
            raise SettingError(f"shrinkage must lie in (0, 1], got {self.shrinkage}")
        if self.directions < 1 or self.components < 1:
            raise SettingError("directions and components must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alignment:
    """A learnt map.

    Attributes:
        mention_mean: ``(size,)`` of the training mentions.
        entity_mean: ``(size,)`` of the base.
        directions: ``(size, k)``.
    """

    mention_mean: Floats
    entity_mean: Floats
    directions: Floats

    @classmethod
    def fit(
        cls,
        mentions: Floats,
        entities: Floats,
        base: Floats,
        config: AlignmentConfig,
        *,
        basis: Floats | None = None,
    ) -> Alignment:
        """Learn the map.

        Args:
            mentions: ``(n, size)`` of the training mentions.
            entities: ``(n, size)`` of their entities.
            base: ``(N, size)`` of all entities with pictures.
            config: How.
            basis: `components` of the base, where they are known already.

        Raises:
            InputError: There are fewer than two pairs, or shapes differ.

        Example:
            >>> generator = np.random.default_rng(0)
            >>> things = generator.normal(size=(50, 4)).astype(np.float32)
            >>> style = np.array([3.0, 0.0, 0.0, 0.0]) * generator.normal(size=(50, 1))
            >>> drawn = (things + style).astype(np.float32)
            >>> learnt = Alignment.fit(drawn[:30], things[:30], things, AlignmentConfig())
            >>> scores = learnt.mentions(drawn[30:]) @ learnt.entities(things).T
            >>> bool((scores.argmax(axis=1) == np.arange(30, 50)).mean() > 0.6)
            True
        """
        if len(mentions) < 2 or mentions.shape != entities.shape:
            raise InputError(
                f"pairs of shapes {mentions.shape} and {entities.shape}",
                hint="at least two pairs of pictures are needed",
            )
        mention_mean, entity_mean = mentions.mean(axis=0), base.mean(axis=0)
        if basis is None:
            basis = components(base, config.components)
        left = ((mentions - mention_mean) @ basis).astype(np.float64)
        right = ((entities - entity_mean) @ basis).astype(np.float64)
        within = (left - right).T @ (left - right) / (2 * len(left))
        between = (left + right).T @ (left + right) / (4 * len(left))
        size = len(within)
        scale = max(float(np.trace(within)) / size, 1e-12)
        within = (1 - config.shrinkage) * within + config.shrinkage * scale * np.eye(size)
        kept = min(config.directions, size)
        values, vectors = linalg.eigh(between, within, subset_by_index=[size - kept, size - 1])
        shares = np.maximum(values, 0) / (1 + np.maximum(values, 0))
        return cls(
            mention_mean=mention_mean.astype(np.float32),
            entity_mean=entity_mean.astype(np.float32),
            directions=np.ascontiguousarray(basis @ (vectors * shares)[:, ::-1], dtype=np.float32),
        )

    @classmethod
    def unlearnt(cls, base: Floats, basis: Floats) -> Alignment:
        """Return a map that only centres: the cosine of what the encoder says, without pairs.

        Args:
            base: ``(N, size)`` of all entities with pictures.
            basis: `components` of the base.
        """
        mean = base.mean(axis=0) if len(base) else np.zeros(base.shape[1])
        centre: Floats = mean.astype(np.float32)
        return cls(mention_mean=centre, entity_mean=centre, directions=basis)

    def mentions(self, vectors: Floats) -> Floats:
        """Return mapped vectors of mentions, ``(n, k)`` at unit length."""
        return unit(((vectors - self.mention_mean) @ self.directions).astype(np.float32))

    def entities(self, vectors: Floats) -> Floats:
        """Return mapped vectors of entities, ``(n, k)`` at unit length."""
        return unit(((vectors - self.entity_mean) @ self.directions).astype(np.float32))


def components(base: Floats, most: int) -> Floats:
    """Return the ``(size, k)`` principal components of rows; all of the space if it is small."""
    size = base.shape[1]
    if size <= most:
        return np.eye(size, dtype=np.float32)
    centred = (base - base.mean(axis=0)).astype(np.float64)
    if len(base) < size:  # the smaller of two products with the same eigenvalues
        count = min(most, len(base))
        gram = centred @ centred.T
        values, vectors = linalg.eigh(gram, subset_by_index=[len(gram) - count, len(gram) - 1])
        real = values > values[-1] * 1e-9
        basis: Floats = (centred.T @ (vectors[:, real] / np.sqrt(values[real]))).astype(np.float32)
        return basis
    _, directions = linalg.eigh(centred.T @ centred, subset_by_index=[size - most, size - 1])
    return np.asarray(directions, dtype=np.float32)

"""Does a mention look like anything in the base, or rather like words that are foreign to it?

Source: NegLabel (Jiang et al., "Negative Label Guided OOD Detection with Pretrained Vision-Language
Models", ICLR 2024). With similarities s, temperature τ, K candidates and M foreign words

    score = Σ_K exp(s / τ) / (Σ_K exp(s / τ) + Σ_M exp(s / τ)),   high: known

the mean over groups of the foreign words. Those are mined from a long list: of each word the 95th
percentile of its similarities to the entities; the words with the lowest are kept. Where we differ:
the known side is a mention's candidates, not all entities, and τ is chosen by mentions whose
answers are known, where the public code reads its test set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluation import auroc
from kg.errors import InputError

__all__ = ["ForeignWords"]

_TEMPERATURES = (0.01, 0.02, 0.05, 0.1, 0.2)
_GROUP = 100  # words
_BLOCK = 1024  # words whose similarities to all entities are held

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForeignWords:
    """Words that are like nothing in the base.

    Attributes:
        vectors: ``(M, d)`` of unit length, in the order of their groups.
        temperature: τ, above 0.
    """

    vectors: Floats
    temperature: float = 0.01

    @classmethod
    def fit(
        cls,
        entities: Floats,
        words: Floats,
        *,
        keep: int = 2_000,
        percentile: float = 0.95,
        seed: int = 0,
    ) -> Self:
        """Keep the words that are least like the entities.

        Args:
            entities: ``(N, d)`` vectors of unit length.
            words: ``(W, d)`` of unit length.
            keep: How many words are kept.
            percentile: Which of a word's similarities counts, in [0, 1].
            seed: Of the groups.

        Raises:
            InputError: There is no entity or no word.

        Example:
            >>> cat, car = np.eye(2, dtype=np.float32)
            >>> found = ForeignWords.fit(cat[None], np.stack([cat, car]), keep=1)
            >>> found.vectors.tolist()
            [[0.0, 1.0]]
        """
        if not len(entities) or not len(words):
            raise InputError("foreign words need entities to be foreign to, and words")
        likeness = np.concatenate(
            [
                np.quantile(words[start : start + _BLOCK] @ entities.T, percentile, axis=1)
                for start in range(0, len(words), _BLOCK)
            ]
        )
        kept = np.argsort(likeness, kind="stable")[:keep]
        return cls(vectors=words[np.random.default_rng(seed).permutation(kept)])

    def scores(
        self, mentions: Floats, candidates: Floats, there: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return ``(B,)`` in [0, 1]: how much rather a mention is like its candidates.

        Args:
            mentions: ``(B, d)`` of unit length.
            candidates: ``(B, K, d)`` of unit length.
            there: ``(B, K)`` which of them are candidates; without any the score is 0.
        """
        known = np.einsum("bd,bkd->bk", mentions, candidates).astype(np.float64)
        known = np.where(there, known / self.temperature, -np.inf)
        foreign = (mentions @ self.vectors.T).astype(np.float64) / self.temperature
        starts = np.arange(0, foreign.shape[1], _GROUP)
        groups = np.logaddexp.reduceat(foreign, starts, axis=1)
        inside = np.logaddexp.reduce(known, axis=1)
        shares = 1.0 / (1.0 + np.exp(np.clip(groups - inside[:, None], -700.0, 700.0)))
        result: NDArray[np.float64] = np.where(there.any(axis=1), shares.mean(axis=1), 0.0)
        return result

    def arrays(self) -> dict[str, Floats]:
        """Return what `read` needs."""
        return {"vectors": self.vectors, "temperature": np.array([self.temperature], np.float32)}

    @classmethod
    def read(cls, arrays: Mapping[str, Floats], *, dimension: int) -> Self:
        """Return what `arrays` gave.

        Args:
            arrays: By name.
            dimension: Of the encoder's vectors.

        Raises:
            KeyError: An array is missing.
            InputError: They are vectors of another encoder.
        """
        vectors = arrays["vectors"]
        if vectors.ndim != 2 or not len(vectors) or vectors.shape[1] != dimension:
            raise InputError(f"foreign words must be of {dimension} numbers, got {vectors.shape}")
        return cls(vectors=vectors, temperature=float(arrays["temperature"][0]))

    def tuned(
        self,
        mentions: Floats,
        candidates: Floats,
        there: NDArray[np.bool_],
        absent: NDArray[np.bool_],
    ) -> Self:
        """Return the same words at the temperature that best tells what is absent.

        Args:
            mentions: As in `scores`.
            candidates: The same.
            there: The same.
            absent: ``(B,)`` whether a mention's entity is not in the base.
        """
        variants = [replace(self, temperature=value) for value in _TEMPERATURES]
        return max(
            variants, key=lambda one: auroc(-one.scores(mentions, candidates, there), absent)
        )

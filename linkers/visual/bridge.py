"""From pictures to words: a ridge regression between encoders that share no space.

Every entity that has a picture and a name is a pair, so the bridge learns from the whole base, not
from linked mentions alone. By it a picture is compared with what entities are called, and pictures
are found by words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.padding import unit
from kg.errors import InputError, SettingError

__all__ = ["Bridge"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bridge:
    """A learnt map from vectors of pictures to vectors of texts.

    Attributes:
        weights: ``(picture size, text size)``.
        picture_mean: ``(picture size,)``.
        text_mean: ``(text size,)``; what all texts have in common says nothing.
    """

    weights: Floats
    picture_mean: Floats
    text_mean: Floats

    @classmethod
    def fit(cls, pictures: Floats, texts: Floats, *, penalty: float = 1.0) -> Bridge:
        """Learn the map.

        Args:
            pictures: ``(n, picture size)``.
            texts: ``(n, text size)``, row by row what the pictures show.
            penalty: Of the ridge, as a share of the mean variance of a picture's numbers.

        Raises:
            InputError: Rows differ, or there are none.
            SettingError: The penalty is not positive.

        Example:
            >>> pictures = np.eye(3, dtype=np.float32)
            >>> texts = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32)
            >>> bridge = Bridge.fit(pictures, texts, penalty=0.01)
            >>> (bridge.read(pictures) @ bridge.texts(texts).T).argmax(axis=1).tolist()
            [0, 1, 2]
        """
        if not len(pictures) or len(pictures) != len(texts):
            raise InputError(f"{len(pictures)} pictures and {len(texts)} texts")
        if not penalty > 0:
            raise SettingError(f"the penalty must be above 0, got {penalty}")
        picture_mean, text_mean = pictures.mean(axis=0), texts.mean(axis=0)
        centred = (pictures - picture_mean).astype(np.float64)
        gram = centred.T @ centred
        ridge = penalty * max(float(np.trace(gram)) / len(gram), 1e-12)
        weights = np.linalg.solve(
            gram + ridge * np.eye(len(gram)), centred.T @ (texts - text_mean).astype(np.float64)
        )
        return cls(
            weights=weights.astype(np.float32),
            picture_mean=picture_mean.astype(np.float32),
            text_mean=text_mean.astype(np.float32),
        )

    def read(self, pictures: Floats) -> Floats:
        """Return where pictures lie among texts, ``(n, text size)`` at unit length."""
        return unit(((pictures - self.picture_mean) @ self.weights).astype(np.float32))

    def texts(self, vectors: Floats) -> Floats:
        """Return texts to compare with, ``(n, text size)`` at unit length."""
        return unit(vectors - self.text_mean)

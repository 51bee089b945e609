"""A small classifier kept as plain arrays: standardised inputs, one hidden layer, few members.

Trained by scikit-learn, read by numpy: a model file holds numbers only and loads without it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from kg.errors import InputError
from kg.interrupts import interrupt_behind

if TYPE_CHECKING:
    from sklearn.neural_network import MLPClassifier

__all__ = ["Network", "NetworkConfig", "train_network"]

Floats = NDArray[np.float64]
_CLIP = 6.0  # standard deviations beyond which an input says nothing more


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """How a network is trained.

    Attributes:
        hidden: Width of the hidden layer.
        penalty: L2 penalty on the weights.
        epochs: Passes over the examples.
        members: Networks of different first weights, whose probabilities are averaged.
        batch: Examples a step.
        rate: Step size of Adam.
    """

    hidden: int = 48
    penalty: float = 0.03
    epochs: int = 30
    members: int = 5
    batch: int = 128
    rate: float = 4e-3


@dataclass(frozen=True, slots=True)
class Network:
    """Members and the scale of their inputs.

    Attributes:
        mean: ``(inputs,)``.
        scale: ``(inputs,)``.
        weights: Of each member: ``(inputs, hidden)``, ``(hidden,)``, ``(hidden, classes)``,
            ``(classes,)``.
    """

    mean: Floats
    scale: Floats
    weights: tuple[tuple[Floats, Floats, Floats, Floats], ...]

    def probabilities(self, inputs: Floats) -> Floats:
        """Return ``(rows, classes)``, the mean over members; rows sum to 1.

        Args:
            inputs: ``(rows, inputs)``.

        Raises:
            InputError: Another number of inputs than the network was trained on.
        """
        if inputs.ndim != 2 or inputs.shape[1] != len(self.mean):
            raise InputError(f"expected {len(self.mean)} numbers a row, got {inputs.shape}")
        scaled = np.clip((inputs - self.mean) / self.scale, -_CLIP, _CLIP)
        total = np.zeros((len(inputs), self.weights[0][3].size))
        for first, first_bias, second, second_bias in self.weights:
            hidden = np.maximum(scaled @ first + first_bias, 0.0)
            total += softmax(hidden @ second + second_bias, axis=1)
        result: Floats = total / len(self.weights)
        return result

    def arrays(self, prefix: str) -> dict[str, Floats]:
        """Return all arrays by name, for a file."""
        found = {f"{prefix}mean": self.mean, f"{prefix}scale": self.scale}
        for number, member in enumerate(self.weights):
            for part, array in enumerate(member):
                found[f"{prefix}member{number}.{part}"] = array
        return found

    @classmethod
    def from_arrays(cls, prefix: str, arrays: Mapping[str, Floats]) -> Network:
        """Read what `arrays` gave.

        Raises:
            InputError: Arrays are missing or do not fit together.
        """
        try:
            mean, scale = arrays[f"{prefix}mean"], arrays[f"{prefix}scale"]
            members: list[tuple[Floats, Floats, Floats, Floats]] = []
            while f"{prefix}member{len(members)}.0" in arrays:
                a, b, c, d = (arrays[f"{prefix}member{len(members)}.{part}"] for part in range(4))
                members.append((a, b, c, d))
        except KeyError as error:
            raise InputError(f"the model lacks the array {error.args[0]!r}") from error
        fits = members and all(
            a.shape == (mean.size, b.size) and c.shape == (b.size, d.size) for a, b, c, d in members
        )
        if not fits or mean.shape != scale.shape:
            raise InputError(f"the arrays {prefix}* of the model do not fit together")
        return cls(mean, scale, tuple(members))


def train_network(
    inputs: Floats,
    classes: NDArray[np.int64],
    weights: Floats,
    *,
    count: int,
    config: NetworkConfig,
    seed: int,
) -> Network:
    """Train a network.

    Args:
        inputs: ``(rows, inputs)``.
        classes: ``(rows,)``, each below `count`.
        weights: ``(rows,)`` of the rows, above 0.
        count: Number of classes; one without a row gets no probability.
        config: How.
        seed: Of the first weights and of the order of rows.

    Raises:
        KeyboardInterrupt: It was interrupted; nothing half trained is returned.
    """
    from sklearn.neural_network import MLPClassifier  # only training waits for it

    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    scaled = np.clip((inputs - mean) / scale, -_CLIP, _CLIP)
    members = []
    for member in range(config.members):
        model = MLPClassifier(
            (config.hidden,),
            alpha=config.penalty,
            learning_rate_init=config.rate,
            max_iter=config.epochs,
            batch_size=min(config.batch, len(scaled)),
            random_state=seed * 1009 + member,
        )
        _fit(model, scaled, classes, weights)
        members.append(_all_classes(model, count))
    return Network(mean, scale, tuple(members))


def _fit(model: MLPClassifier, inputs: Floats, classes: NDArray[np.int64], weights: Floats) -> None:
    """Fit to the last epoch, or raise the interrupt.

    scikit-learn takes an interrupt for the wish to stop early: it warns and leaves a network that
    is half trained, which would be kept as if it were whole.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is meant
        warnings.filterwarnings("error", message="Training interrupted", category=UserWarning)
        try:
            model.fit(inputs, classes, sample_weight=weights)
        except UserWarning as swallowed:
            interrupt = interrupt_behind(swallowed)
            raise (swallowed if interrupt is None else interrupt) from None


def _all_classes(model: MLPClassifier, count: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Widen the last layer to all classes; scikit-learn knows only those that it saw."""
    (first, last), (first_bias, last_bias) = model.coefs_, model.intercepts_
    seen = model.classes_
    if len(seen) == 2:  # one logistic output for two classes
        last = np.concatenate([np.zeros_like(last), last], axis=1)
        last_bias = np.concatenate([np.zeros(1), last_bias])
    elif len(seen) == 1:
        last, last_bias = last[:, :1], last_bias[:1]
    wide = np.zeros((last.shape[0], count))
    bias = np.full(count, -30.0)
    wide[:, seen] = last
    bias[seen] = last_bias
    return first, first_bias, wide, bias

"""The classifier over descriptors, interrupted while it is trained."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from api.signals import interruptible
from scenes.network import NetworkConfig, train_network

LONG = NetworkConfig(epochs=100_000, members=1, batch=16)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_leaves_no_half_trained_network(number: signal.Signals) -> None:
    """scikit-learn turns an interrupt into a warning and returns what it has."""
    generator = np.random.default_rng(0)
    inputs, classes = generator.normal(size=(400, 8)), generator.integers(0, 3, 400)
    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(number))
    try:
        with interruptible(number):
            signal.setitimer(signal.ITIMER_REAL, 0.5)
            with pytest.raises(KeyboardInterrupt, match=number.name):
                train_network(inputs, classes, np.ones(400), count=3, config=LONG, seed=0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

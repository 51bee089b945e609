"""Weights of torch networks as named arrays, for the files of models of relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["member_arrays", "member_weights"]


def member_arrays(networks: Sequence[nn.Module]) -> dict[str, NDArray[Any]]:
    """Return all weights and buffers of networks by name."""
    return {
        f"member{number}.{name}": value.numpy()
        for number, network in enumerate(networks)
        for name, value in network.state_dict().items()
    }


def member_weights(arrays: Mapping[str, NDArray[Any]], number: int) -> dict[str, Tensor]:
    """Return the weights of one network among those of `member_arrays`."""
    start = f"member{number}."
    return {
        name.removeprefix(start): torch.from_numpy(value.copy())
        for name, value in arrays.items()
        if name.startswith(start)
    }

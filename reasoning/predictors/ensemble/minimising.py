"""Minimises a smooth convex loss of a few thousand parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from encoders.optimisers import LBFGS

__all__ = ["minimise"]

_ITERATIONS = 80


def minimise(loss: Callable[[], torch.Tensor], parameters: Sequence[torch.Tensor]) -> None:
    """Change parameters in place to where a loss is least, by L-BFGS."""
    optimiser = LBFGS(
        list(parameters),
        max_iter=_ITERATIONS,
        history_size=20,
        tolerance_grad=1e-6,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]

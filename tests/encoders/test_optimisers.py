"""Optimisers that load no compiler: each step is that of `torch.optim`, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from encoders import optimisers

STEPS = 8
SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], Any]] = {
    "cycle": lambda optimiser: OneCycleLR(optimiser, 0.1, total_steps=STEPS),
    "cosine": lambda optimiser: CosineAnnealingLR(optimiser, STEPS),
}


def trained(
    kind: type[torch.optim.Optimizer], settings: dict[str, Any], schedule: str | None, half: int
) -> list[list[float]]:
    """Train two parameters, another optimiser taking over the state after `half` of the steps."""
    generator = torch.Generator().manual_seed(3)
    matrix = torch.nn.Parameter(torch.randn(5, 4, generator=generator))
    shift = torch.nn.Parameter(torch.randn(4, generator=generator))
    inputs = torch.randn(20, 5, generator=generator)
    optimiser = kind([matrix, shift], **settings)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = ((inputs @ matrix + shift).tanh() - 1).square().mean()
        value.backward()
        return value

    slower = SCHEDULES[schedule](optimiser) if schedule is not None else None
    for step in range(STEPS):
        if step == half:
            kept, optimiser = optimiser.state_dict(), kind([matrix, shift], **settings)
            optimiser.load_state_dict(kept)
        optimiser.step(loss)
        if slower is not None:
            slower.step()
    return [part.detach().flatten().tolist() for part in (matrix, shift)]


@pytest.mark.parametrize(
    ("name", "settings", "schedule", "half"),
    [
        ("Adam", {"lr": 0.1, "fused": True}, None, 4),
        ("AdamW", {"lr": 0.1, "weight_decay": 0.1}, None, 4),
        ("AdamW", {"lr": 0.1}, "cycle", STEPS),
        ("AdamW", {"lr": 0.1}, "cosine", STEPS),
        ("LBFGS", {"max_iter": 5, "line_search_fn": "strong_wolfe"}, None, 4),
    ],
)
def test_steps_are_those_of_torch(
    name: str, settings: dict[str, Any], schedule: str | None, half: int
) -> None:
    ours, theirs = getattr(optimisers, name), getattr(torch.optim, name)
    assert issubclass(ours, theirs)
    found = trained(ours, settings, schedule, half)
    assert found == trained(theirs, settings, schedule, half)
    assert found != trained(theirs, settings | {"lr": 0.2}, None, half)

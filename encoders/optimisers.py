"""Optimisers of PyTorch that load no compiler.

`torch.optim` marks its methods for PyTorch's compiler when one is first called, which loads it: two
processor seconds and a hundred megabytes in each process that trains, compiled or not. These are
the same classes with the methods as they are before they are marked: every step is the same to the
last bit. A network that goes through `torch.compile` needs those of `torch.optim`.
"""

from __future__ import annotations

from inspect import unwrap
from typing import TypeVar

import torch

__all__ = ["LBFGS", "Adam", "AdamW"]

_MARKED = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
_Optimiser = TypeVar("_Optimiser", bound=torch.optim.Optimizer)


def _unmarked(kind: type[_Optimiser]) -> type[_Optimiser]:
    methods = {name: unwrap(getattr(kind, name)) for name in _MARKED}
    methods["step"] = torch.no_grad()(unwrap(kind.step))
    return type(kind.__name__, (kind,), {"__doc__": kind.__doc__, **methods})


Adam = _unmarked(torch.optim.Adam)
AdamW = _unmarked(torch.optim.AdamW)
LBFGS = _unmarked(torch.optim.LBFGS)

"""The normaliser of the softmax over many tails, for grouped rows: one row of scores for all edges.

The rows of scores are the largest arrays of training, so that forward and backward are written out:
the exponentials are made in place and kept once, unnormalised, and their normaliser is put on the
narrow side of each product.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import torch

__all__ = ["product_type", "weighted_log_normaliser"]

_BLOCK = 512
_NATIVE = ("amx_bf16", "avx512_bf16", "bf16")
"""Names of a processor's own products of 16 bits, on x86 and on ARM."""


def product_type(precision: Literal["float32", "bfloat16"]) -> torch.dtype | None:
    """Return the type of products for a precision, None for that of the vectors.

    A processor without products of 16 bits emulates them, six times as slowly as it makes those of
    32 bits; it takes 32 bits.
    """
    return torch.bfloat16 if precision == "bfloat16" and _has_bfloat16() else None


@cache
def _has_bfloat16() -> bool:
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in _NATIVE)


def weighted_log_normaliser(
    queries: torch.Tensor,
    pool: torch.Tensor,
    counts: torch.Tensor,
    *,
    log_weights: torch.Tensor | None = None,
    product_type: torch.dtype | None = None,
) -> torch.Tensor:
    """Return Σ over rows of count · log Σ_t exp(q · t): the costly part of the loss.

    Args:
        queries: ``(n, width)``, one for each (head, relation).
        pool: ``(p, width)``, the candidate tails.
        counts: ``(n,)`` number of true tails of each row, each of which has that normaliser.
        log_weights: ``(p,)`` logarithm of how many entities each candidate stands for.
        product_type: Of the operands of products and of the kept exponentials, `torch.bfloat16` or
            the type of `queries`; products and sums are accumulated in 32 bits or more.
    """
    kind = queries.dtype if product_type is None else product_type
    total: torch.Tensor = _LogNormaliser.apply(  # type: ignore[no-untyped-call]
        queries, pool, counts, log_weights, kind
    )
    return total


class _LogNormaliser(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        queries: torch.Tensor,
        pool: torch.Tensor,
        counts: torch.Tensor,
        log_weights: torch.Tensor | None,
        kind: torch.dtype,
    ) -> torch.Tensor:
        narrow = pool.to(kind)
        shares = queries.to(kind) @ narrow.T
        if log_weights is not None:
            shares += log_weights.to(kind)
        top = shares.amax(dim=1, keepdim=True)
        shares = shares.sub_(top).exp_()
        total = _row_sums(shares, queries.dtype)
        ctx.save_for_backward(queries, narrow, shares, counts / total)
        return (counts * (top[:, 0].to(queries.dtype) + total.log())).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        queries, narrow, shares, scale = ctx.saved_tensors
        (gradient,) = gradients
        scale = (scale * gradient)[:, None]
        of_queries = (shares @ narrow).to(queries.dtype) * scale
        of_pool = shares.T @ (queries * scale).to(narrow.dtype)
        return of_queries, of_pool.to(queries.dtype), None, None, None


def _row_sums(values: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    """Return sums of rows in `kind`, block by block: a wide row is never copied as a whole."""
    if values.dtype == kind:
        return values.sum(dim=1)
    whole = values.shape[1] // _BLOCK * _BLOCK
    # torch sums bfloat16 in 32 bits and rounds the result: short blocks keep that error small
    blocks = values[:, :whole].reshape(len(values), -1, _BLOCK).sum(dim=2)
    total: torch.Tensor = blocks.to(kind).sum(dim=1) + values[:, whole:].to(kind).sum(dim=1)
    return total

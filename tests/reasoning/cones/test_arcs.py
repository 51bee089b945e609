import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reasoning.cones.arcs import (
    arc_distance,
    log_resultant,
    mean_axis,
    pairwise_arc_distance,
    wrap_angle,
)

WEIGHTS = (0.02, 0.7)


def arcs(seed: int, batch: int = 5, dim: int = 4) -> tuple[torch.Tensor, ...]:
    draw = np.random.default_rng(seed)
    axis = draw.uniform(-math.pi, math.pi, (batch, dim))
    core = draw.uniform(0, math.pi, (batch, dim))
    rim = draw.uniform(0, 1, (batch, dim)) * (math.pi - core)
    return torch.tensor(axis), torch.tensor(core), torch.tensor(rim)


def points(seed: int, count: int = 7, dim: int = 4) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(-math.pi, math.pi, (count, dim)))


def numpy_distance(e, axis, core, rim, weights):
    """The definition, with the angle itself and both edges."""
    delta = np.abs((e - axis + np.pi) % (2 * np.pi) - np.pi)

    def to_edges(half):
        sides = (np.abs(np.sin((e - axis + sign * half) / 2)) for sign in (-1, 1))
        return np.minimum(*sides)

    outer = core + rim
    d_out = np.where(delta > outer, to_edges(outer), 0.0)
    d_in = np.minimum(np.sin(delta / 2), np.sin(core / 2))
    d_mid = np.where(delta <= core, 0.0, np.where(delta > outer, np.sin(rim / 2), to_edges(core)))
    return (d_out + weights[0] * d_in + weights[1] * d_mid).sum(-1)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=5))
def test_wrapping_keeps_the_direction(angles):
    raw = torch.tensor(angles, dtype=torch.float64)
    wrapped = wrap_angle(raw)
    assert (wrapped >= -math.pi - 1e-9).all()
    assert (wrapped <= math.pi + 1e-9).all()
    assert torch.allclose(wrapped.cos(), raw.cos())
    assert torch.allclose(wrapped.sin(), raw.sin(), atol=1e-9)


@given(st.integers(0, 10_000))
def test_arc_distance_is_the_definition(seed):
    axis, core, rim = arcs(seed)
    e = points(seed + 1)
    found = arc_distance(e, axis[:, None], core[:, None], rim[:, None], WEIGHTS)
    parts = [x[:, None].numpy() for x in (axis, core, rim)]
    np.testing.assert_allclose(found.numpy(), numpy_distance(e.numpy(), *parts, WEIGHTS))


@given(st.integers(0, 10_000), st.booleans())
def test_pairwise_equals_one_by_one_with_its_gradient(seed, with_rim):
    axis, core, rim = arcs(seed)
    width = rim if with_rim else None
    inputs = [points(seed + 1), axis, core, *([rim] if with_rim else [])]
    upstream = torch.rand(5, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    def gradients(measure):
        for value in inputs:
            value.grad = None
            value.requires_grad_()
        out = measure()
        (out * upstream).sum().backward()
        return out.detach(), [value.grad for value in inputs]

    fast, fast_grads = gradients(
        lambda: pairwise_arc_distance(inputs[0], axis, core, width, WEIGHTS)
    )
    slow, slow_grads = gradients(
        lambda: arc_distance(
            inputs[0], axis[:, None], core[:, None], rim[:, None] if with_rim else None, WEIGHTS
        )
    )
    torch.testing.assert_close(fast, slow)
    for one, other in zip(fast_grads, slow_grads, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("with_rim", [False, True])
def test_gradient_check(with_rim):
    axis, core, rim = (x.requires_grad_() for x in arcs(3))
    e = points(4).requires_grad_()
    inputs = (e, axis, core, rim) if with_rim else (e, axis, core)

    def measure(*values):
        width = values[3] if with_rim else None
        return pairwise_arc_distance(values[0], values[1], values[2], width, WEIGHTS)

    assert torch.autograd.gradcheck(measure, inputs)


def test_an_empty_batch_and_no_points():
    axis, core, rim = arcs(0, batch=0)
    assert pairwise_arc_distance(points(0), axis, core, rim, WEIGHTS).shape == (0, 7)
    axis, core, rim = arcs(0)
    assert pairwise_arc_distance(points(0, count=0), axis, core, rim, WEIGHTS).shape == (5, 0)


def test_opposite_axes_have_a_finite_mean_and_gradient():
    axes = torch.tensor([[[0.0]], [[math.pi]]], dtype=torch.float64, requires_grad=True)
    mean = mean_axis(axes, torch.full_like(axes, 0.5))
    mean.sum().backward()
    assert torch.isfinite(mean).all()
    assert torch.isfinite(axes.grad).all()


def test_mean_axis_crosses_the_seam():
    axes = torch.tensor([[[math.pi - 0.1]], [[-math.pi + 0.3]]])
    mean = mean_axis(axes, torch.full_like(axes, 0.5))
    assert wrap_angle(mean - math.pi - 0.1).abs().item() < 1e-5


@pytest.mark.parametrize("half", [0.0, 0.3, math.pi / 2, 3.0])
def test_resultant_is_the_mean_of_the_unit_vectors_of_an_arc(half):
    inside = np.linspace(-half, half, 20_001)
    length = np.hypot(np.cos(inside).mean(), np.sin(inside).mean())
    found = log_resultant(torch.tensor(half, dtype=torch.float64)).exp().item()
    assert found == pytest.approx(length, rel=2e-3)


def test_the_whole_circle_has_a_finite_logarithm_and_gradient():
    half = torch.tensor([0.0, math.pi], dtype=torch.float64, requires_grad=True)
    found = log_resultant(half)
    found.sum().backward()
    assert torch.isfinite(found).all()
    assert torch.isfinite(half.grad).all()

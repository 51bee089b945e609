import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SettingError
from reasoning.cones.arcs import wrap_angle
from reasoning.cones.cone import (
    Cone,
    ConeGeometry,
    GeometryConfig,
    aperture_from_raw,
    axis_from_raw,
    complement,
    distance,
    intersect,
    pairwise_distance,
    translate,
)

SEEDS = st.integers(0, 10_000)


def cone(seed: int, batch: int = 3, dim: int = 4) -> Cone:
    draw = np.random.default_rng(seed)
    axis = draw.uniform(-math.pi, math.pi, (batch, dim))
    return Cone(torch.tensor(axis), torch.tensor(draw.uniform(0, 2 * math.pi, (batch, dim))))


def geometry(*, published: bool = False, dim: int = 4) -> ConeGeometry:
    torch.manual_seed(0)
    config = GeometryConfig(dim=dim, hidden=8, published=published, dropout=0.0)
    return ConeGeometry(5, config).double()


def same_direction(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one.cos(), other.cos())
    torch.testing.assert_close(one.sin(), other.sin())


@given(SEEDS)
def test_distance_is_the_papers(seed):
    c = cone(seed)
    points = np.random.default_rng(seed + 1).uniform(-math.pi, math.pi, (6, 4))
    axis, half = c.axis.numpy()[:, None], c.aperture.numpy()[:, None] / 2
    d_axis = np.abs(np.sin((points - axis) / 2))
    d_base = np.abs(np.sin(half / 2))
    edges = [np.abs(np.sin((points - axis + sign * half) / 2)) for sign in (-1, 1)]
    d_out = np.where(d_axis < d_base, 0.0, np.minimum(*edges))
    expected = (d_out + 0.02 * np.minimum(d_axis, d_base)).sum(-1)
    together = pairwise_distance(c, torch.tensor(points), 0.02)
    np.testing.assert_allclose(together.numpy(), expected)
    each = distance(c, torch.tensor(points).expand(3, 6, 4), 0.02)
    np.testing.assert_allclose(each.numpy(), expected)


@given(SEEDS)
def test_negation_twice_is_the_identity(seed):
    c = cone(seed)
    back = complement(complement(c))
    same_direction(back.axis, c.axis)
    torch.testing.assert_close(back.aperture, c.aperture)


@given(SEEDS)
def test_a_point_is_outside_its_complement(seed):
    c = cone(seed)
    at_axis = c.axis[:, None]
    assert (distance(c, at_axis, 0.0) == 0).all()
    assert (distance(complement(c), at_axis, 0.0) > 0).all()


def test_numbers_of_raw_parameters():
    raw = np.linspace(-3, 3, 7)
    tensor = torch.tensor(raw)
    np.testing.assert_allclose(axis_from_raw(tensor).numpy(), np.pi * np.tanh(raw))
    half = (np.pi / 2) * np.tanh(2 * raw) + np.pi / 2
    np.testing.assert_allclose(aperture_from_raw(tensor).numpy(), 2 * half)


@given(SEEDS)
def test_translation_stays_in_range(seed):
    moved = translate(cone(seed), cone(seed + 1).axis, cone(seed + 2).aperture)
    assert (moved.axis.abs() <= math.pi + 1e-9).all()
    assert ((moved.aperture >= 0) & (moved.aperture <= 2 * math.pi)).all()


@given(SEEDS, st.integers(2, 4))
def test_intersection_twin(seed, count):
    cones = tuple(cone(seed + k) for k in range(count))
    draw = np.random.default_rng(seed)
    logits, gate = draw.normal(size=(count, 3, 4)), draw.uniform(0.1, 0.9, (3, 4))
    found = intersect(cones, torch.tensor(logits), torch.tensor(gate))
    weights = np.exp(logits) / np.exp(logits).sum(0)
    axes = np.stack([c.axis.numpy() for c in cones])
    mean = np.arctan2((weights * np.sin(axes)).sum(0), (weights * np.cos(axes)).sum(0))
    same_direction(found.axis, torch.tensor(mean))
    smallest = np.stack([c.aperture.numpy() for c in cones]).min(0)
    np.testing.assert_allclose(found.aperture.numpy(), smallest * gate)


@pytest.mark.parametrize("published", [False, True])
def test_order_of_members_is_irrelevant(published):
    space = geometry(published=published)
    cones = tuple(cone(k) for k in range(3))
    one, other = space.intersect(cones), space.intersect(cones[::-1])
    same_direction(one.axis, other.axis)
    torch.testing.assert_close(one.aperture, other.aperture)


@pytest.mark.parametrize(("published", "nearer"), [(False, True), (True, False)])
def test_a_complement_starts_with_little_say_unless_published(published, nearer):
    space = geometry(published=published)
    for weight in space.attention.parameters():
        torch.nn.init.zeros_(weight)
    narrow = Cone(cone(0).axis, torch.full_like(cone(0).axis, 0.4))
    taken = space.complement(Cone(narrow.axis - 0.5, narrow.aperture))
    joined = space.intersect((narrow, taken))
    away = wrap_angle(joined.axis - narrow.axis).abs()
    # the axis of the complement lies π − 0.5 away: halfway is 1.3
    assert bool((away < 0.1).all()) is nearer
    assert bool((away > 1.2).all()) is not nearer


@pytest.mark.parametrize("published", [False, True])
def test_an_aperture_is_an_angle_whatever_is_done(published):
    space = geometry(published=published)
    relations = torch.tensor([0, 1, 4])
    made = space.project(space.given(cone(0).axis), relations)
    made = space.project(space.intersect((made, space.complement(made))), relations)
    assert ((made.aperture >= 0) & (made.aperture <= 2 * math.pi)).all()
    assert torch.isfinite(made.axis).all()


def test_operators_write_into_no_argument():
    space = geometry()
    one, other = cone(0), cone(1)
    before = [x.clone() for x in (one.axis, one.aperture, other.axis, other.aperture)]
    space.complement(one)
    space.intersect((one, other))
    space.project(one, torch.tensor([0, 1, 2]))
    space.distance(one, other.axis)
    for old, new in zip(before, (one.axis, one.aperture, other.axis, other.aperture), strict=True):
        assert torch.equal(old, new)


@pytest.mark.parametrize("published", [False, True])
def test_batch_of_one_equals_its_row_in_a_batch(published):
    space = geometry(published=published)
    c, relations = cone(0), torch.tensor([3, 1, 2])
    points = cone(5).axis
    whole = space.distance(space.intersect((space.project(c, relations), c)), points)
    for row in range(3):
        part = Cone(c.axis[row : row + 1], c.aperture[row : row + 1])
        alone = space.intersect((space.project(part, relations[row : row + 1]), part))
        torch.testing.assert_close(space.distance(alone, points), whole[row : row + 1])


def test_gradients_of_the_operators_are_right():
    space = geometry(dim=2)
    first, second = cone(1, dim=2), cone(2, dim=2)
    relations = torch.tensor([0, 2, 1])

    def run(axis, aperture):
        made = space.project(Cone(axis, aperture), relations)
        joined = space.intersect((made, space.complement(second)))
        return joined.axis.cos(), joined.aperture

    inputs = (first.axis.requires_grad_(), (first.aperture / 4).detach().requires_grad_())
    assert torch.autograd.gradcheck(run, inputs)


@pytest.mark.parametrize("wrong", [{"dim": 0}, {"inside_weight": 2.0}, {"dropout": 1.0}])
def test_a_wrong_shape_is_refused_by_name(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        GeometryConfig(**wrong)

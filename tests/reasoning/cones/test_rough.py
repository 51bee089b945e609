import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reasoning.cones import cone as cones
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.rough_cone import (
    RoughCone,
    RoughGeometry,
    complement,
    core_from_raw,
    distance,
    intersect,
    owner_distance,
    pairwise_distance,
    rim_from_raw,
    share_in_core,
    translate,
)

SEEDS = st.integers(0, 10_000)
WEIGHTS = (0.02, 0.7)


def rough(seed: int, batch: int = 3, dim: int = 4) -> RoughCone:
    draw = np.random.default_rng(seed)
    core = draw.uniform(0, math.pi, (batch, dim))
    rim = draw.uniform(0, 1, (batch, dim)) * (math.pi - core)
    axis = draw.uniform(-math.pi, math.pi, (batch, dim))
    return RoughCone(torch.tensor(axis), torch.tensor(core), torch.tensor(rim))


def geometry(*, published: bool = False) -> RoughGeometry:
    torch.manual_seed(0)
    config = GeometryConfig(dim=4, hidden=8, published=published, dropout=0.0)
    return RoughGeometry(5, config).double()


def numbers(cone: RoughCone) -> tuple[np.ndarray, ...]:
    return cone.axis.numpy(), cone.half_core.numpy(), cone.rim.numpy()


def is_rough_cone(cone: RoughCone) -> None:
    assert (cone.half_core >= 0).all()
    assert (cone.rim >= -1e-12).all()
    assert (cone.half_core + cone.rim <= math.pi + 1e-9).all()
    assert torch.isfinite(cone.axis).all()


def angle_to(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return np.abs((points - axis + np.pi) % (2 * np.pi) - np.pi)


@given(SEEDS)
def test_distance_twin(seed):
    cone = rough(seed)
    points = np.random.default_rng(seed + 1).uniform(-math.pi, math.pi, (6, 4))
    axis, core, rim = (x[:, None] for x in numbers(cone))
    angle = angle_to(points, axis)
    out = np.where(angle > core + rim, np.sin((angle - core - rim) / 2), 0)
    inside = np.sin(np.minimum(angle, core) / 2)
    middle = np.sin((np.clip(angle, core, core + rim) - core) / 2)
    expected = (out + WEIGHTS[0] * inside + WEIGHTS[1] * middle).sum(-1)
    found = pairwise_distance(cone, torch.tensor(points), WEIGHTS)
    np.testing.assert_allclose(found.numpy(), expected)
    each = distance(cone, torch.tensor(points).expand(3, 6, 4), WEIGHTS)
    np.testing.assert_allclose(each.numpy(), expected)


@given(SEEDS)
def test_without_a_rim_it_is_a_cone(seed):
    cone = rough(seed)
    bare = RoughCone(cone.axis, cone.half_core, torch.zeros_like(cone.rim))
    points = rough(seed + 1).axis
    plain = cones.pairwise_distance(cones.Cone(cone.axis, 2 * cone.half_core), points, 0.02)
    torch.testing.assert_close(pairwise_distance(bare, points, WEIGHTS), plain)


@given(SEEDS)
def test_owner_distance_twin(seed):
    cone = rough(seed)
    points = np.random.default_rng(seed + 1).uniform(-math.pi, math.pi, (6, 4))
    axis, core, rim = (x[:, None] for x in numbers(cone))
    angle = angle_to(points, axis)
    out = np.where(angle > core + rim, np.sin((angle - core - rim) / 2), 0)
    deep = np.where(angle < core, np.sin((core - angle) / 2), 0)
    middle = np.minimum(np.abs(np.sin((angle - core - rim / 2) / 2)), np.sin(rim / 4))
    expected = (out + 0.9 * WEIGHTS[1] * deep + WEIGHTS[0] * middle).sum(-1)
    found = owner_distance(cone, torch.tensor(points), WEIGHTS)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_an_owner_is_best_in_the_middle_of_the_rim():
    cone = RoughCone(torch.zeros(1, 1), torch.full((1, 1), 0.6), torch.full((1, 1), 0.8))
    angles = torch.linspace(-math.pi, math.pi, 629)[:, None]
    best = angles[owner_distance(cone, angles, WEIGHTS)[0].argmin()].abs().item()
    assert abs(best - 1.0) < 0.02


@given(SEEDS)
def test_negation_twice_is_the_identity(seed):
    cone = rough(seed)
    once = complement(cone)
    is_rough_cone(once)
    torch.testing.assert_close(once.half_core, math.pi - cone.half_core - cone.rim)
    back = complement(once)
    torch.testing.assert_close(back.axis.cos(), cone.axis.cos())
    torch.testing.assert_close(back.axis.sin(), cone.axis.sin())
    torch.testing.assert_close(back.half_core, cone.half_core)
    torch.testing.assert_close(back.rim, cone.rim)


@given(SEEDS, st.integers(2, 4))
def test_intersection_twin(seed, count):
    members = tuple(rough(seed + k) for k in range(count))
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(count, 3, 4))
    gates = draw.uniform(0.1, 0.9, (2, 3, 4))
    found = intersect(members, *map(torch.tensor, (logits, gates[0], gates[1])))
    is_rough_cone(found)
    cores = np.stack([m.half_core.numpy() for m in members])
    rims = np.stack([m.rim.numpy() for m in members])
    core = cores.min(0) * gates[0]
    rim = np.minimum(rims.max(0), (cores + rims).min(0) - core) * gates[1]
    np.testing.assert_allclose(found.half_core.numpy(), core)
    np.testing.assert_allclose(found.rim.numpy(), rim)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_core_and_rim_fit_on_the_circle(x, y):
    core = core_from_raw(torch.tensor([[x]], dtype=torch.float64))
    rim = rim_from_raw(torch.tensor([[y]], dtype=torch.float64), core)
    is_rough_cone(RoughCone(torch.zeros_like(core), core, rim))
    np.testing.assert_allclose(core.item(), math.pi / (1 + math.exp(-x)))
    np.testing.assert_allclose(rim.item(), (math.pi - core.item()) / (1 + math.exp(-y)), atol=1e-9)


@given(SEEDS)
def test_translation_fits_on_the_circle(seed):
    other = rough(seed + 1)
    is_rough_cone(translate(rough(seed), other.axis, other.half_core, other.rim))


@pytest.mark.parametrize("published", [False, True])
def test_every_operator_gives_a_rough_cone_in_any_order(published):
    space = geometry(published=published)
    relations = torch.tensor([0, 1, 4])
    first = space.project(space.given(rough(0).axis), relations)
    is_rough_cone(first)
    members = (first, space.complement(rough(1)), rough(2))
    joined, turned = space.intersect(members), space.intersect(members[::-1])
    is_rough_cone(joined)
    is_rough_cone(space.project(joined, relations))
    torch.testing.assert_close(joined.axis.cos(), turned.axis.cos())
    torch.testing.assert_close(joined.half_core, turned.half_core)
    torch.testing.assert_close(joined.rim, turned.rim)


@pytest.mark.parametrize(("published", "nearer"), [(False, True), (True, False)])
def test_a_complement_starts_with_little_say_unless_published(published, nearer):
    space = geometry(published=published)
    for weight in space.attention.parameters():
        torch.nn.init.zeros_(weight)
    width = torch.full_like(rough(0).axis, 0.1)
    narrow = RoughCone(rough(0).axis, width, width)
    taken = space.complement(RoughCone(narrow.axis - 0.5, width, width))
    away = angle_to(space.intersect((narrow, taken)).axis.detach().numpy(), narrow.axis.numpy())
    # the axis of the complement lies π − 0.5 away: halfway is 1.3
    assert bool((away < 0.1).all()) is nearer
    assert bool((away > 1.2).all()) is not nearer


def test_operators_write_into_no_argument():
    space = geometry()
    one, other = rough(0), rough(1)
    before = [x.copy() for x in (*numbers(one), *numbers(other))]
    space.complement(one)
    space.intersect((one, other))
    space.project(one, torch.tensor([0, 1, 2]))
    space.distance(one, other.axis)
    space.owner_distance(one, other.axis)
    for old, new in zip(before, (*numbers(one), *numbers(other)), strict=True):
        np.testing.assert_array_equal(old, new)


def test_batch_of_one_equals_its_row_in_a_batch():
    space = geometry()
    cone, points = rough(0), rough(5).axis
    relations = torch.tensor([3, 1, 2])
    whole = space.distance(space.project(cone, relations), points)
    for row in range(3):
        one = RoughCone(*(x[row : row + 1] for x in (cone.axis, cone.half_core, cone.rim)))
        alone = space.distance(space.project(one, relations[row : row + 1]), points)
        torch.testing.assert_close(alone, whole[row : row + 1])


def test_gradient_of_the_owner_distance():
    cone = rough(2)
    inputs = (
        cone.axis.requires_grad_(),
        cone.half_core.requires_grad_(),
        cone.rim.requires_grad_(),
    )

    def run(axis, core, rim):
        return owner_distance(RoughCone(axis, core, rim), rough(9).axis, WEIGHTS)

    assert torch.autograd.gradcheck(run, inputs)


def test_share_in_core_counts_dimensions():
    cone = RoughCone(torch.zeros(1, 4), torch.full((1, 4), 1.0), torch.zeros(1, 4))
    point = torch.tensor([[0.5, -0.9, 1.1, 3.0]])
    assert share_in_core(cone, point).item() == 0.5

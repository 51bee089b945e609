"""The papers' setting, number by number, against formulas written down here once more."""

import math

import numpy as np
import pytest
import torch

from reasoning.cones.batches import BatchSettings
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.losses import query_loss
from reasoning.cones.model import ConeModel
from reasoning.cones.uniform_batches import UniformPlan
from reasoning.id_sets import directed_edges
from reasoning.sampling import one_hop_queries, sample_queries
from reasoning.structures import STRUCTURES
from tests.reasoning.flag_world import flag_world

WORLD = flag_world(18)
DIM, GAMMA, LAMBDA = 6, 30.0, 0.02
RANGE = (GAMMA + 2) / DIM


def model(geometry: str) -> ConeModel:
    """A model of the papers' setting in double precision, without dropout."""
    config = ConeTrainingConfig.published(dim=DIM, margin=GAMMA)
    kind = type(config.model)
    torch.manual_seed(0)
    settings = kind(geometry=geometry, shape=config.model.shape, margin=GAMMA, entity_bias=False)
    return ConeModel(20, 8, settings).double().eval()


def weights(made: ConeModel) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy() for name, value in made.state_dict().items()}


def linear(w: dict[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def axis(raw: np.ndarray) -> np.ndarray:
    return np.pi * np.tanh(raw)


def half_aperture(raw: np.ndarray) -> np.ndarray:
    return np.pi / 2 * np.tanh(2 * raw) + np.pi / 2


def network(w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Four hidden layers with ReLU and a linear one."""
    x = relu(linear(w, "geometry.projection.first", x))
    for number in (2, 4, 6):
        x = relu(linear(w, f"geometry.projection.rest.{number}", x))
    return linear(w, "geometry.projection.last", x)


def attended(w: dict[str, np.ndarray], edges: np.ndarray) -> np.ndarray:
    logits = linear(w, "geometry.attention.2", relu(linear(w, "geometry.attention.0", edges)))
    return np.exp(logits) / np.exp(logits).sum(0)


def gate(w: dict[str, np.ndarray], edges: np.ndarray) -> np.ndarray:
    """DeepSets: the mean over the cones of one layer, then another and a sigmoid."""
    mean = relu(linear(w, "geometry.member.0", edges)).mean(0)
    return sigmoid(linear(w, "geometry.whole", mean))


def averaged(shares: np.ndarray, axes: np.ndarray) -> np.ndarray:
    return np.arctan2((shares * np.sin(axes)).sum(0), (shares * np.cos(axes)).sum(0))


def distances(points: np.ndarray, ax: np.ndarray, half: np.ndarray) -> np.ndarray:
    """ConE's outside and inside parts summed over dimensions, the inside weighed by λ."""
    d_axis = np.abs(np.sin((points - ax) / 2))
    d_base = np.abs(np.sin(half / 2))
    d_edge = np.minimum(
        np.abs(np.sin((points - ax + half) / 2)), np.abs(np.sin((points - ax - half) / 2))
    )
    d_out = np.where(d_axis < d_base, 0.0, d_edge)
    return d_out.sum(-1) + LAMBDA * np.minimum(d_axis, d_base).sum(-1)


ANCHORS, RELATIONS = torch.tensor([[1, 2], [3, 0]]), torch.tensor([[4, 1, 0], [2, 7, 5]])
NAME = "pi"  # (anchor 0, relations 1 then 0) and (anchor 1, relation 2)


def close(found: torch.Tensor, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9, atol=1e-9)


def test_cone_is_the_papers():
    made = model("cone")
    w = weights(made)

    def hop(ax, half, relation):
        turn = axis(w["geometry.axis.weight"][relation] / RANGE)
        widen = half_aperture(w["geometry.aperture.weight"][relation] / RANGE)
        out = network(w, np.concatenate([ax + turn, half + widen], -1))
        return axis(out[:, :DIM]), half_aperture(out[:, DIM:])

    entities = axis(w["entity.weight"] / RANGE)
    nothing = np.zeros((2, DIM))
    r = RELATIONS.numpy()
    path = hop(*hop(entities[ANCHORS[:, 0]], nothing, r[:, 1]), r[:, 0])
    single = hop(entities[ANCHORS[:, 1]], nothing, r[:, 2])
    axes, halves = (np.stack(both) for both in zip(path, single, strict=True))
    edges = np.concatenate([axes - halves, axes + halves], -1)
    ax = averaged(attended(w, edges), axes)
    half = halves.min(0) * gate(w, edges)
    score = GAMMA - w["modulus"] * distances(entities[None], ax[:, None], half[:, None])

    ids = torch.arange(20)
    cone = made.embed(STRUCTURES[NAME], made.axes(ANCHORS.view(-1)).view(2, 2, DIM), RELATIONS)
    close(cone.axis.cos(), np.cos(ax))
    close(cone.axis.sin(), np.sin(ax))
    close(cone.aperture / 2, half)
    close(made.scores(cone, made.axes(ids), ids), score)


def test_rcone_is_the_papers():
    made = model("rough")
    w = weights(made)

    def converted(raw_core, raw_rim):
        core = np.pi * sigmoid(raw_core)
        return core, (np.pi - core) * sigmoid(raw_rim)

    def hop(ax, core, rim, relation):
        scaled = {n: w[f"geometry.{n}.weight"][relation] / RANGE for n in ("axis", "core", "rim")}
        more = converted(scaled["core"], scaled["rim"])
        sums = np.concatenate([ax + axis(scaled["axis"]), core + more[0], rim + more[1]], -1)
        out = network(w, sums)
        return axis(out[:, :DIM]), *converted(out[:, DIM : 2 * DIM], out[:, 2 * DIM :])

    entities = axis(w["entity.weight"] / RANGE)
    nothing = np.zeros((2, DIM))
    r = RELATIONS.numpy()
    path = hop(*hop(entities[ANCHORS[:, 0]], nothing, nothing, r[:, 1]), r[:, 0])
    single = hop(entities[ANCHORS[:, 1]], nothing, nothing, r[:, 2])
    axes, cores, rims = (np.stack(both) for both in zip(path, single, strict=True))
    outer = cores + rims
    edges = np.concatenate([axes - cores, axes + cores, axes - outer, axes + outer], -1)
    gates = gate(w, edges)
    ax = averaged(attended(w, edges), axes)
    core = cores.min(0) * gates[:, :DIM]
    rim = np.minimum(rims.max(0), outer.min(0) - core) * gates[:, DIM:]
    angle = np.abs((entities[None] - ax[:, None] + np.pi) % (2 * np.pi) - np.pi)
    c, f = core[:, None], rim[:, None]
    out = np.where(angle > c + f, np.sin((angle - c - f) / 2), 0).sum(-1)
    inside = np.sin(np.minimum(angle, c) / 2).sum(-1)
    between = np.sin((np.clip(angle, c, c + f) - c) / 2).sum(-1)
    score = GAMMA - w["modulus"] * (out + LAMBDA * inside + 1.0 * between)

    ids = torch.arange(20)
    cone = made.embed(STRUCTURES[NAME], made.axes(ANCHORS.view(-1)).view(2, 2, DIM), RELATIONS)
    close(cone.half_core, core)
    close(cone.rim, rim)
    close(made.scores(cone, made.axes(ids), ids), score)


def test_the_start_is_the_papers():
    made = ConeModel(500, 8, ConeTrainingConfig.published(dim=DIM, margin=GAMMA).model)
    for table in (made.entity, made.geometry.axis, made.geometry.aperture):
        size = table.weight.abs()
        assert 0.8 * RANGE < size.max() <= RANGE
    assert made.modulus.item() == pytest.approx(0.5 * RANGE)
    whole = ConeTrainingConfig.published()
    shape, batches = whole.model.shape, whole.batches
    assert (shape.dim, shape.hidden, shape.layers, whole.model.margin) == (800, 1600, 4, 30.0)
    assert (batches.queries, batches.own, whole.learning_rate) == (512, 128, 5e-5)
    assert (whole.part_weight, shape.rim_weight, shape.inside_weight) == (0.005, 1.0, 0.02)


def test_the_loss_is_the_papers():
    draw = np.random.default_rng(3)
    answer, others = draw.normal(size=4), draw.normal(size=(4, 5))
    answers = np.array([1, 2, 9, 30])
    share = 1 / np.sqrt(answers)
    each = -np.log(sigmoid(answer)) - np.log(sigmoid(-others)).mean(1)
    positive = np.zeros((4, 6), dtype=bool)
    positive[:, 0] = True
    scores = np.concatenate([answer[:, None], others], 1)
    found = query_loss(
        torch.tensor(scores),
        torch.tensor(positive),
        torch.zeros(4, 6, dtype=torch.bool),
        "margin",
        answers=torch.tensor(answers),
    )
    np.testing.assert_allclose(found.item(), (share * each).sum() / share.sum())


@pytest.mark.parametrize("shared", [False, True])
def test_batches_are_the_papers(shared):
    edges = directed_edges(WORLD.train)
    queries = [one_hop_queries(edges)]
    queries += [sample_queries(STRUCTURES["2i"], 30, edges, generator=np.random.default_rng(0))]
    settings = BatchSettings(queries=16, own=8, shared=shared)
    plan = UniformPlan(WORLD.train, queries, settings)
    parents = np.asarray(WORLD.train.parents)
    answers = {
        (q.structure, tuple(q.anchors[i]), tuple(q.relations[i])): set(q.easy[i].tolist())
        for q in queries
        for i in range(len(q))
    }
    draw, siblings = np.random.default_rng(1), []
    for _ in range(30):
        batch = plan.draw(draw)
        entities = batch.candidates[batch.columns]
        assert entities.shape == (16, 9)
        assert (batch.positive.sum(1) == 1).all()
        assert batch.positive[:, 0].all()
        for row in range(16):
            key = (batch.structure, tuple(batch.anchors[row]), tuple(batch.relations[row]))
            assert entities[row, 0] in answers[key]
            wrong = np.isin(entities[row, 1:], list(answers[key]))
            assert (batch.ignored[row, 1:] == wrong).all()
            own = parents[entities[row, 0]]
            if own >= 0 and not shared:
                siblings.append(np.mean(parents[entities[row, 1:]] == own))
        if shared:
            assert (entities[:, 1:] == entities[0, 1:]).all()
    assert shared or np.mean(siblings) > 0.5


def test_distances_to_own_candidates_are_those_of_all_and_so_are_gradients():
    made = model("rough")
    columns = torch.tensor([[3, 3, 0], [5, 1, 2]])

    def run(*, own: bool) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        made.zero_grad()
        ids = torch.arange(20)
        given = made.axes(ANCHORS.view(-1)).view(2, 2, DIM)
        cone = made.embed(STRUCTURES[NAME], given, RELATIONS)
        if own:
            scores = made.scores(cone, made.axes(ids), ids, columns=columns)
        else:
            scores = made.scores(cone, made.axes(ids), ids).gather(1, columns)
        (scores * torch.arange(1.0, 7).view(2, 3)).sum().backward()
        return scores, {n: p.grad for n, p in made.named_parameters() if p.grad is not None}

    (one, first), (other, second) = run(own=True), run(own=False)
    torch.testing.assert_close(one, other)
    for name, gradient in first.items():
        torch.testing.assert_close(gradient, second[name])


def test_a_rim_is_never_negative_whatever_the_parameters():
    made = model("rough")
    with torch.no_grad():
        for table in (made.geometry.core, made.geometry.rim):
            table.weight.uniform_(-40 * RANGE, 40 * RANGE)
    cone = made.embed(STRUCTURES[NAME], made.axes(ANCHORS.view(-1)).view(2, 2, DIM), RELATIONS)
    assert (cone.rim >= 0).all()
    assert (cone.half_core + cone.rim <= math.pi + 1e-9).all()

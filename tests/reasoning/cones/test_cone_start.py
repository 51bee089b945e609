import numpy as np
import pytest
import torch

from kg.errors import SettingError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.cones.cone import Cone, GeometryConfig
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.start import start_axes
from reasoning.structures import STRUCTURES
from tests.reasoning.flag_world import flag_world

WORLD = flag_world()


def two_cliques() -> Snapshot:
    """Ten nodes in two cliques of five, joined by one edge."""
    source = (Provenance(kind="asserted", source="test"),)
    nodes = [Entity(key=EntityKey(f"n{i}"), label="Node", name=str(i)) for i in range(10)]
    pairs = [(i, j) for i in range(10) for j in range(i) if i // 5 == j // 5] + [(5, 4)]
    edges = [
        Edge(head=EntityKey(f"n{i}"), relation="knows", tail=EntityKey(f"n{j}"), provenance=source)
        for i, j in pairs
    ]
    return build_snapshot(nodes, edges)


def start(snapshot: Snapshot, dim: int, seed: int = 0) -> torch.Tensor:
    return start_axes(snapshot, dim, min_probability=0.5, seed=seed)


@pytest.mark.parametrize("dim", [1, 7, 8, 16, 64])
def test_coordinates_are_finite_bounded_and_as_many_as_asked_for(dim):
    for snapshot in (WORLD.train, two_cliques()):
        found = start(snapshot, dim)
        assert found.shape == (snapshot.num_entities, dim)
        assert torch.isfinite(found).all()
        assert found.abs().max() <= 2.5


def test_members_of_a_clique_start_nearer_than_strangers():
    snapshot = two_cliques()
    found = start(snapshot, 2)
    group = np.array([int(snapshot.entities.name(i)[1:]) // 5 for i in range(10)])
    apart = torch.cdist(found, found).numpy()
    same = group[:, None] == group[None, :]
    assert apart[same & ~np.eye(10, dtype=bool)].mean() < 0.5 * apart[~same].mean()


def test_countries_start_nearer_to_their_region_than_to_others():
    train = WORLD.train
    found, relation = start(train, 16), train.relation_id("in_region")
    regions = train.ids_with_label("Region")
    span = train.edges_of(relation)
    near = torch.cdist(found[train.heads[span]][:, :14], found[regions][:, :14]).numpy()
    assert (regions[near.argmin(1)] == train.tails[span]).mean() > 0.8


def test_parts_start_where_their_owner_does_and_move_nothing():
    train = WORLD.train
    found = start(train, 8)
    parts = np.flatnonzero(train.parents >= 0)
    assert torch.equal(found[parts], found[train.parents[parts]])


def test_a_seed_gives_the_same_bytes():
    assert torch.equal(start(WORLD.train, 16, seed=3), start(WORLD.train, 16, seed=3))


@pytest.mark.parametrize("geometry", ["cone", "rough"])
def test_relations_start_as_narrow_arcs_unless_published(geometry):
    torch.manual_seed(0)
    shape = GeometryConfig(dim=32, hidden=32, start_half_angle=0.3)
    widths = []
    for config in (shape, GeometryConfig(dim=32, hidden=32, published=True)):
        model = ConeModel(5, 4, ConeModelConfig(geometry=geometry, shape=config)).eval()
        cone = model.embed(STRUCTURES["1p"], torch.zeros(4, 1, 32), torch.arange(4)[:, None])
        half = cone.aperture / 2 if isinstance(cone, Cone) else cone.half_core
        widths.append(half.mean().item())
    assert 0.2 < widths[0] < 0.4
    assert widths[1] > 1.0


@pytest.mark.parametrize("angle", [0.0, -1.0, 3.2])
def test_a_wrong_start_is_refused(angle):
    with pytest.raises(SettingError, match="start_half_angle"):
        GeometryConfig(start_half_angle=angle)
    with pytest.raises(SettingError, match="start_scale"):
        ConeTrainingConfig(start_scale=-1.0)

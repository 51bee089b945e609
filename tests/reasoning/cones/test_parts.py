from dataclasses import replace

import numpy as np
import pytest
import torch

from kg.errors import InputError, SettingError, UnsupportedQueryError
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.part_encoder import HiddenFacts, PartEncoder, PartEncoderConfig
from reasoning.cones.parts import NUMBERS, PartFeatures, PartTable, scene_table, snapshot_table
from reasoning.cones.scene_neighbours import scene_neighbours
from tests.reasoning.flag_world import SHAPES, flag_world

WORLD = flag_world(18)


def table(width: int = 4) -> PartTable:
    return snapshot_table(
        WORLD.train, WORLD.features, label_relation="has_label", width=width, min_probability=0.5
    )


def encoder(region_dim: int = 0) -> PartEncoder:
    torch.manual_seed(0)
    config = PartEncoderConfig(width=16, heads=2, dropout=0.0)
    made = PartEncoder(
        6,
        num_relations=2 * WORLD.full.num_relations,
        num_classes=len(table().classes),
        region_dim=region_dim,
        config=config,
    )
    return made.eval()


def axes(made: PartEncoder, parts: PartTable, rows, *, owner: float = 0.0, **hidden):
    rows = np.asarray(rows)
    owners = torch.full((len(np.unique(parts.images[rows])), 24), owner)
    return made(parts, rows, hidden=HiddenFacts(**hidden), owners=owners).axes.detach()


def test_the_table_says_what_the_snapshot_says():
    found, train = table(), WORLD.train
    assert found.ids.tolist() == [i for i in range(train.num_entities) if train.parents[i] >= 0]
    for row, part in enumerate(found.ids):
        assert found.parents[row] == train.parents[part]
        known = train.neighbours(train.relation_id("has_label"), int(part))
        expected = 0 if len(known) == 0 else 1 + found.classes.tolist().index(known[0])
        assert found.labels[row] == expected
        beside = {
            (2 * train.relation_id("beside") + inverse, int(other))
            for inverse in (0, 1)
            for other in train.neighbours(
                train.relation_id("beside"), int(part), inverse=bool(inverse)
            )
        }
        listed = found.predicates[row] >= 0
        rows = found.neighbours[row][listed]
        assert beside == set(zip(found.predicates[row][listed], found.ids[rows], strict=True))


def test_held_out_labels_are_not_read():
    assert (table().labels == 0).sum() > 0
    whole = snapshot_table(
        WORLD.full, WORLD.features, label_relation="has_label", width=4, min_probability=0.5
    )
    assert (whole.labels > 0).all()


def test_parts_of_an_image_stand_together_and_attend_to_nothing_else():
    found = table()
    for image in range(len(found.image_bounds) - 1):
        rows = np.flatnonzero(found.images == image)
        assert sorted(found.rows_of(np.array([image]))) == rows.tolist()
        for row in rows:
            beside = found.neighbours[row][found.neighbours[row] >= 0]
            assert set(beside) == set(rows) - {row}
    both = found.rows_of(np.array([2, 5]))
    assert found.images[both].tolist() == sorted(found.images[both])


def test_surroundings_are_what_the_owner_stands_beside_but_parts_and_classes():
    found, train = table(), WORLD.train
    classes = {train.entity_id(f"shape:{s}") for s in SHAPES}
    for image in range(len(found.image_bounds) - 1):
        owner = int(found.parents[found.rows_of(np.array([image]))[0]])
        ends = set(train.tails[train.heads == owner]) | set(train.heads[train.tails == owner])
        expected = {int(e) for e in ends if train.parents[e] < 0} - classes
        listed = found.surroundings[image][found.surroundings[image] >= 0].tolist()
        assert set(listed) <= expected
        assert len(listed) == min(len(expected), found.surroundings.shape[1])


def test_neighbours_are_cut_to_the_width_one_of_each_predicate_first():
    edges = np.array([(0, 0, other) for other in range(1, 6)] + [(0, 1, 6)])
    centres = np.zeros((7, 2), np.float32)
    rows, relations = scene_neighbours(edges, np.zeros(7, np.int64), centres, 3)
    assert relations[0].tolist() == [0, 2, 0]
    assert rows[0].tolist() == [1, 6, 2]
    assert rows[6, 0] == 0
    assert relations[6, 0] == 3


def test_beside_predicates_the_nearest_parts_are_neighbours():
    centres = np.array([[0.0, 0], [1, 0], [3, 0], [3.5, 9], [50, 0], [0, 0]], np.float32)
    images = np.array([0, 0, 0, 0, 0, 1])
    rows, relations = scene_neighbours(np.array([[0, 2, 4]]), images, centres, 3)
    assert rows.tolist() == [[4, 1, 2], [0, 2, 3], [1, 0, 3], [2, 1, 0], [0, 2, 3], [-1, -1, -1]]
    assert relations[0].tolist() == [4, -1, -1]
    assert (relations[1] == -1).all()


def test_a_hidden_label_cannot_be_read_from_any_input():
    made, parts = encoder(), table()
    one = np.flatnonzero(parts.labels > 0)[:1]
    changed = parts.labels.copy()
    changed[one] = 1 + parts.labels[one] % len(parts.classes)
    other = replace(parts, labels=changed)
    hidden = axes(made, parts, one, labels=one)
    torch.testing.assert_close(axes(made, other, one, labels=one), hidden)
    assert not torch.allclose(axes(made, other, one), axes(made, parts, one))


def test_a_hidden_predicate_cannot_be_read_by_its_part():
    made, parts = encoder(), table()
    row = int(np.flatnonzero((parts.predicates >= 0).any(1))[0])
    code = int(parts.predicates[row].max())
    mask = (parts.predicates == code) & (np.arange(len(parts)) == row)[:, None]
    without = replace(parts, predicates=np.where(mask, -1, parts.predicates))
    expected = axes(made, without, [row])
    assert not torch.allclose(axes(made, parts, [row]), expected)
    hidden = axes(made, parts, [row], predicates=np.array([[row, code]]))
    torch.testing.assert_close(hidden, expected)


def test_a_label_hidden_from_the_parts_beside_cannot_be_read_by_them():
    made, parts = encoder(), table()
    row = int(np.flatnonzero(parts.neighbours[:, 0] >= 0)[0])
    beside = parts.neighbours[row][parts.neighbours[row] >= 0]
    labels = parts.labels.copy()
    labels[beside] = 0
    expected = axes(made, replace(parts, labels=labels), [row])
    assert not torch.allclose(axes(made, parts, [row]), expected)
    torch.testing.assert_close(axes(made, parts, [row], neighbours=beside), expected)


def test_what_is_sent_up_tells_which_neighbour_stands_where():
    made, parts = encoder(), table()
    row = int(np.flatnonzero((parts.neighbours >= 0).sum(1) >= 2)[0])
    first, second = parts.neighbours[row][:2]
    owners = torch.zeros(1, 24)

    def sent(one: int, other: int) -> torch.Tensor:
        labels = parts.labels.copy()
        labels[[first, second]] = one, other
        graph = made.graph(
            replace(parts, labels=labels), np.array([row]), hidden=HiddenFacts(), owners=owners
        )
        return (graph.around[graph.edge_index[0]] + graph.edge_attr).sum(0).detach()

    assert not torch.allclose(sent(1, 2), sent(2, 1), atol=1e-4)


def test_what_training_hides_at_random_follows_from_the_generator():
    made, parts = encoder(), table()
    rows = np.arange(len(parts))
    once, again = (
        axes(made, parts, rows, generator=torch.Generator().manual_seed(3)) for _ in range(2)
    )
    torch.testing.assert_close(once, again)
    assert not torch.allclose(once, axes(made, parts, rows))


def test_a_batch_equals_its_members():
    made, parts = encoder(), table()
    whole = axes(made, parts, np.arange(len(parts)))
    for row in range(len(parts)):
        torch.testing.assert_close(axes(made, parts, [row])[0], whole[row])
    assert (whole.abs() <= np.pi).all()


def test_a_new_image_gets_the_axes_that_it_would_have_in_the_graph():
    made, parts = encoder(), table()
    rows = np.flatnonzero(parts.images == 2)
    edges = [
        (int(np.flatnonzero(rows == row)[0]), int(code) // 2, int(np.flatnonzero(rows == n)[0]))
        for row in rows
        for n, code in zip(parts.neighbours[row], parts.predicates[row], strict=True)
        if code >= 0 and code % 2 == 0
    ]
    place = [int(np.flatnonzero(WORLD.features.ids == part)[0]) for part in parts.ids[rows]]
    features = PartFeatures(
        ids=np.arange(len(rows), dtype=np.int32),
        boxes=WORLD.features.boxes[place],
        area_shares=WORLD.features.area_shares[place],
    )
    new = scene_table(
        features,
        labels=parts.labels[rows].tolist(),
        edges=edges,
        parent=int(parts.parents[rows[0]]),
        width=4,
        classes=parts.classes,
    )
    torch.testing.assert_close(
        axes(made, new, np.arange(len(rows))), axes(made, parts, rows), atol=1e-5, rtol=1e-4
    )


def test_an_unknown_owner_is_not_read():
    made, parts = encoder(), table()
    nobody = replace(parts, parents=np.full(len(parts), -1, dtype=np.int64))
    rows = np.arange(3)
    with_zero = axes(made, nobody, rows)
    torch.testing.assert_close(axes(made, nobody, rows, owner=1.0), with_zero)
    assert not torch.allclose(axes(made, parts, rows, owner=1.0), axes(made, parts, rows))


def test_region_vectors_are_read():
    count = len(WORLD.features.ids)
    vectors = np.random.default_rng(0).normal(size=(count, 5)).astype(np.float32)
    with_pixels = replace(WORLD.features, regions=vectors)
    found = snapshot_table(
        WORLD.train, with_pixels, label_relation="has_label", width=4, min_probability=0.5
    )
    assert found.regions.shape == (count, 5)
    other = replace(found, regions=found.regions[::-1].copy())
    made = encoder(5)
    assert not torch.allclose(axes(made, found, [0, 1]), axes(made, other, [0, 1]))


def test_numbers_of_a_box():
    features = PartFeatures(
        ids=np.zeros(1, np.int32),
        boxes=np.array([[0.0, 0.25, 0.5, 0.75]], np.float32),
        area_shares=np.array([0.16], np.float32),
    )
    found = scene_table(
        features, labels=[0], edges=[], parent=-1, width=1, classes=np.zeros(0, np.int32)
    )
    assert found.numbers.shape == (1, NUMBERS)
    np.testing.assert_allclose(
        found.numbers[0], [-0.5, 0.0, 0.5, 0.5, 0.4, 0.5, 0.0, 1.0], atol=1e-6
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": np.zeros((1, 4), np.float32)},
        {"area_shares": np.zeros(3, np.float32)},
        {"regions": np.zeros((3, 2), np.float32)},
        {"boxes": np.full((2, 4), np.nan, np.float32)},
        {"ids": np.zeros(2, np.int32)},
    ],
)
def test_features_that_do_not_belong_together_are_refused(wrong):
    right = {
        "ids": np.arange(2, dtype=np.int32),
        "boxes": np.zeros((2, 4), np.float32),
        "area_shares": np.zeros(2, np.float32),
    }
    with pytest.raises(InputError):
        PartFeatures(**(right | wrong))


def test_features_of_what_is_no_part_are_refused_by_name():
    wrong = replace(WORLD.features, ids=np.arange(len(WORLD.features.ids), dtype=np.int32))
    with pytest.raises(InputError, match="country:00"):
        snapshot_table(WORLD.train, wrong, label_relation="has_label", width=4, min_probability=0.5)


@pytest.mark.parametrize("wrong", [{"labels": [5]}, {"labels": [0, 0]}, {"edges": [(0, 0, 1)]}])
def test_a_scene_that_names_what_is_not_there_is_refused(wrong):
    features = PartFeatures(
        ids=np.zeros(1, np.int32),
        boxes=np.zeros((1, 4), np.float32),
        area_shares=np.zeros(1, np.float32),
    )
    right = {"labels": [0], "edges": [], "parent": -1, "width": 2, "classes": np.zeros(1, np.int32)}
    with pytest.raises(InputError):
        scene_table(features, **(right | wrong))


@pytest.mark.parametrize("wrong", [{"width": 10, "heads": 4}, {"layers": 0}, {"hide_asked": "no"}])
def test_a_wrong_shape_is_refused(wrong):
    with pytest.raises(SettingError):
        PartEncoderConfig(**wrong)


def test_a_model_without_features_encodes_no_parts():
    config = ConeModelConfig(shape=GeometryConfig(dim=6, hidden=8))
    model = ConeModel(WORLD.full.num_entities, 2 * WORLD.full.num_relations, config)
    with pytest.raises(UnsupportedQueryError, match="part features"):
        model.encode(table(), np.arange(2))

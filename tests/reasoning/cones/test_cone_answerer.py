from dataclasses import replace

import numpy as np
import pytest

from kg.errors import SettingError, UnknownEntityError, UnsafeQueryError, UnsupportedQueryError
from kg.model import EdgeKey, EntityKey
from kg.snapshot import Snapshot
from reasoning.cones.answerer import ConeAnswerer
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.new_parts import new_part_scores
from reasoning.cones.part_encoder import PartEncoderConfig
from reasoning.cones.parts import PartFeatures, scene_table
from reasoning.cones.rough_answerer import RoughConeAnswerer
from reasoning.cones.training import train_cones
from reasoning.exact import evaluate
from reasoning.id_sets import directed_edges
from reasoning.protocols import Edits
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    Query,
    Union,
)
from reasoning.sampling import sample_queries
from reasoning.structures import STRUCTURES
from tests.reasoning.flag_world import FlagWorld, flag_world
from tests.reasoning.test_of_each import assert_joined

CONFIG = ConeTrainingConfig(
    model=ConeModelConfig(
        shape=GeometryConfig(dim=8, hidden=16),
        parts=PartEncoderConfig(width=16, heads=2, layers=1),
    ),
    epochs=1,
    steps=10,
    queries=40,
)
DISC = Anchor(EntityKey("shape:disc"))
FIRST = Anchor(EntityKey("country:00"))
DISC_PARTS = Projection("has_label", DISC, inverse=True)
PARTS_OF_FIRST = Projection("has_part", FIRST)
EXPORTS = Projection("exports_to", FIRST)


@pytest.fixture(scope="module")
def world() -> FlagWorld:
    return flag_world()


def answerer_of(world: FlagWorld, geometry: str) -> ConeAnswerer:
    model = train_cones(world.train, CONFIG, geometry=geometry, part_features=world.features)
    return (ConeAnswerer if geometry == "cone" else RoughConeAnswerer)(world.train, model)


@pytest.fixture(scope="module", params=["cone", "rough"])
def answerer(request, world) -> ConeAnswerer:
    return answerer_of(world, request.param)


@pytest.mark.parametrize("tree", [DISC_PARTS, Labelled("Country")], ids=["disc", "countries"])
def test_pages_join_to_the_whole(answerer: ConeAnswerer, tree: Query) -> None:
    assert_joined(answerer, tree, 7)


@pytest.fixture(scope="module")
def rough(world) -> RoughConeAnswerer:
    return answerer_of(world, "rough")


def mixed(snapshot: Snapshot) -> list[Query]:
    edges, draw = directed_edges(snapshot), np.random.default_rng(0)
    found = []
    for name in STRUCTURES:
        queries = sample_queries(STRUCTURES[name], 3, edges, generator=draw)
        found += [queries.tree(row, snapshot) for row in range(len(queries))]
    order = draw.permutation(len(found))
    return [found[i] for i in order]


def test_a_batch_equals_a_loop_for_all_fourteen_structures(answerer, world):
    trees = mixed(world.train)
    assert len(trees) > 30
    together = answerer.scores(trees)
    assert together.shape == (len(trees), world.train.num_entities)
    assert np.isfinite(together).all()
    alone = np.concatenate([answerer.scores([tree]) for tree in trees])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-3)


def test_known_answers_are_the_exact_evaluators_and_come_first(answerer, world):
    trees = mixed(world.train)
    for tree, found in zip(trees, answerer.answer(trees, 1000), strict=True):
        known = {world.train.entities.name(i) for i in evaluate(tree, world.train)}
        assert {a.entity for a in found.answers if a.status == "known"} == known
        assert found.total_known == len(known)
        statuses = [a.status for a in found.answers]
        assert statuses == sorted(statuses)
        assert len({a.entity for a in found.answers}) == len(found.answers)
        for answer in found.answers:
            assert 0.0 <= answer.lower <= answer.probability <= answer.upper <= 1.0
            assert (answer.region is None) == (answerer.geometry == "cone")


def test_likely_answers_follow_the_scores(answerer, world):
    [found] = answerer.answer([EXPORTS], 20)
    scores = answerer.scores([EXPORTS])[0]
    likely = [a for a in found.answers if a.status == "likely"]
    assert likely
    listed = [scores[world.train.entity_id(a.entity)] for a in likely]
    assert listed == sorted(listed, reverse=True)
    assert all(world.train.label_of(world.train.entity_id(a.entity)) == "Country" for a in likely)
    chances = [a.probability for a in likely]
    assert chances == sorted(chances, reverse=True)


def test_k_cuts_the_list_but_not_the_count(answerer):
    [found] = answerer.answer([EXPORTS], 2)
    assert len(found.answers) == 2
    assert found.total_known > 2
    with pytest.raises(SettingError):
        answerer.answer([EXPORTS], 0)


def test_entities_of_labels_that_the_relation_never_leads_to_come_last(answerer, world):
    scores = answerer.scores([EXPORTS])[0]
    countries = world.train.ids_with_label("Country")
    assert scores[countries].min() > np.delete(scores, countries).max()


def test_a_condition_at_the_answer_is_a_mask(answerer):
    wanted = Compare("name", "in", ("country:03", "country:06"))
    [found] = answerer.answer([Intersection((EXPORTS, wanted))], 50)
    assert {a.entity for a in found.answers} == {"country:03", "country:06"}
    [found] = answerer.answer([Intersection((EXPORTS, Negation(wanted)))], 50)
    assert not {a.entity for a in found.answers} & {"country:03", "country:06"}
    [found] = answerer.answer([Intersection((EXPORTS, Labelled("Shape")))], 50)
    assert found.answers == ()


def test_conditions_alone_are_answered_exactly(answerer):
    [found] = answerer.answer([Labelled("Shape")], 50)
    assert {a.status for a in found.answers} == {"known"}
    assert found.total_known == 4


def test_a_union_scores_as_its_best_branch(answerer):
    other = Projection("exports_to", Anchor(EntityKey("country:01")))
    both = answerer.scores([Union((EXPORTS, other))])[0]
    np.testing.assert_allclose(both, answerer.scores([EXPORTS, other]).max(0), rtol=1e-5, atol=1e-4)


def test_an_inner_label_that_the_hops_imply_is_dropped(answerer):
    plain = Projection("exports_to", EXPORTS)
    labelled = Projection("exports_to", Intersection((EXPORTS, Labelled("Country"))))
    np.testing.assert_allclose(
        answerer.scores([labelled]), answerer.scores([plain]), rtol=1e-5, atol=1e-4
    )


def test_an_inner_condition_alone_becomes_the_entities_that_meet_it(answerer):
    by_name = Projection("exports_to", Compare("name", "=", "country:00"))
    scores = answerer.scores([by_name, EXPORTS])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-5, atol=1e-4)
    labelled = Intersection((FIRST, Labelled("Country")))
    scores = answerer.scores([Projection("exports_to", labelled), EXPORTS])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-5, atol=1e-4)


def test_what_nothing_meets_has_no_answers(answerer):
    nobody = Projection("exports_to", Compare("name", "=", "nowhere"))
    wrong = Projection("exports_to", Intersection((FIRST, Labelled("Shape"))))
    two = Projection("exports_to", Intersection((FIRST, Anchor(EntityKey("country:01")))))
    for tree in (nobody, wrong, two):
        [found] = answerer.answer([tree], 5)
        assert found.answers == ()
        assert np.isfinite(answerer.scores([tree])).all()


@pytest.mark.parametrize(
    "condition",
    [Compare("name", "starts with", "country:0"), Labelled("Shape"), Labelled("Nothing")],
)
def test_a_condition_beside_a_path_at_an_inner_variable_is_refused(answerer, condition):
    tree = Projection("exports_to", Intersection((EXPORTS, condition)))
    with pytest.raises(UnsupportedQueryError, match="inner variable"):
        answerer.scores([tree])


def test_a_condition_that_too_many_meet_is_refused(answerer):
    with pytest.raises(UnsupportedQueryError, match="more than 16"):
        answerer.scores([Projection("exports_to", Labelled("Country"))])


def test_unsafe_and_unknown_are_refused(answerer):
    with pytest.raises(UnsafeQueryError):
        answerer.answer([Negation(EXPORTS)], 3)
    with pytest.raises(UnknownEntityError):
        answerer.answer([Projection("exports_to", Anchor(EntityKey("country:99")))], 3)


def test_a_negation_is_answered_beside_a_label(answerer):
    [found] = answerer.answer([Intersection((Labelled("Country"), Negation(EXPORTS)))], 100)
    assert found.total_known == 25
    assert len(found.answers) == 30


def test_edits_change_what_is_known(answerer):
    edge: EdgeKey = (EntityKey("country:00"), "exports_to", EntityKey("country:03"))
    [before] = answerer.answer([EXPORTS], 1)
    [after] = answerer.answer([EXPORTS], 100, edits=Edits(removed=frozenset({edge})))
    assert after.total_known == before.total_known - 1
    assert next(a for a in after.answers if a.entity == "country:03").status == "likely"


def test_known_answers_carry_proofs_when_asked(answerer):
    [found] = answerer.answer([EXPORTS], 50, with_proofs=True)
    assert all((a.proof is not None) == (a.status == "known") for a in found.answers)


def test_owners_change_the_order_of_parts_only_between_images(world, rough):
    tree = Intersection((PARTS_OF_FIRST, DISC_PARTS))
    without = RoughConeAnswerer(world.train, rough.model, owner_weight=0.0)
    one, other = rough.scores([tree])[0], without.scores([tree])[0]
    parents = np.asarray(world.train.parents)
    for parent in np.unique(parents[parents >= 0]):
        parts = np.flatnonzero(parents == parent)
        gains = one[parts] - other[parts]
        np.testing.assert_allclose(gains, gains[0], atol=1e-2)
    ordinary = np.flatnonzero(parents < 0)
    np.testing.assert_array_equal(one[ordinary], other[ordinary])
    with pytest.raises(SettingError):
        RoughConeAnswerer(world.train, rough.model, owner_weight=-1.0)


def test_the_parts_of_a_new_image_are_answered_without_training(world, rough):
    """A copy of a known image, as if it had come after training, is answered as that image is."""
    table = rough.model.table
    rows = table.rows_of(np.array([3]))
    place = [int(np.flatnonzero(world.features.ids == part)[0]) for part in table.ids[rows]]
    number = {int(row): at for at, row in enumerate(rows)}
    edges = [
        (number[int(row)], int(code) // 2, number[int(end)])
        for row in rows
        for end, code in zip(table.neighbours[row], table.predicates[row], strict=True)
        if code >= 0 and code % 2 == 0
    ]
    features = PartFeatures(
        ids=np.arange(len(rows), dtype=np.int32),
        boxes=world.features.boxes[place],
        area_shares=world.features.area_shares[place],
    )
    new = scene_table(
        features,
        labels=table.labels[rows].tolist(),
        edges=edges,
        parent=-1,
        width=rough.model.config.parts.neighbours,
        classes=table.classes,
    )
    trees = [DISC_PARTS, Union((DISC_PARTS, Projection("beside", DISC_PARTS)))]
    scores = new_part_scores(rough, trees, new)
    assert scores.shape == (2, len(rows))
    assert (scores[1] >= scores[0]).all()
    plain = RoughConeAnswerer(world.train, rough.model, owner_weight=0.0)
    with_owner = plain.scores(trees)[:, table.ids[rows]]
    assert np.abs(scores - with_owner).max() < 10.0  # the owner's axis is all that differs
    owned = replace(new, parents=table.parents[rows], surroundings=table.surroundings[[3]])
    known = new_part_scores(rough, trees, owned)
    np.testing.assert_allclose(known, with_owner, rtol=1e-3, atol=1e-2)


def test_a_larger_core_share_turns_core_into_rim(rough):
    def cores(share: float) -> int:
        rough.model.core_share.fill_(share)
        [found] = rough.answer([EXPORTS], 30)
        return sum(a.region == "core" for a in found.answers)

    before = float(rough.model.core_share)
    counts = [cores(share) for share in (0.0, 0.5, 1.01)]
    rough.model.core_share.fill_(before)
    assert counts[0] == 30
    assert counts[2] == 0
    assert counts == sorted(counts, reverse=True)


def test_a_model_that_does_not_fit_is_refused(world, rough):
    with pytest.raises(SettingError, match="geometry"):
        ConeAnswerer(world.train, rough.model)
    small = ConeModel(3, 2, ConeModelConfig(shape=GeometryConfig(dim=4, hidden=4)))
    with pytest.raises(SettingError, match="entities"):
        ConeAnswerer(world.train, small)

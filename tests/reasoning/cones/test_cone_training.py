from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluation.ranks import mrr, query_ranks
from kg.errors import (
    CheckpointMismatchError,
    ForeignFileError,
    InputError,
    MissingPartError,
    SettingError,
)
from kg.snapshot import Snapshot
from reasoning.cones.batches import BatchSettings
from reasoning.cones.checkpoint import load_cones, save_cones
from reasoning.cones.cone import GeometryConfig
from reasoning.cones.config import ConeTrainingConfig
from reasoning.cones.losses import query_loss
from reasoning.cones.model import ConeModel, ConeModelConfig
from reasoning.cones.part_encoder import PartEncoderConfig
from reasoning.cones.training import train_cones
from reasoning.cones.validation import log_odds, validation_split
from reasoning.structures import STRUCTURES
from tests.reasoning.flag_world import FlagWorld, flag_world

WORLD = flag_world()
SMALL = ConeTrainingConfig(
    model=ConeModelConfig(
        shape=GeometryConfig(dim=16, hidden=32, dropout=0.1),
        parts=PartEncoderConfig(width=16, heads=2, layers=1),
    ),
    batches=BatchSettings(queries=32, pool=64, strangers=32, part_share=0.6),
    epochs=3,
    steps=4,
    queries=60,
)
LONGER = replace(SMALL, epochs=6, steps=30, patience=8)


def one_hop_scores(model: ConeModel, head: int, code: int) -> np.ndarray:
    with torch.no_grad():
        ids = torch.arange(model.num_entities)
        axes = model.axes(ids)
        cone = model.embed(STRUCTURES["1p"], axes[head][None, None], torch.tensor([[code]]))
        return model.scores(cone, axes, ids)[0].numpy()


def held_out_mrr(model: ConeModel, world: FlagWorld) -> float:
    """The held-out label's parts, each among the other parts of its image that lack that label."""
    full, relation = world.full, world.full.relation_id("has_label")
    found = []
    for head, tail in zip(
        *(a[full.edges_of(relation)] for a in (full.heads, full.tails)), strict=True
    ):
        if world.train.has_edge(int(head), relation, int(tail)):
            continue
        siblings = np.flatnonzero(full.parents == full.parents[head])
        scores = one_hop_scores(model, int(tail), 2 * relation + 1)[siblings]
        found.append(mrr(query_ranks(scores, hard=np.flatnonzero(siblings == head))))
    return float(np.mean(found))


@pytest.fixture(scope="module", params=["cone", "rough"])
def trained(request) -> ConeModel:
    return train_cones(WORLD.train, LONGER, geometry=request.param, part_features=WORLD.features)


@pytest.fixture(scope="module")
def free() -> ConeModel:
    """Without features of parts: each part has axes of its own."""
    return train_cones(WORLD.train, replace(LONGER, epochs=2))


def test_training_beats_the_frequent_tail(trained):
    full, train, relation = WORLD.full, WORLD.train, WORLD.full.relation_id("exports_to")
    countries = full.ids_with_label("Country")
    frequency = np.bincount(train.tails[train.edges_of(relation)], minlength=full.num_entities)
    ours, frequent = [], []
    for head in countries:
        every = full.neighbours(relation, int(head))
        easy = train.neighbours(relation, int(head))
        hard = np.searchsorted(countries, np.setdiff1d(every, easy))
        if len(hard):
            known = np.searchsorted(countries, easy)
            scores = one_hop_scores(trained, int(head), 2 * relation)[countries]
            ours.append(mrr(query_ranks(scores, hard, known)))
            frequent.append(mrr(query_ranks(frequency[countries].astype(float), hard, known)))
    assert np.mean(ours) > np.mean(frequent)


def test_the_encoder_finds_labels_that_free_axes_cannot(trained, free):
    assert held_out_mrr(trained, WORLD) > 0.7  # at random 0.60
    assert held_out_mrr(trained, WORLD) > held_out_mrr(free, WORLD)


def state(model: ConeModel) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


def same(one: ConeModel, other: ConeModel) -> bool:
    first, second = state(one), state(other)
    return first.keys() == second.keys() and all(
        first[name].tobytes() == second[name].tobytes() for name in first
    )


@pytest.mark.parametrize("geometry", ["cone", "rough"])
def test_a_seed_gives_the_same_bytes_and_leaves_the_global_state(geometry):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    runs = [
        train_cones(WORLD.train, SMALL, geometry=geometry, seed=s, part_features=WORLD.features)
        for s in (1, 1, 2)
    ]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), before)


def test_an_interrupted_run_goes_on_where_it_stood(tmp_path):
    whole = train_cones(WORLD.train, SMALL, part_features=WORLD.features)
    seen: list[int] = []

    def stop(done: int, _total: int) -> None:
        seen.append(done)
        if done == 9:  # in the third epoch
            raise KeyboardInterrupt

    again = {"resume_folder": tmp_path / "run", "part_features": WORLD.features}
    with pytest.raises(KeyboardInterrupt):
        train_cones(WORLD.train, SMALL, progress=stop, **again)
    seen.clear()
    resumed = train_cones(WORLD.train, SMALL, progress=lambda done, _: seen.append(done), **again)
    assert seen[0] == 8
    assert seen[-1] == 12
    assert same(resumed, whole)
    assert not (tmp_path / "run").exists()


def test_the_state_of_another_run_is_not_taken_up(tmp_path):
    def stop(done: int, _total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_cones(WORLD.train, SMALL, progress=stop, resume_folder=tmp_path)
    seen: list[int] = []
    other = replace(SMALL, learning_rate=1e-3)
    train_cones(
        WORLD.train, other, progress=lambda done, _: seen.append(done), resume_folder=tmp_path
    )
    assert seen[0] == 0


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("geometry", ["cone", "rough"])
@pytest.mark.parametrize("loss", ["softmax", "margin"])
def test_every_setting_trains(geometry, loss, published):
    shape = replace(SMALL.model.shape, published=published)
    config = replace(SMALL, loss=loss, epochs=1, model=replace(SMALL.model, shape=shape))
    model = train_cones(WORLD.train, config, geometry=geometry)
    assert all(np.isfinite(value).all() for value in state(model).values())


def test_a_model_comes_back_as_it_was_saved(tmp_path):
    model = train_cones(WORLD.train, SMALL, geometry="rough", part_features=WORLD.features)
    save_cones(model, tmp_path, WORLD.train)
    loaded = load_cones(tmp_path, WORLD.train)
    assert same(model, loaded)
    assert loaded.config == model.config
    np.testing.assert_array_equal(one_hop_scores(loaded, 0, 1), one_hop_scores(model, 0, 1))
    with pytest.raises(CheckpointMismatchError):
        load_cones(tmp_path, WORLD.full)
    with pytest.raises(MissingPartError):
        load_cones(tmp_path / "nothing", WORLD.train)


def test_tensors_that_do_not_fit_are_refused(tmp_path):
    model = train_cones(WORLD.train, SMALL)
    model.num_entities += 1
    save_cones(model, tmp_path, WORLD.train)
    with pytest.raises(ForeignFileError):
        load_cones(tmp_path, WORLD.train)


@given(st.integers(0, 1000))
def test_losses_are_their_formulas(seed):
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=(3, 6))
    positive = draw.random((3, 6)) < 0.3
    ignored = (draw.random((3, 6)) < 0.2) & ~positive
    sigma = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    total = {"softmax": 0.0, "margin": 0.0}
    weight = 0.0
    for s, p, i in zip(scores, positive, ignored, strict=True):
        out = s[~(p | i)]
        for value in s[p]:
            total["softmax"] -= (
                np.log(np.exp(value) / (np.exp(value) + np.exp(out).sum())) / p.sum() ** 0.5
            )
            away = -np.log(sigma(-out)).mean() if len(out) else 0.0
            total["margin"] += (-np.log(sigma(value)) + away) / p.sum() ** 0.5
        weight += p.sum() ** 0.5
    tensors = [torch.tensor(a) for a in (scores, positive, ignored)]
    for kind, expected in total.items():
        found = query_loss(*tensors, kind).item()
        np.testing.assert_allclose(found, expected / weight if weight else 0.0, atol=1e-9)


def test_the_validation_split_keeps_pairs_together():
    def pairs(graph: Snapshot) -> set[tuple[int, int]]:
        span = graph.edges_of(graph.relation_id("exports_to"))
        return set(zip(graph.heads[span].tolist(), graph.tails[span].tolist(), strict=True))

    kept = validation_split(WORLD.full, share=0.2, seed=0)
    assert kept.num_edges < WORLD.full.num_edges
    assert validation_split(WORLD.full, share=0.0, seed=0).num_edges == WORLD.full.num_edges
    assert pairs(kept) < pairs(WORLD.full)


def test_log_odds_are_those_of_the_share():
    scores = np.array([1.0, 2.0, 0.0, 9.0], dtype=np.float32)
    among = np.array([True, True, True, False])
    share = np.exp(scores[:3]) / np.exp(scores[:3]).sum()
    np.testing.assert_allclose(log_odds(scores, among)[:3], np.log(share / (1 - share)), rtol=1e-6)
    assert log_odds(scores, among)[3] < -1e20


def test_calibration_fits_the_best_candidates_of_held_out_queries(trained):
    slope, _ = trained.calibration.tolist()
    assert slope > 0.0
    assert 0.0 <= trained.core_share.item() <= 1.0


def test_a_graph_without_edges_is_refused():
    nothing = WORLD.full.keeping(np.zeros(WORLD.full.num_edges, dtype=bool))
    with pytest.raises(InputError, match="without edges"):
        train_cones(nothing, SMALL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"structures": ("9p",)},
        {"epochs": 0},
        {"loss": "hinge"},
        {"valid_share": 1.0},
        {"structures": ()},
    ],
)
def test_a_wrong_setting_is_refused(wrong):
    with pytest.raises(SettingError):
        ConeTrainingConfig(**wrong)

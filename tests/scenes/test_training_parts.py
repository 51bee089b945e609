"""The pieces that training is made of: drawings, descriptors, assignment, networks, calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kg.errors import InputError
from scenes.assignment import assign
from scenes.calibration import apply_platt, fit_platt
from scenes.descriptors import DESCRIPTORS, describe_regions
from scenes.lexicon import LABELS
from scenes.network import Network, NetworkConfig, train_network
from scenes.patches import PatchExpert, pool_patches, train_patch_expert
from scenes.phrasing import DESCRIBED_PREDICATES
from scenes.predicates import FrequencyPrior, PairSet, described_pairs, train_predicates
from scenes.regions import segment
from scenes.rules import labels_by_rules
from scenes.shapes import DRAWN_LABELS, drawn_scene
from scenes.wording import read_description
from tests.scenes.drawing import GREEN, RED, WHITE, YELLOW, Flag, bands, crescent_and_star

FLAGS = Path(__file__).parents[2] / "examples" / "countries" / "flags"


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_drawings_are_whole_scenes_of_known_labels(seed: int) -> None:
    regions, labels = drawn_scene(np.random.default_rng(seed))
    assert len(regions) == len(labels) > 0
    assert set(labels) <= set(DRAWN_LABELS) <= set(LABELS)
    assert max(sum(r.mask.astype(int) for r in regions).ravel()) == 1
    described = describe_regions(regions)
    assert described.shape == (len(regions), len(DESCRIPTORS))
    assert np.isfinite(described).all()


def numbers(flag: np.ndarray, part: int) -> dict[str, float]:
    return dict(zip(DESCRIPTORS, describe_regions(segment(flag))[part].tolist(), strict=True))


def test_descriptors_say_what_a_person_sees() -> None:
    crescent = numbers(crescent_and_star(), 1)
    star = numbers(crescent_and_star(), 2)
    disc = numbers(Flag(WHITE).disc(120, 80, 40, RED).pixels(), 1)
    assert round(crescent["bays"] * 4) == 1
    assert round(star["bays"] * 4) == 5
    assert round(disc["bays"] * 4) == 0
    assert disc["circularity"] == pytest.approx(1.0, abs=0.1)
    assert disc["filled_rectangularity"] == pytest.approx(np.pi / 4, abs=0.03)
    assert star["circularity"] < 0.6
    assert crescent["flip_y"] > 0.9 > crescent["flip_x"]
    band = numbers(bands(RED, WHITE, GREEN).pixels(), 0)
    assert band["spans_width"] == 1.0
    assert band["filled_rectangularity"] == 1.0


def test_shape_numbers_stay_when_a_figure_is_moved_and_grown() -> None:
    one = numbers(Flag(RED).star(60, 60, 24, WHITE).pixels(), 1)
    other = numbers(Flag(RED).star(150, 90, 48, WHITE).pixels(), 1)
    for name in ("filled_solidity", "filled_rectangularity", "flip_x", "bay_share", "wave5"):
        assert one[name] == pytest.approx(other[name], abs=0.06)


def test_rules_label_the_plain_figures() -> None:
    flag = Flag(RED).disc(70, 80, 30, WHITE).star(180, 80, 30, YELLOW).pixels()
    ruled = labels_by_rules(describe_regions(segment(flag)))
    assert [LABELS[n] for n in ruled] == ["field", "disc", "star"]


def opinion(rows: int) -> np.ndarray:
    return np.full((rows, len(LABELS)), np.log(1 / len(LABELS)))


def test_assignment_follows_colours_and_leaves_the_rest_to_other() -> None:
    flag = Flag(RED).disc(60, 80, 30, WHITE).disc(180, 80, 20, YELLOW).pixels()
    regions = segment(flag)
    said = read_description("red with a white star")
    found = assign(said, regions, opinion(len(regions)))
    assert [LABELS[n] for n in found.label] == ["field", "star", "other"]
    assert found.weight.tolist() == [1.0, 1.0, 0.5]


def test_assignment_respects_counts_and_the_classifier() -> None:
    flag = Flag(RED).star(60, 80, 20, WHITE).star(180, 80, 18, WHITE).disc(120, 80, 22, WHITE)
    regions = segment(flag.pixels())
    log_probability = opinion(len(regions))
    disc = next(n for n, r in enumerate(regions) if 95 < r.box_xyxy[0] < 105)
    log_probability[disc, LABELS.index("star")] = np.log(1e-4)
    found = assign(read_description("red with two white stars"), regions, log_probability)
    assert LABELS[found.label[disc]] == "other"
    assert (found.label == LABELS.index("star")).sum() == 2


def test_what_the_text_leaves_open_teaches_nothing() -> None:
    regions = segment(crescent_and_star())
    said = read_description("the flag of France is used")
    assert not assign(said, regions, opinion(len(regions))).weight.any()


def test_described_relations_become_pairs_of_regions() -> None:
    regions = segment(Flag(RED).disc(120, 80, 40, WHITE).star(120, 80, 20, GREEN).pixels())
    said = read_description("red with a white disk in the center that has a green star")
    pairs = described_pairs(said, regions, assign(said, regions, opinion(len(regions))))
    named = {
        (int(s), DESCRIBED_PREDICATES[p], int(o))
        for (s, o), p in zip(pairs.pairs.tolist(), pairs.predicate.tolist(), strict=True)
        if p < len(DESCRIBED_PREDICATES)
    }
    assert named == {(1, "centred_on", 0), (1, "charged_with", 2)}
    assert len(pairs.pairs) == 6


def test_the_frequency_prior_counts() -> None:
    regions = segment(bands(RED, WHITE).pixels())
    labels = np.full(2, LABELS.index("band"))
    pairs = PairSet.of(regions, labels, (0, 1))
    above = DESCRIBED_PREDICATES.index("above")
    named = PairSet(
        pairs=pairs.pairs,
        labels=pairs.labels,
        measures=pairs.measures,
        predicate=np.array([above, len(DESCRIBED_PREDICATES)]),
    )
    prior = FrequencyPrior.fit([named] * 20)
    assert prior.joint(pairs)[0, above] == pytest.approx(0.5, abs=0.05)
    assert prior.joint(pairs).argmax(axis=1).tolist() == [above, above]
    model = train_predicates([named] * 20, NetworkConfig(hidden=8, epochs=400, members=1), seed=0)
    assert model.joint(pairs)[0, above] > 0.6 > 0.4 > model.joint(pairs)[1, above]
    with pytest.raises(InputError, match="states a relation"):
        train_predicates([pairs], NetworkConfig(members=1, epochs=1), seed=0)


def test_a_network_survives_its_arrays_and_agrees_with_the_layers_written_out() -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(200, 3))
    classes = (inputs[:, 0] > 0).astype(np.int64) + 2 * (inputs[:, 1] > 1)
    network = train_network(
        inputs,
        classes,
        np.ones(200),
        count=6,
        config=NetworkConfig(hidden=8, epochs=80, members=2, batch=16),
        seed=0,
    )
    p = network.probabilities(inputs)
    assert p.sum(axis=1) == pytest.approx(np.ones(200))
    assert (p.argmax(axis=1) == classes).mean() > 0.9
    assert p[:, 4:].max() < 1e-6  # never seen
    by_hand = np.zeros((200, 6))
    for first, first_bias, second, second_bias in network.weights:
        hidden = np.maximum((inputs - network.mean) / network.scale @ first + first_bias, 0)
        grown = np.exp(hidden @ second + second_bias)
        by_hand += grown / grown.sum(axis=1, keepdims=True) / 2
    assert p == pytest.approx(by_hand)
    again = Network.from_arrays("x.", network.arrays("x."))
    assert np.array_equal(again.probabilities(inputs), p)
    with pytest.raises(InputError, match="numbers a row"):
        network.probabilities(inputs[:, :2])
    arrays = network.arrays("x.")
    del arrays["x.scale"]
    with pytest.raises(InputError, match="lacks"):
        Network.from_arrays("x.", arrays)


@pytest.mark.parametrize("classes", [[2, 2, 2, 2], [1, 1, 4, 4]])
def test_a_network_of_one_or_two_classes_works(classes: list[int]) -> None:
    inputs = np.array([[0.0], [0.1], [5.0], [5.1]])
    network = train_network(
        inputs,
        np.array(classes),
        np.ones(4),
        count=5,
        config=NetworkConfig(hidden=4, epochs=200, members=1),
        seed=0,
    )
    assert network.probabilities(inputs).argmax(axis=1).tolist() == classes


def test_calibration_repairs_an_overconfident_opinion_and_keeps_the_order() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random(4000) < 0.5
    honest = np.where(truth, 0.7, 0.3)
    honest = np.where(generator.random(4000) < 0.3, 1 - honest, honest)
    loud = np.where(honest > 0.5, 0.99, 0.01)
    slope, shift = fit_platt(loud, truth)
    repaired = apply_platt(loud, slope, shift)
    said_yes = loud > 0.5
    assert repaired[said_yes].mean() == pytest.approx(truth[said_yes].mean(), abs=0.01)
    assert slope > 0


def test_patches_are_pooled_by_covered_area() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:4, :6] = True
    region = segment(crescent_and_star())[0]
    region = type(region)(box_xyxy=(0, 0, 6, 4), mask=mask, colour="red", rgb=(1, 1, 1))
    tokens = np.eye(4)
    pooled = pool_patches(tokens, (2, 2), [region])
    assert pooled[0] == pytest.approx(np.array([4, 2, 0, 0]) / 6 - 0.25)
    with pytest.raises(InputError, match="grid"):
        pool_patches(tokens, (3, 3), [region])


def test_a_patch_expert_learns_and_survives_its_arrays() -> None:
    generator = np.random.default_rng(0)
    classes = np.repeat([0, 3, 5], 30)
    pooled = np.eye(6)[classes] + generator.normal(scale=0.1, size=(90, 6))
    expert = train_patch_expert(pooled, classes, np.ones(90), count=7)
    assert (expert.probabilities(pooled).argmax(axis=1) == classes).all()
    again = PatchExpert.from_arrays(expert.arrays())
    assert again is not None
    assert np.array_equal(again.probabilities(pooled), expert.probabilities(pooled))
    assert PatchExpert.from_arrays({}) is None
    with pytest.raises(InputError):
        expert.probabilities(pooled[:, :3])


@pytest.mark.parametrize(
    ("key", "parts"), [("TR", 3), ("JP", 2), ("FR", 3), ("CN", 6), ("SE", 5), ("TN", 4)]
)
def test_committed_flags_fall_into_the_parts_that_one_counts(key: str, parts: int) -> None:
    with Image.open(FLAGS / f"{key}.png") as opened:
        picture = np.asarray(opened.convert("RGB"))
    assert len(segment(picture)) == parts

"""The network that begins as the cosine: it is one, training adds to it, and it is kept whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kg.errors import SettingError
from linkers.cosine_start import ADDED, CosineStart
from linkers.items import Items
from linkers.matching import MatchingConfig
from linkers.networks import matching_network
from linkers.training import Pairs, fit_matching, reciprocal_ranks
from tests.linkers.test_matching import items

CONFIG = MatchingConfig(
    text_dimension=10, image_dimension=6, dimension=8, parts="global", start="cosine"
)


def fresh(config: MatchingConfig = CONFIG) -> CosineStart:
    network = matching_network(config, generator=torch.Generator().manual_seed(0)).eval()
    assert isinstance(network, CosineStart)
    return network


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def scores(network, mentions: Items, entities: Items):
    with torch.inference_mode():
        found, present = network(
            network.encode(mentions, "mention"), network.encode(entities, "entity")
        )
        cosines = found / network.log_scale.exp()[:, None, None]
    return cosines.numpy(), present.numpy()


def about_the_mean(side: Items, middle):
    return unit(side.image.numpy() - middle)


def test_an_untrained_network_is_the_cosine_of_its_encoders() -> None:
    network, mentions, entities = fresh(), items(5, 1), items(7, 2)
    network.centre(mentions, entities)
    found, present = scores(network, mentions, entities)
    assert present.all()
    theirs = entities.image.numpy().mean(axis=0)
    mine = (mentions.image.numpy().sum(axis=0) + 8 * theirs) / 13
    pictures = about_the_mean(mentions, mine) @ about_the_mean(entities, theirs).T
    # of texts less their mean: the layer norm of the text that either network has
    words = [side.text.numpy() for side in (mentions, entities)]
    mention, entity = (unit(rows - rows.mean(axis=1, keepdims=True)) for rows in words)
    expected = (mention @ entity.T, pictures, mention @ entity.T, pictures)
    np.testing.assert_allclose(found, np.stack(expected), atol=1e-4)


def test_a_side_without_pictures_moves_no_centre() -> None:
    network, blind = fresh(), items(4, 1, image=[False] * 4)
    network.centre(blind, blind)
    assert not network.centres.any()
    shown = items(3, 2)
    network.centre(blind, shown)
    torch.testing.assert_close(network.centres[0], shown.image.mean(dim=0))
    _, present = scores(network, blind, shown)
    assert not present[1:].any()


def pairs(count: int, seed: int) -> tuple[Items, Pairs]:
    """Return entities, and mentions whose pictures share half of the numbers with theirs."""
    entities = items(count, seed, text=[False] * count)
    image = entities.image.clone()
    image[:, 3:] = 2 * torch.randn(count, 3, generator=torch.Generator().manual_seed(seed + 1))
    return entities, Pairs(mentions=replace(entities, image=image), gold=np.arange(count))


def test_training_adds_to_the_cosine() -> None:
    entities, known = pairs(60, 3)
    rows = torch.arange(40)
    train = Pairs(mentions=known.mentions.take(rows), gold=known.gold[:40])
    new = Pairs(mentions=known.mentions.take(torch.arange(40, 60)), gold=known.gold[40:])
    schedule = replace(CONFIG, batch=20, epochs=12, image_learning_rate=0.02, pull=0.1)
    nothing = Pairs(mentions=known.mentions.take(torch.arange(0)), gold=known.gold[:0])
    before = fresh()
    before.centre(train.mentions, entities)
    after = fit_matching(entities, train, nothing, config=schedule, seed=0)
    ranks = [reciprocal_ranks(one, entities, new).mean() for one in (before, after)]
    assert ranks[1] > ranks[0] + 0.05


def test_strong_pull_keeps_the_cosine() -> None:
    entities, train = pairs(30, 3)
    sizes = []
    for pull in (0.0, 500.0):
        schedule = replace(CONFIG, batch=15, epochs=6, image_learning_rate=2e-3, pull=pull)
        after = fit_matching(entities, train, train, config=schedule, seed=0)
        sizes.append(float(after.get_parameter("image_adapter.weight").detach().norm()))
    assert sizes[1] < 0.5 * sizes[0]


def test_every_added_part_is_trained() -> None:
    entities, mentions = items(12, 5), items(12, 5)
    train = Pairs(mentions=mentions, gold=np.arange(12))
    after = fit_matching(
        entities, train, train, config=replace(CONFIG, parts="both", batch=6, epochs=1), seed=3
    )
    assert all(bool(after.get_parameter(f"{name}.weight").any()) for name in ADDED)


def test_words_alone_learn_the_same_from_either_start() -> None:
    entities, mentions = (items(12, seed, image=[False] * 12) for seed in (5, 6))
    train = Pairs(mentions=mentions, gold=np.arange(12))
    found = []
    for start in ("cosine", "random"):
        schedule = replace(CONFIG, start=start, batch=6, epochs=2, image_learning_rate=1e-2)
        network = fit_matching(entities, train, train, config=schedule, seed=3)
        found.append(reciprocal_ranks(network, entities, train))
    np.testing.assert_array_equal(*found)


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SettingError, match="start must be one of"):
        replace(CONFIG, start="warm")
    with pytest.raises(SettingError, match="parts, objective or start"):
        replace(CONFIG, parts="both", formulas="paper")
    with pytest.raises(SettingError, match="image_learning_rate"):
        replace(CONFIG, image_learning_rate=0.0)
    with pytest.raises(SettingError, match="pull must not be negative"):
        replace(CONFIG, pull=-1.0)

"""The published formulas against a slow re-reading, and that they train and are kept like ours."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import SettingError
from linkers.items import Items
from linkers.m3el_paper import (
    PaperNetwork,
    paper_contrastive_loss,
    paper_matching_loss,
)
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.networks import matching_network
from linkers.training import Pairs, fit_matching
from tests.linkers.test_matching import items

BOTH = MatchingConfig(text_dimension=10, image_dimension=6, dimension=8, formulas="paper")
ONE = replace(BOTH, formulas="paper, one direction")


def softmax(values):
    values = np.exp(np.asarray(values) - np.max(values))
    return values / values.sum()


def linear(layer, x):
    return layer.weight.numpy() @ x + layer.bias.numpy()


def norm(layer, x):
    return (
        (x - x.mean()) / np.sqrt(x.var() + layer.eps) * layer.weight.numpy()
    ) + layer.bias.numpy()


def csra(config, rows):
    heads = []
    for temperature in config.temperatures:
        attended = [
            column.max() if temperature >= 99 else column @ softmax(temperature * column)
            for column in rows.T
        ]
        heads.append(rows.mean(axis=0) + config.residual * np.array(attended))
    return np.mean(heads, axis=0)


def sides(network, item: Items):
    """Return t, v, T and V after the norms; nothing is masked."""
    text_mask, image_mask = item.text_mask[0].numpy(), item.image_mask[0].numpy()
    words = item.text_tokens[0].numpy() * text_mask[:, None]
    patches = item.image_tokens[0].numpy() * image_mask[:, None]
    return (
        norm(network.text_norm, item.text[0].numpy()),
        norm(network.image_norm, linear(network.shrink, item.image[0].numpy())),
        np.stack([norm(network.text_token_norm, w) for w in words]),
        np.stack(
            [norm(network.image_token_norm, linear(network.shrink_tokens, p)) for p in patches]
        ),
    )


def crossed(network, source, tokens):
    cross, config = network.cross, network.config

    def attend(query, rows):
        weights = softmax([query @ linear(cross.mix, row) for row in rows])
        return np.maximum(linear(cross.mix, weights @ rows), 0)

    first = attend(source, tokens)
    rest = np.stack([attend(token, source[None]) for token in tokens])
    if config.formulas == "paper":
        gate = np.tanh(linear(cross.gate, source))
        return norm(cross.norm, gate * source + csra(config, np.vstack([first[None], rest])))
    pooled = csra(config, rest)
    share = 1 / (1 + np.exp(-(linear(cross.gate, first) + linear(cross.gate, pooled))))
    return norm(cross.norm, first * share + pooled * (1 - share))


def naive_units(network, mention: Items, entity: Items) -> list[float]:
    m, e = sides(network, mention), sides(network, entity)
    units = []
    for layers, whole, tokens in ((network.text, 0, 2), (network.image, 1, 3)):
        keys = np.stack([linear(layers.key, row) for row in m[tokens]])
        values = np.stack([linear(layers.value, row) for row in m[tokens]])
        context = np.mean(
            [
                softmax(keys @ linear(layers.query, row) / math.sqrt(network.config.dimension))
                @ values
                for row in e[tokens]
            ],
            axis=0,
        )
        local = linear(layers.chosen, e[whole]) @ norm(layers.norm, context)
        units.append((m[whole] @ e[whole] + local) / 2)
    for source, tokens, project, project_tokens in (
        (0, 3, network.cross.text, network.cross.image),
        (1, 2, network.cross.image, network.cross.text),
    ):
        vectors = [
            crossed(
                network,
                linear(project, side[source]),
                np.stack([linear(project_tokens, row) for row in side[tokens]]),
            )
            for side in (m, e)
        ]
        units.append(vectors[0] @ vectors[1])
    return units


@pytest.mark.parametrize("config", [BOTH, ONE])
def test_scores_equal_the_published_formulas(config: MatchingConfig) -> None:
    network = matching_network(config, generator=torch.Generator().manual_seed(0)).eval()
    mentions, entities = items(2, 1), items(3, 2, length=6)
    with torch.inference_mode():
        scores, present = network(
            network.encode(mentions, "mention"), network.encode(entities, "entity")
        )
        for b in range(2):
            for n in range(3):
                naive = naive_units(
                    network, mentions.take(torch.tensor([b])), entities.take(torch.tensor([n]))
                )
                there = present[:, b, n].numpy()
                np.testing.assert_allclose(scores[:, b, n].numpy(), naive * there, atol=2e-4)
    assert present[:3].all()
    assert bool(present[3].all()) == (config is BOTH)


def test_what_is_missing_counts_as_zeros_there() -> None:
    network = matching_network(BOTH, generator=torch.Generator().manual_seed(0)).eval()
    mentions = items(2, 1, image=[True, False])
    with torch.inference_mode():
        encoded = network.encode(mentions, "mention")
    assert encoded.present.all()
    assert encoded.masks[0].all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 5))
def test_losses_equal_double_loops(seed: int, size: int) -> None:
    generator = np.random.default_rng(seed)
    m, e = generator.normal(size=(2, size, 4))
    ours = paper_contrastive_loss(
        torch.from_numpy(m), torch.from_numpy(e), temperature=0.3, inter=1.0, intra=0.8
    )
    m, e = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (m, e))
    total = 0.0
    for x, y in ((e, m), (m, e)):
        for i in range(size):
            row = [x[i] @ y[j] / 0.3 for j in range(size)]
            row += [(i != j) * 0.8 * (x[i] @ x[j]) / 0.3 for j in range(size)]
            total -= math.log(softmax(row)[i]) / size / 2
    assert float(ours) == pytest.approx(total, abs=1e-9)
    scores = generator.normal(size=(3, size, size))
    present = np.ones_like(scores, dtype=bool)
    present[2] = False
    expected = sum(
        -math.log(softmax(unit[i])[i]) / size
        for unit in (scores[:2].mean(axis=0), *scores[:2])
        for i in range(size)
    )
    loss = paper_matching_loss(torch.from_numpy(scores), torch.from_numpy(present))
    assert float(loss) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("config", [BOTH, ONE])
def test_the_published_network_trains_every_parameter(config: MatchingConfig) -> None:
    entities, mentions = items(12, 5), items(12, 5)
    pairs = Pairs(mentions=mentions, gold=np.arange(12))
    schedule = replace(config, batch=6, epochs=1)
    before = matching_network(config, generator=torch.Generator().manual_seed(3)).state_dict()
    after = fit_matching(
        entities, pairs, Pairs(mentions=mentions, gold=np.arange(12)), config=schedule, seed=3
    )
    assert isinstance(after, PaperNetwork)
    # a bias that moves all logits of a softmax alike has no gradient
    still = {n for n, v in after.state_dict().items() if torch.equal(v, before[n])}
    assert {name for name in still if not name.endswith("key.bias")} == set()


def test_the_default_is_the_mended_network() -> None:
    shape = MatchingConfig(text_dimension=4, image_dimension=3)
    network = matching_network(shape, generator=torch.Generator().manual_seed(0))
    assert type(network) is MatchingNetwork


def test_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SettingError, match="formulas must be one of"):
        replace(BOTH, formulas="printed")
    with pytest.raises(SettingError, match="no other parts"):
        replace(BOTH, parts="global")
    with pytest.raises(SettingError, match="contrastive"):
        MatchingConfig(text_dimension=1, image_dimension=1, contrastive=-1.0)

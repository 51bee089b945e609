"""TCL's terms against double loops in numpy; what is absent stands aside; views are repeatable."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import InputError, SettingError
from linkers import Encoders, Linker, LinkerConfig
from linkers.items import Items
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.training import Pairs, fit_matching
from linkers.triple_contrast import (
    local_mutual_information,
    local_term,
    pooled_grid,
    view_contrast,
    view_term,
)
from linkers.views import Record, picture_view, text_view, views_of
from tests.linkers.small_world import COUNTRIES, PICTURES, examples, flag, world
from tests.linkers.test_matching import items


def unit(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def naive_views(a, b, ids, tau):
    total, size = 0.0, len(ids)
    for x, y in ((unit(a), unit(b)), (unit(b), unit(a))):
        for i in range(size):
            terms = [
                math.exp(float(x[i] @ y[j]) / tau)
                for j in range(size)
                if i == j or ids[i] != ids[j]
            ]
            total -= math.log(math.exp(float(x[i] @ y[i]) / tau) / sum(terms)) / size
    return total / 2


def naive_local(g, parts, mask, ids, tau):
    means = []
    for i in range(len(ids)):
        rivals = sum(
            math.exp(float(unit(g[i]) @ unit(parts[j, q])) / tau)
            for j in range(len(ids))
            for q in range(parts.shape[1])
            if ids[i] != ids[j] and mask[j, q]
        )
        own = [
            math.exp(float(unit(g[i]) @ unit(parts[i, p])) / tau)
            for p in range(parts.shape[1])
            if mask[i, p]
        ]
        if own:
            means.append(np.mean([-math.log(value / (value + rivals)) for value in own]))
    return float(np.mean(means)) if means else 0.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), size=st.integers(1, 5), kinds=st.integers(1, 3))
def test_terms_equal_double_loops_and_have_a_finite_gradient(
    seed: int, size: int, kinds: int
) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(2, size, 4))
    parts, mask = generator.normal(size=(size, 3, 4)), generator.random((size, 3)) < 0.6
    ids = generator.integers(kinds, size=size)
    first = torch.from_numpy(a).requires_grad_()
    local = torch.from_numpy(parts).requires_grad_()
    views = view_contrast(first, torch.from_numpy(b), torch.from_numpy(ids), temperature=0.3)
    own = local_mutual_information(
        first, local, torch.from_numpy(mask), torch.from_numpy(ids), temperature=0.3
    )
    assert views.item() == pytest.approx(naive_views(a, b, ids, 0.3), abs=1e-9)
    assert own.item() == pytest.approx(naive_local(a, parts, mask, ids, 0.3), abs=1e-9)
    (views + own).backward()
    assert first.grad is not None
    assert first.grad.isfinite().all()
    assert local.grad is None  # parts are only looked at


def test_nothing_at_all_costs_nothing() -> None:
    nothing, ids = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    assert view_contrast(nothing, nothing, ids, temperature=0.1).item() == 0
    whole = torch.ones(2, 4, requires_grad=True)
    bare = torch.zeros(2, 3, dtype=torch.bool)
    loss = local_mutual_information(
        whole, torch.ones(2, 3, 4), bare, torch.tensor([0, 1]), temperature=0.1
    )
    loss.backward()
    assert (loss.item(), whole.grad.abs().max().item()) == (0.0, 0.0)


def test_patches_of_any_square_are_pooled_to_sixteen() -> None:
    tokens = torch.arange(64.0)[None, :, None].expand(2, 64, 3)
    mask = torch.ones(2, 64, dtype=torch.bool)
    mask[1] = False
    pooled, there = pooled_grid(tokens, mask)
    assert pooled.shape == (2, 16, 3)
    assert pooled[0, 0, 0] == pytest.approx(np.mean([0, 1, 8, 9]))
    assert there[0].all()
    assert not there[1].any()
    for count in (9, 20):  # fewer than sixteen, and no square
        assert pooled_grid(tokens[:, :count], mask[:, :count])[0].shape[1] == count


def test_both_terms_teach_the_adapter_and_the_picture_layer() -> None:
    config = MatchingConfig(text_dimension=10, image_dimension=6, dimension=8, view=0.2, local=0.2)
    network = MatchingNetwork(config, generator=torch.Generator().manual_seed(0))
    mentions, entities = items(4, 1, image=[True, False, True, True]), items(4, 2)
    views, owners = (items(4, 3), items(4, 4)), torch.arange(4)
    encoded = (network.encode(mentions, "mention"), network.encode(entities, "entity"))
    for loss in (
        local_term(network, tuple(zip((mentions, entities), encoded, strict=True)), owners),
        view_term(network, tuple(zip(encoded, views, strict=True)), owners),
    ):
        network.zero_grad()
        loss.backward(retain_graph=True)
        for layer in (network.adapter, network.shrink):
            assert layer.weight.grad.isfinite().all()
            assert layer.weight.grad.abs().max() > 0
    bare = items(4, 5, text=[False] * 4, image=[False] * 4)
    nothing = (network.encode(bare, "mention"), network.encode(bare, "entity"))
    lost = view_term(network, tuple(zip(nothing, (bare, bare), strict=True)), owners)
    lost = lost + local_term(network, tuple(zip((bare, bare), nothing, strict=True)), owners)
    assert lost.item() == 0


def fitted(pairs: Pairs, entities: Items, **setting: float) -> dict[str, torch.Tensor]:
    config = MatchingConfig(
        text_dimension=10, image_dimension=6, dimension=8, epochs=1, batch=4, **setting
    )
    nothing = Pairs(mentions=pairs.mentions.take(torch.arange(0)), gold=pairs.gold[:0])
    return fit_matching(entities, pairs, nothing, config=config, seed=0).state_dict()


def test_weights_of_zero_train_as_before_and_others_do_not() -> None:
    entities, gold = items(8, 1), np.arange(8)
    views = [(items(8, 3), items(8, 4)), (items(8, 5), items(8, 6))]
    plain = Pairs(mentions=items(8, 2), gold=gold)
    seen = Pairs(mentions=plain.mentions, gold=gold, views=views)
    before, same = fitted(plain, entities), fitted(seen, entities, view=0.0, local=0.0)
    assert all(torch.equal(before[name], same[name]) for name in before)
    for setting in ({"view": 0.2}, {"local": 0.2}):
        assert not torch.equal(
            before["shrink.weight"], fitted(seen, entities, **setting)["shrink.weight"]
        )
    with pytest.raises(InputError, match="other views"):
        fitted(plain, entities, view=0.2)
    with pytest.raises(SettingError, match="view must not be negative"):
        fitted(plain, entities, view=-1)
    with pytest.raises(SettingError, match="paper's formulas"):
        MatchingConfig(text_dimension=1, image_dimension=1, formulas="paper", local=0.2)


def test_views_are_of_what_was_there(tiny_encoders: Encoders) -> None:
    picture, text = flag("PE"), "one two three four five six seven eight nine ten"
    shown = picture_view(picture, np.random.default_rng(0))
    assert (np.array(shown.shape[:2]) >= np.floor(0.7 * np.array(picture.shape[:2]))).all()
    assert shown.dtype == np.uint8
    assert shown.shape[2] == 3
    kept = text_view(text, np.random.default_rng(1)).split()
    assert 0 < len(kept) < 10
    assert set(kept) <= set(text.split())
    assert text_view("", np.random.default_rng(0)) == ""
    records = [
        Record(name="Peru", text=text, picture=picture),
        Record(name="Chile", text="", picture=None),
        Record(name="", text="", picture=picture[:1, :1]),
    ]
    first, again = (views_of(records, tiny_encoders, count=2) for _ in range(2))
    assert [view.image_mask.any(dim=1).tolist() for view in first] == [[True, False, True]] * 2
    assert [view.text_mask.any(dim=1).tolist() for view in first] == [[True, True, False]] * 2
    assert torch.equal(first[0].image, again[0].image)
    assert not torch.equal(first[0].image[0], first[1].image[0])


def test_a_linker_trains_with_views(tiny_encoders: Encoders, tiny_config: LinkerConfig) -> None:
    mentions, gold = examples(list(COUNTRIES))
    config = LinkerConfig(
        matching={**tiny_config.matching, "epochs": 1, "view": 0.2, "local": 0.2},
        decision=tiny_config.decision,
    )
    linker = Linker.train(
        world(), mentions, gold, encoders=tiny_encoders, config=config, pixels=PICTURES.get
    )
    assert linker.trained.network.config.view == 0.2
    assert linker.link(mentions[:1])[0].entity == gold[0]

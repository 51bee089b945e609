"""The network against a slow re-reading of the formulas, and each mended defect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.errors import SettingError
from linkers.attention import class_attention, masked_mean, masked_softmax
from linkers.items import Items
from linkers.losses import contrastive_loss, matching_loss
from linkers.matching import UNITS, MatchingConfig, MatchingNetwork
from linkers.packed_entities import PackedEntities

CONFIG = MatchingConfig(text_dimension=10, image_dimension=6, dimension=8)


def items(count: int, seed: int, *, text=None, image=None, length: int = 5, patches: int = 4):
    generator = torch.Generator().manual_seed(seed)
    text_mask = torch.rand(count, length, generator=generator) < 0.7
    text_mask[:, 0] = True
    image_mask = torch.ones(count, patches, dtype=torch.bool)
    if text is not None:
        text_mask &= torch.tensor(text)[:, None]
    if image is not None:
        image_mask &= torch.tensor(image)[:, None]
    return Items(
        text=torch.randn(count, 10, generator=generator),
        text_tokens=torch.randn(count, length, 10, generator=generator),
        text_mask=text_mask,
        image=torch.randn(count, 6, generator=generator),
        image_tokens=torch.randn(count, patches, 6, generator=generator),
        image_mask=image_mask,
    )


@pytest.fixture
def network() -> MatchingNetwork:
    return MatchingNetwork(CONFIG, generator=torch.Generator().manual_seed(0)).eval()


def score(network, mentions, entities):
    with torch.inference_mode():
        return network(network.encode(mentions, "mention"), network.encode(entities, "entity"))


def cosine(a, b):
    return float(torch.nn.functional.cosine_similarity(a, b, dim=0))


def naive_cross(network, source, tokens, token_mask, other, other_mask):
    """One item's cross-modal vector, row by row."""
    cross = network.cross
    mix = cross.mix

    def attend(query, rows):
        weights = torch.softmax(torch.stack([query @ mix(row) for row in rows]), dim=0)
        return torch.relu(mix(sum(w * row for w, row in zip(weights, rows, strict=True))))

    words = [t for t, m in zip(tokens, token_mask, strict=True) if m]
    patches = [p for p, m in zip(other, other_mask, strict=True) if m]
    rows = torch.stack([attend(source, patches), *[attend(p, words) for p in patches]])
    heads = []
    for temperature in CONFIG.temperatures:
        if temperature >= 99:
            attended = rows.max(dim=0).values
        else:
            attended = (rows * torch.softmax(temperature * rows, dim=0)).sum(dim=0)
        heads.append(rows.mean(dim=0) + CONFIG.residual * attended)
    pooled = sum(heads) / len(heads)
    return cross.norm(torch.tanh(cross.gate(source)) * source + pooled)


def naive_units(network, mention: Items, entity: Items) -> list[float]:
    sides = []
    for item in (mention, entity):
        t = network.text_norm(network.adapter(item.text[0]))
        v = network.image_norm(network.shrink(item.image[0]))
        tt = network.text_token_norm(item.text_tokens[0])
        vv = network.image_token_norm(network.shrink(item.image_tokens[0]))
        sides.append((t, v, tt, vv, item.text_mask[0], item.image_mask[0]))
    units = []
    for layers, whole, tokens, mask in ((network.text, 0, 2, 4), (network.image, 1, 3, 5)):
        m, e = sides
        keys = [layers.key(k) for k, there in zip(m[tokens], m[mask], strict=True) if there]
        values = [layers.value(k) for k, there in zip(m[tokens], m[mask], strict=True) if there]
        pooled = []
        for query, there in zip(e[tokens], e[mask], strict=True):
            if there:
                logits = torch.stack([layers.query(query) @ k for k in keys])
                weights = torch.softmax(logits / np.sqrt(CONFIG.dimension), dim=0)
                pooled.append(sum(w * v for w, v in zip(weights, values, strict=True)))
        c = layers.norm(sum(pooled) / len(pooled))
        g2l = cosine(layers.chosen(e[whole]), c)
        units.append((cosine(m[whole], e[whole]) + g2l) / 2)
    for direction in range(2):
        vectors = []
        for t, v, tt, vv, tm, vm in sides:
            ft, fv = network.cross.text(t), network.cross.image(v)
            ftt, fvv = network.cross.text(tt), network.cross.image(vv)
            vectors.append(
                naive_cross(network, ft, ftt, tm, fvv, vm)
                if direction == 0
                else naive_cross(network, fv, fvv, vm, ftt, tm)
            )
        units.append(cosine(*vectors))
    return [u * float(s) for u, s in zip(units, network.log_scale.exp(), strict=True)]


def test_scores_equal_the_formulas(network: MatchingNetwork) -> None:
    mentions, entities = items(3, 1), items(4, 2, length=6)
    scores, present = score(network, mentions, entities)
    assert scores.shape == (len(UNITS), 3, 4)
    assert present.all()
    with torch.inference_mode():
        for b in range(3):
            for n in range(4):
                naive = naive_units(
                    network, mentions.take(torch.tensor([b])), entities.take(torch.tensor([n]))
                )
                np.testing.assert_allclose(scores[:, b, n].numpy(), naive, atol=2e-4)


def test_padding_changes_nothing(network: MatchingNetwork) -> None:
    mentions, entities = items(3, 1), items(4, 2)
    padded = Items(
        text=entities.text,
        text_tokens=torch.cat([entities.text_tokens, 9 * torch.ones(4, 3, 10)], dim=1),
        text_mask=torch.cat([entities.text_mask, torch.zeros(4, 3, dtype=torch.bool)], dim=1),
        image=entities.image,
        image_tokens=torch.cat([entities.image_tokens, 9 * torch.ones(4, 2, 6)], dim=1),
        image_mask=torch.cat([entities.image_mask, torch.zeros(4, 2, dtype=torch.bool)], dim=1),
    )
    for one, other in ((entities, padded), (padded, entities)):
        torch.testing.assert_close(
            score(network, mentions, one)[0], score(network, mentions, other)[0]
        )
    torch.testing.assert_close(
        score(network, entities, mentions)[0], score(network, padded, mentions)[0]
    )


def test_an_absent_modality_takes_its_units_out(network: MatchingNetwork) -> None:
    mentions = items(3, 1, text=[True, False, True], image=[True, True, False])
    entities = items(2, 2, image=[True, False])
    scores, present = score(network, mentions, entities)
    assert present[0].tolist() == [[True, True], [False, False], [True, True]]
    assert present[1].tolist() == [[True, False], [True, False], [False, False]]
    assert present[2].tolist() == [[True, False], [False, False], [False, False]]
    assert (scores[~present] == 0).all()
    assert torch.isfinite(scores).all()


def test_items_without_anything_give_no_nan(network: MatchingNetwork) -> None:
    nothing = items(2, 1, text=[False, False], image=[False, False])
    scores, present = score(network, nothing, items(2, 2))
    assert not present.any()
    assert (scores == 0).all()


def test_patches_differ_after_attending(network: MatchingNetwork) -> None:
    # in the public code all rows M(V', t') are equal, since softmax over one key is 1
    item = items(1, 3)
    with torch.inference_mode():
        words = network.cross.text(network.text_token_norm(item.text_tokens))
        patches = network.cross.image(network.image_token_norm(network.shrink(item.image_tokens)))
        rows = network.cross.attend(patches, words, item.text_mask)[0]
    assert (rows[0] - rows[1]).abs().max() > 1e-6


def test_every_parameter_that_scores_is_trained(network: MatchingNetwork) -> None:
    network.train()
    mentions, entities = items(6, 1), items(6, 2)
    m, e = network.encode(mentions, "mention"), network.encode(entities, "entity")
    owners = torch.arange(6)
    loss = matching_loss(*network(m, e), owners)
    for side in range(2):
        loss = loss + contrastive_loss(m.raw[side], e.raw[side], owners, temperature=0.03)
    loss.backward()
    # the bias of queries' keys moves all logits of a softmax alike, so it alone has no gradient
    still = {n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max()}
    assert {name for name in still if not name.endswith("key.bias")} == set()


def test_a_batch_equals_its_members(network: MatchingNetwork) -> None:
    mentions = items(4, 1, image=[True, False, True, False])
    entities = items(5, 2)
    whole, _ = score(network, mentions, entities)
    for row in range(4):
        alone, _ = score(network, mentions.take(torch.tensor([row])), entities)
        torch.testing.assert_close(alone[:, 0], whole[:, row], atol=1e-5, rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), rows=st.integers(1, 5))
def test_class_attention_equals_a_loop(seed: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, 3))
    mask = generator.random(rows) < 0.6
    ours = class_attention(
        torch.from_numpy(values)[None], torch.from_numpy(mask)[None], (1.5, 99.0), 0.7
    )[0].numpy()
    kept = values[mask]
    if not len(kept):
        np.testing.assert_array_equal(ours, np.zeros(3))
        return
    for channel in range(3):
        x = kept[:, channel]
        weights = np.exp(1.5 * x) / np.exp(1.5 * x).sum()
        soft, hard = x.mean() + 0.7 * (x * weights).sum(), x.mean() + 0.7 * x.max()
        assert ours[channel] == pytest.approx((soft + hard) / 2)


@pytest.mark.parametrize("parts", ["both", "late", "global"])
def test_entities_kept_in_bytes_score_nearly_the_same(parts: str) -> None:
    config = replace(CONFIG, parts=parts)
    network = MatchingNetwork(config, generator=torch.Generator().manual_seed(0)).eval()
    entities = items(40, 2, text=[n != 3 for n in range(40)], image=[n % 3 > 0 for n in range(40)])
    rows = torch.tensor([3, 0, 39, 7])
    with torch.inference_mode():
        mentions = network.encode(items(6, 1), "mention")
        encoded = network.encode(entities, "entity")
        packed = PackedEntities.of(encoded)
        exact, there = network(mentions, encoded.take(rows))
        found, present = network(mentions, packed.take(rows))
    assert torch.equal(present, there)
    assert (found - exact).abs().max() < 0.02 * exact.abs().max()
    assert len(packed) == 40
    floats = sum(one[0].numel() for one in (*encoded.queries, *encoded.classes, *encoded.globals_))
    if parts == "global":
        assert torch.equal(found, exact)
        assert packed.tokens == ()
    else:
        assert {one.dtype for one in packed.tokens} == {torch.int8}
        assert packed.bytes_each < 4 * floats  # these alone, as floats


def test_masked_pieces_of_nothing_are_zero() -> None:
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    assert masked_softmax(torch.randn(2, 3), nothing).abs().max() == 0
    assert masked_mean(torch.randn(2, 3, 4), nothing).abs().max() == 0


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingError, match="dimension"):
        MatchingConfig(text_dimension=1, image_dimension=1, dimension=0)
    with pytest.raises(SettingError, match="learning_rate"):
        MatchingConfig(text_dimension=1, image_dimension=1, learning_rate=0)
    with pytest.raises(SettingError, match="head"):
        MatchingConfig(text_dimension=1, image_dimension=1, temperatures=())

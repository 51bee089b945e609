"""Banks against hubs, against loops over single pairs; what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from encoders.padding import unit
from kg.errors import InputError, SettingError
from linkers.hub_banks import HUB_METHODS, HubBanks, HubConfig, HubMethod

SIZE, BANK = 7, 9


def vectors(seed: int, count: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32))


def log_mean(values: list[float]) -> float:
    return math.log(sum(map(math.exp, values)) / len(values)) if values else 0.0


def by_loops(
    index: np.ndarray, bank: np.ndarray, meant: list[int], chosen: list[int], config: HubConfig,
    asked: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Return what `HubBanks` gives for all entities, pair by pair."""
    banks = [(config.mention_sharpness, bank, meant)]
    if config.method.startswith("dual"):
        banks.append((config.entity_sharpness, index[chosen], chosen))
    found = np.zeros((len(asked), len(index)))
    for sharpness, members, owners in banks:
        pairs = list(zip(members, owners, strict=True))
        hubs = [
            log_mean([sharpness * float(m @ index[n]) for m, own in pairs if own != n])
            for n in range(len(index))
        ]
        others = [[n for n in range(len(index)) if n != own] for own in owners]
        active = {
            max(rest, key=lambda n, m=m: float(m @ index[n]))  # type: ignore[misc]
            for m, rest in zip(members, others, strict=True)
        }
        for row, query in enumerate(asked):
            first = int(np.argmax(index @ query))
            for n in range(len(index)):
                plain = config.method.endswith("dis") and first not in active
                hub = float(np.median(hubs)) if plain else hubs[n]
                found[row, n] += sharpness * float(query @ index[n]) - hub
    return found


@pytest.mark.parametrize("method", [m for m in HUB_METHODS if m != "none"])
@pytest.mark.parametrize("seed", range(3))
def test_banks_are_what_loops_over_pairs_give(method: HubMethod, seed: int) -> None:
    index, bank, asked = vectors(seed, SIZE), vectors(seed + 10, BANK), vectors(seed + 20, 5)
    generator = np.random.default_rng(seed)
    meant, chosen = generator.integers(-1, SIZE, BANK), np.sort(generator.permutation(SIZE)[:4])
    config = HubConfig(method=method, mention_sharpness=5.0, entity_sharpness=2.0)
    banks = HubBanks.fit(index, bank, meant, entities=chosen, config=config)
    every = np.tile(np.arange(SIZE), (5, 1))
    found = banks.apply(asked @ index.T, every)
    wanted = by_loops(index, bank, meant.tolist(), chosen.tolist(), config, asked)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    # some candidates, the first among them, in any order
    best = np.argsort(-(asked @ index.T), axis=1)[:, [2, 0, 1]]
    some = banks.apply(np.take_along_axis(asked @ index.T, best, axis=1), best)
    np.testing.assert_allclose(some, np.take_along_axis(found, best, axis=1), atol=1e-5)


def test_without_a_method_similarities_stay_bit_for_bit() -> None:
    index, bank = vectors(0, SIZE), vectors(1, BANK)
    banks = HubBanks.fit(index, bank, np.full(BANK, -1), config=HubConfig(method="none"))
    scores = bank @ index.T
    assert banks.apply(scores, np.tile(np.arange(SIZE), (BANK, 1))) is scores


def test_high_sharpness_does_not_overflow() -> None:
    index, bank = vectors(0, SIZE), vectors(1, BANK)
    config = HubConfig(method="dual_is", mention_sharpness=1e4, entity_sharpness=1e4)
    banks = HubBanks.fit(index, bank, np.full(BANK, -1), config=config)
    assert np.isfinite(banks.by_mentions).all()
    assert np.isfinite(banks.by_entities).all()


def test_what_makes_no_sense_is_refused() -> None:
    index = vectors(0, SIZE)
    with pytest.raises(InputError, match="0 mentions"):
        HubBanks.fit(index, index[:0], np.zeros(0, np.int64))
    with pytest.raises(SettingError, match="must be one of none, is"):
        HubConfig(method="other")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="above 0"):
        HubConfig(mention_sharpness=0)

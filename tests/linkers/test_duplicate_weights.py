"""Weights of signs learnt from decisions: another optimiser, planted weights, a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from evaluation import ece
from kg.backends.memory import MemoryStore
from kg.model import Entity, EntityKey
from linkers.review import Case, Request, Review
from linkers.review.duplicate_weights import (
    FEWEST,
    HAND,
    PRIOR,
    DecidedPair,
    Weights,
    decided_pairs,
    learnt_weights,
)
from linkers.review.duplicates import Duplicate, find_duplicates

KINDS = tuple(HAND)
PLANTED = {"same name": 2.0, "spelling": -1.0, "same picture": 8.0, "another value": -6.0}


def drawn(count: int, *, seed: int = 0) -> list[DecidedPair]:
    """Pairs with signs drawn at random, decided by other weights than those set by hand."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        signs = {kind: 1.0 for kind in KINDS if generator.random() < 0.4}
        odds = -1.0 + sum({**HAND, **PLANTED}[kind] for kind in signs) - 6.0
        found.append(DecidedPair(signs=signs, same=generator.random() < 1 / (1 + 2.0**-odds)))
    return found


def chances(weights: Weights, pairs: list[DecidedPair]) -> np.ndarray:
    return np.array([weights.probability(pair.signs) for pair in pairs])


def log_loss(weights: Weights, pairs: list[DecidedPair]) -> float:
    chance = np.clip(chances(weights, pairs), 1e-6, 1 - 1e-6)
    same = np.array([pair.same for pair in pairs])
    return float(-np.mean(np.log(np.where(same, chance, 1 - chance))))


def test_the_solution_is_that_of_another_optimiser() -> None:
    pairs = drawn(60)
    design = np.array([[1.0, *(pair.signs.get(kind, 0.0) for kind in KINDS)] for pair in pairs])
    same = np.array([pair.same for pair in pairs], dtype=float)
    hand = np.array([PRIOR, *HAND.values()])

    def loss(weights: np.ndarray) -> float:
        odds = design @ weights * np.log(2)
        return float(np.logaddexp(0, odds).sum() - odds @ same + ((weights - hand) ** 2).sum() / 8)

    wanted = minimize(loss, hand, method="BFGS").x
    found = learnt_weights(pairs)
    assert [found.prior, *(found.signs[k] for k in KINDS)] == pytest.approx(wanted, abs=2e-2)
    assert (found.merged, found.parted) == (int(same.sum()), int((1 - same).sum()))


def test_many_decisions_teach_planted_weights_and_calibrate() -> None:
    rest = drawn(3000, seed=9)
    same = np.array([pair.same for pair in rest])
    losses = [log_loss(Weights(), rest)]
    losses += [log_loss(learnt_weights(drawn(n, seed=1)), rest) for n in (40, 400)]
    assert losses[0] > losses[1] > losses[2]
    learnt = learnt_weights(drawn(400, seed=1))
    assert ece(chances(learnt, rest), same) < 0.03 < ece(chances(Weights(), rest), same)
    for kind, weight in PLANTED.items():
        assert abs(learnt.signs[kind] - weight) < abs(HAND[kind] - weight)


def test_too_few_decisions_leave_the_weights_set_by_hand() -> None:
    same = DecidedPair(signs={"same name": 1.0}, same=True)
    other = DecidedPair(signs={"spelling": 1.0}, same=False)
    assert FEWEST == 5
    for few in ([], [same] * 9, [other] * 9, [same, other, same, other]):
        assert learnt_weights(few) == Weights()
    five = learnt_weights([same, other, same, other, same])
    assert (five.merged, five.parted) == (3, 2)
    assert max(abs(five.signs[kind] - HAND[kind]) for kind in KINDS) < 1.5  # a few move it little


def test_rejected_spellings_are_not_proposed_again(tmp_path: Path) -> None:
    """Towns that are spelled alike are two; countries of one name are one: people say so."""
    store = MemoryStore()
    for number in range(8):
        # names of towns differ by a letter, those of countries by case
        names = {
            f"town{number}a": f"Sankt Margarethen {'abcdefgh'[number]}",
            f"town{number}b": f"Sankt Margarethin {'abcdefgh'[number]}",
            f"land{number}a": f"Land Number {number}",
            f"land{number}b": f"LAND NUMBER {number}",
        }
        store.upsert_entities(
            Entity(key=EntityKey(k), label=k[:-1], name=name, attributes={"code": k[:-1]})
            for k, name in names.items()
        )
    review = Review(store, tmp_path / "log.jsonl")

    def search() -> dict[str, Duplicate]:
        weights = learnt_weights(decided_pairs(review))
        found = find_duplicates(
            store.entities(), [], decided=set(review.answers), weights=weights, least=0.0
        )
        return {pair.goes[:-1]: pair for pair in found}

    before = search()
    assert len(before) == 16
    review.add(pair.case for pair in before.values())
    for number in range(4):
        for place, kind in (("town", "reject"), ("land", "accept")):
            case = before[f"{place}{number}"].case.id
            review.decide(Request(kind=kind, case=case, who="ada"))  # type: ignore[arg-type]
    decided = decided_pairs(review)
    assert sorted(pair.same for pair in decided) == [False] * 4 + [True] * 4
    assert {"spelling", "same name"} == {k for pair in decided for k in pair.signs}
    after = search()
    assert set(after) == {f"{p}{n}" for p in ("town", "land") for n in range(4, 8)}
    for name, pair in after.items():
        if name.startswith("town"):
            assert pair.probability < before[name].probability
        else:
            assert pair.probability > before[name].probability
    review.decide(Request(kind="undo", who="ada"))
    assert len(decided_pairs(review)) == 7


def test_cases_of_an_older_log_teach_nothing(tmp_path: Path) -> None:
    store = MemoryStore()
    store.upsert_entities(Entity(key=EntityKey(k), label="X", name=k) for k in "ab")
    review = Review(store, tmp_path / "log.jsonl")
    pair = find_duplicates([Entity(key=EntityKey(k), label="X", name="same") for k in "ab"], [])[
        0
    ].case
    old = Case(id=pair.id, pair=pair.pair, probability=0.9, candidates=())
    review.add([old])
    review.decide(Request(kind="reject", case=pair.id, who="ada"))
    assert decided_pairs(review) == []

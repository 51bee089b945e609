from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import SettingError
from scenes.splits import stratified_split

LABELS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.frozensets(st.sampled_from(["star", "band", "sun"])),
    max_size=30,
)


@given(LABELS, st.integers(0, 5))
def test_every_key_has_one_part_and_the_same_seed_gives_the_same_split(
    labels: dict[str, frozenset[str]], seed: int
) -> None:
    parts = stratified_split(labels, seed=seed)
    assert set(parts) == set(labels)
    assert set(parts.values()) <= {"train", "valid", "test"}
    assert parts == stratified_split(dict(reversed(labels.items())), seed=seed)


@given(LABELS, st.lists(st.lists(st.text("abcdefgh", min_size=1, max_size=3), max_size=4)))
def test_tied_keys_stand_in_one_part(
    labels: dict[str, frozenset[str]], tied: list[list[str]]
) -> None:
    parts = stratified_split(labels, tied=tied)
    for tie in tied:
        assert len({parts[key] for key in tie if key in parts}) <= 1


def test_a_rare_label_stands_in_every_part_in_its_share() -> None:
    labels = {str(n): frozenset(["band", *(["crescent"] if n < 14 else [])]) for n in range(240)}
    parts = stratified_split(labels, seed=3)
    rare = Counter(parts[str(n)] for n in range(14))
    assert rare["train"] in (8, 9)
    assert rare["valid"] == 2
    assert rare["test"] in (3, 4)
    assert Counter(parts.values()) == {"train": 144, "valid": 36, "test": 60}


def test_shares_must_sum_to_one() -> None:
    with pytest.raises(SettingError):
        stratified_split({}, shares=(0.5, 0.1, 0.1))

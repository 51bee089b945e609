"""Splitting images so that rare labels stand in every part and like images in one part only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from kg.errors import SettingError

__all__ = ["Part", "stratified_folds", "stratified_split"]

Part = Literal["train", "valid", "test"]
_PARTS: tuple[Part, ...] = ("train", "valid", "test")


def stratified_split(
    labels: Mapping[str, frozenset[str]],
    *,
    shares: tuple[float, float, float] = (0.6, 0.15, 0.25),
    tied: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> dict[str, Part]:
    """Split keys by iterative stratification (Sechidis et al. 2011), ties kept together.

    The rarest label is dealt out first, each time to the part that lacks it most.

    Args:
        labels: Labels of each key; a key without labels fills up.
        shares: Of train, valid and test; they sum to 1.
        tied: Keys that must stand in one part (images drawn alike).
        seed: Order among equals.

    Raises:
        SettingError: The shares do not sum to 1.

    Example:
        >>> parts = stratified_split({str(n): frozenset("a" if n % 2 else "b") for n in range(20)})
        >>> sorted(Counter(parts.values()).items())
        [('test', 5), ('train', 12), ('valid', 3)]
    """
    if abs(sum(shares) - 1) > 1e-9 or min(shares) < 0:
        raise SettingError(f"the shares of a split must sum to 1, got {shares}")
    dealt = _dealt(labels, shares, tied, seed)
    return {key: _PARTS[part] for key, part in dealt.items()}


def stratified_folds(
    labels: Mapping[str, frozenset[str]],
    count: int,
    *,
    tied: Sequence[Sequence[str]] = (),
    seed: int = 0,
) -> dict[str, int]:
    """Deal keys into folds of one size as `stratified_split` deals them into parts.

    Args:
        labels: Labels of each key.
        count: How many folds.
        tied: Keys that must stand in one fold.
        seed: Order among equals.

    Raises:
        SettingError: Fewer than two folds.

    Example:
        >>> folds = stratified_folds({str(n): frozenset("a") for n in range(10)}, 5)
        >>> sorted(Counter(folds.values()).items())
        [(0, 2), (1, 2), (2, 2), (3, 2), (4, 2)]
    """
    if count < 2:
        raise SettingError(f"at least two folds, got {count}")
    return _dealt(labels, [1 / count] * count, tied, seed)


def _dealt(
    labels: Mapping[str, frozenset[str]],
    shares: Sequence[float],
    tied: Sequence[Sequence[str]],
    seed: int,
) -> dict[str, int]:
    """Number of the part of each key, the rarest label first to the part that lacks it most."""
    groups = _groups(sorted(labels), tied, seed)
    held = {
        number: frozenset().union(*(labels[k] for k in group))
        for number, group in enumerate(groups)
    }
    totals = Counter(label for found in held.values() for label in found)
    lacking = {label: [total * share for share in shares] for label, total in totals.items()}
    room = [len(labels) * share for share in shares]
    result: dict[str, int] = {}
    waiting = set(held)
    while waiting:
        left = Counter(label for number in waiting for label in held[number])
        rarest = min(left, key=lambda label: (left[label], label), default=None)
        chosen = [n for n in sorted(waiting) if rarest is None or rarest in held[n]]
        for number in chosen:
            need = lacking[rarest] if rarest is not None else room
            part = max(range(len(shares)), key=lambda p: (round(need[p], 9), round(room[p], 9)))
            result.update((key, part) for key in groups[number])
            room[part] -= len(groups[number])
            for label in held[number]:
                lacking[label][part] -= 1
            waiting.discard(number)
    return result


def _groups(keys: list[str], tied: Sequence[Sequence[str]], seed: int) -> list[list[str]]:
    known = set(keys)
    group_of: dict[str, list[str]] = {key: [key] for key in keys}
    for tie in tied:
        merged: list[str] = []
        for key in tie:
            if key in known and key not in merged:
                merged.extend(group_of[key])
        for key in merged:
            group_of[key] = merged
    unique = {id(group): group for group in group_of.values()}
    groups = sorted(sorted(set(group)) for group in unique.values())
    order = np.random.default_rng(seed).permutation(len(groups))
    return [groups[position] for position in order.tolist()]

"""Late interaction against loops over tokens, alone and as a unit of the network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from linkers.items import Items
from linkers.late_interaction import late_interaction
from linkers.matching import MatchingConfig, MatchingNetwork


def tokens(seed: int, count: int, length: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(count, length, generator=generator) < 0.7
    mask[:, 0] = True
    mask[-1] = False  # the last item has no token
    return torch.randn(count, length, 6, generator=generator), mask


def by_loops(left: Tensor, right: Tensor) -> float:
    alike = [[float(functional.cosine_similarity(a, b, dim=0)) for b in right] for a in left]
    if not len(left) or not len(right):
        return 0.0
    one = sum(max(row) for row in alike) / len(left)
    other = sum(max(row[n] for row in alike) for n in range(len(right))) / len(right)
    return (one + other) / 2


def test_late_interaction_is_what_loops_over_tokens_give() -> None:
    (left, left_mask), (right, right_mask) = tokens(0, 3, 4), tokens(1, 4, 5)
    # all products negative for one pair: padding must not be the best of them
    right[0] = -left[0, :1]
    found = late_interaction(left, left_mask, right, right_mask)
    for b in range(3):
        for n in range(4):
            wanted = by_loops(left[b][left_mask[b]], right[n][right_mask[n]])
            assert float(found[b, n]) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("parts", ["late", "global and late"])
def test_the_network_takes_it_as_a_unit_and_learns_through_it(parts: str) -> None:
    config = MatchingConfig(text_dimension=6, image_dimension=1, dimension=4, parts=parts)  # type: ignore[arg-type]
    network = MatchingNetwork(config, generator=torch.Generator().manual_seed(0))
    (rows, mask), whole = tokens(2, 3, 4), torch.randn(3, 6)
    nothing = torch.zeros(3, 1, 1)
    given = Items(
        text=whole, text_tokens=rows, text_mask=mask,
        image=nothing[:, 0], image_tokens=nothing, image_mask=torch.zeros(3, 1, dtype=torch.bool),
    )  # fmt: skip
    mentions, entities = network.encode(given, "mention"), network.encode(given, "entity")
    scores, present = network(mentions, entities)
    late = late_interaction(mentions.keys[0], mask, entities.queries[0], mask)
    if parts == "global and late":
        unit = [functional.normalize(s.globals_[0], dim=-1) for s in (mentions, entities)]
        late = (late + unit[0] @ unit[1].T) / 2
    wanted = late * network.log_scale.exp()[0] * present[0]
    torch.testing.assert_close(scores[0], wanted)
    scores[0, :2, :2].sum().backward()
    gradient = network.text.key.weight.grad
    assert gradient is not None
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0

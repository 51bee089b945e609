"""Trains the matching network on linked mentions, encoders frozen."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.optimisers import AdamW
from kg.errors import InputError
from kg.progress import Progress, silent
from linkers.cosine_start import ADDED, CosineStart
from linkers.items import Encoded, Items
from linkers.losses import contrastive_loss, distribution_loss, fused, matching_loss
from linkers.m3el_paper import paper_contrastive_loss, paper_matching_loss
from linkers.matching import MatchingConfig, MatchingNetwork
from linkers.networks import matching_network
from linkers.triple_contrast import local_term, view_term

__all__ = ["Pairs", "fit_matching", "reciprocal_ranks", "scored"]

_OF_TEXT = ("adapter", "text", "text_norm", "text_token_norm", "log_scale")
"""Parts of a network that learn from words too; the others need a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Mentions and the rows of their entities.

    Attributes:
        mentions: Vectors of the mentions.
        gold: ``(n,)`` row of each mention's entity among the entities.
        views: Other views of each mention and of its entity, ``(n,)`` each; needed by
            `MatchingConfig.view` alone.
    """

    mentions: Items
    gold: NDArray[np.int64]
    views: Sequence[tuple[Items, Items]] = ()


def fit_matching(
    entities: Items,
    train: Pairs,
    valid: Pairs,
    *,
    config: MatchingConfig,
    seed: int,
    progress: Progress = silent,
) -> MatchingNetwork:
    """Return the network of the epoch with the best MRR on `valid` over all entities.

    Args:
        entities: Vectors of the whole base.
        train: What it learns from.
        valid: What it stops by; without any, the last epoch counts.
        config: Shape and schedule.
        seed: Of weights and batches.
        progress: Told epochs done.

    Raises:
        InputError: The setting `view` needs other views of the training mentions.
    """
    if config.view and not train.views:
        raise InputError("the setting view needs other views of the mentions to learn from")
    generator = torch.Generator().manual_seed(seed)
    network = matching_network(config, generator=generator)
    if isinstance(network, CosineStart):
        network.centre(train.mentions, entities)
    optimiser = AdamW(_groups(network, config), lr=config.learning_rate)
    best_score, best_state, waited = -1.0, copy.deepcopy(network.state_dict()), 0
    for epoch in range(config.epochs):
        network.train()
        for rows in _batches(train, config.batch, generator):
            _step(network, optimiser, entities, train, rows, generator)
        progress(epoch + 1, config.epochs)
        network.eval()
        score = float(epoch)
        if len(valid.gold):
            score = float(reciprocal_ranks(network, entities, valid).mean())
        if score > best_score:
            best_score, best_state, waited = score, copy.deepcopy(network.state_dict()), 0
        else:
            waited += 1
            if waited >= config.patience:
                break
    network.load_state_dict(best_state)
    return network.eval()


def _batches(train: Pairs, size: int, generator: torch.Generator) -> list[Tensor]:
    """Return rows of each batch, in random order; mentions with and without pictures apart.

    A batch without pictures skips everything that looks at them, which is most of the work.
    """
    shown = train.mentions.image_mask.any(dim=-1)
    batches = []
    for kind in (shown, ~shown):
        rows = kind.nonzero()[:, 0]
        rows = rows[torch.randperm(len(rows), generator=generator)]
        parts = torch.split(rows, size)
        batches += [part for part in parts if len(part) > 1]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def _step(
    network: MatchingNetwork,
    optimiser: torch.optim.Optimizer,
    entities: Items,
    train: Pairs,
    rows: Tensor,
    generator: torch.Generator,
) -> None:
    config = network.config
    owners = torch.from_numpy(train.gold)[rows]
    chosen, others = train.mentions.take(rows), entities.take(owners)
    if not bool(chosen.image_mask.any()):
        chosen, others = chosen.without_images(), others.without_images()
    mentions, partners = network.encode(chosen, "mention"), network.encode(others, "entity")
    scores, present = network(mentions, partners)
    loss = _of_scores(network, scores, present, owners)
    if config.contrastive:
        for part in _contrastive(config, mentions, partners, owners):
            loss = loss + 0.5 * config.contrastive * part
    if config.local:
        sides = ((chosen, mentions), (others, partners))
        loss = loss + config.local * local_term(network, sides, owners)
    if config.view:
        drawn = train.views[int(torch.randint(len(train.views), (1,), generator=generator))]
        views = zip((mentions, partners), (side.take(rows) for side in drawn), strict=True)
        loss = loss + config.view * view_term(network, tuple(views), owners)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def _of_scores(network: MatchingNetwork, scores: Tensor, present: Tensor, owners: Tensor) -> Tensor:
    config = network.config
    if config.formulas != "mended":
        return paper_matching_loss(scores, present)
    parts = []
    if config.objective != "sdm":
        parts.append(matching_loss(scores, present, owners))
    if config.objective != "cross-entropy":
        cosines = scores / network.log_scale.exp()[:, None, None]
        temperature = config.sdm_temperature
        parts.append(distribution_loss(cosines, present, owners, temperature=temperature))
    return torch.stack(parts).sum()


def _contrastive(
    config: MatchingConfig, mentions: Encoded, partners: Encoded, owners: Tensor
) -> list[Tensor]:
    """Return ICL of both modalities."""
    weights = {
        "temperature": config.contrastive_temperature,
        "inter": config.inter,
        "intra": config.intra,
    }
    losses: list[Tensor] = []
    for side in range(2):
        both = mentions.present[:, side] & partners.present[:, side]
        mine, theirs = mentions.raw[side][both], partners.raw[side][both]
        if config.formulas != "mended":
            losses.append(paper_contrastive_loss(mine, theirs, **weights))
        else:
            losses.append(contrastive_loss(mine, theirs, owners[both], **weights))
    return losses


def _groups(network: MatchingNetwork, config: MatchingConfig) -> list[dict[str, object]]:
    """Return every parameter with its rate and its decay."""
    groups: list[dict[str, object]] = []
    for name, value in network.named_parameters():
        module = name.split(".")[0]
        rate = config.learning_rate
        if module not in _OF_TEXT and config.image_learning_rate is not None:
            rate = config.image_learning_rate
        # decay by shape: norms, biases and temperatures are vectors, whatever their names
        decay = 0.0 if value.ndim < 2 else config.weight_decay
        decay = config.pull if module in ADDED else decay
        groups.append({"params": [value], "lr": rate, "weight_decay": decay})
    return groups


def reciprocal_ranks(
    network: MatchingNetwork, entities: Items, pairs: Pairs, *, block: int = 16
) -> NDArray[np.float64]:
    """Return 1 / realistic rank of each mention's entity over all entities.

    A mention without any unit in common with its entity gets the rank of a constant scorer.
    """
    results: list[NDArray[np.float64]] = []
    for part in scored(network, entities, pairs.mentions, block=block):
        scores, start = part.numpy(), sum(map(len, results))
        own = scores[np.arange(len(scores)), pairs.gold[start : start + len(scores)]][:, None]
        above, ties = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
        results.append(1.0 / (above + (ties + 1) / 2))
    return np.concatenate(results) if results else np.zeros(0)


def scored(
    network: MatchingNetwork, entities: Items, mentions: Items, *, block: int = 16
) -> Iterator[Tensor]:
    """Yield ``(block, N)`` the mean of the units that are present, block by block; else -inf."""
    with torch.inference_mode():
        whole = network.encode(entities, "entity")
    for start in range(0, len(mentions.text), block):
        rows = torch.arange(start, min(start + block, len(mentions.text)))
        with torch.inference_mode():  # left before each yield: who reads on may train
            found = fused(*network(network.encode(mentions.take(rows), "mention"), whole))
        yield found

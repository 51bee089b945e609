"""A search by one vector a side that learns from the matching network: which rivals, how sure.

Source: the losses of DCD (Rao et al., "Dynamic Contrastive Distillation for Image-Text Retrieval",
TMM 2023), of which neither code nor formulas were at hand; ours are a sound choice in its spirit.
For mention i the list is its entity, the teacher's best k wrong candidates, and the entities of the
batch; S is the student's cosines, T the teacher's logits over its candidates:

    L_ct = -log softmax(S / τ) at the entity
    L_kd = τ² KL(softmax(T) ‖ softmax(S / τ)) over the same list
    w = p_T(entity) (1 - p_S(entity)), over its mean in the batch, in [0.1, 3], no gradient
    L = mean of L_ct + w L_kd

so what the teacher has wrong is hardly copied, and what the student knows counts little. An entity
of the batch that is on the list already, or right, is no further rival; one that the teacher did
not score has no share of its belief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from encoders.optimisers import AdamW
from kg.errors import InputError, SettingError
from linkers.items import Items
from linkers.matching import MatchingNetwork
from linkers.training import Pairs, scored

__all__ = [
    "DistillationConfig",
    "Lists",
    "Student",
    "distillation_loss",
    "teacher_lists",
    "train_student",
]

_LEAST, _MOST = 0.1, 3.0  # of a weight
_KINDS = ("dynamic", "static", "none")

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillationConfig:
    """How a student learns.

    Attributes:
        weights: Of the teacher's word: `dynamic` as above; `static`, 1 for every mention; or
            `none`, which leaves the teacher out, its hard rivals too (InfoNCE).
        dimension: Size of the vectors.
        hard: k, the teacher's best wrong candidates that are rivals; may be 0.
        temperature: τ, in (0, 1].
        batch: Mentions a step.
        epochs: Passes over the mentions.
        learning_rate: Of AdamW.
    """

    weights: Literal["dynamic", "static", "none"] = "dynamic"
    dimension: int = 96
    hard: int = 16
    temperature: float = 0.05
    batch: int = 128
    epochs: int = 20
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name, least in (("dimension", 1), ("hard", 0), ("batch", 1), ("epochs", 1)):
            if getattr(self, name) < least:
                raise SettingError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("temperature", "learning_rate"):
            if not 0 < getattr(self, name) <= 1:
                raise SettingError(f"{name} must lie in (0, 1], got {getattr(self, name)}")
        if self.weights not in _KINDS:
            raise SettingError(f"weights must be one of {', '.join(_KINDS)}, not {self.weights!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lists:
    """What a teacher says of M mentions, best candidate first.

    Attributes:
        ids: ``(M, K)`` entities; -1 where there are fewer.
        logits: ``(M, K)`` whose softmax is the teacher's belief.
    """

    ids: Ids
    logits: Floats


class Student(nn.Module):
    """Two towers: one vector of unit length for each mention and for each entity.

    Args:
        text_dimension: Of the text encoder.
        image_dimension: Of the image encoder.
        dimension: Of the vectors.
        generator: Draws the weights, the same for both towers.
    """

    def __init__(
        self,
        text_dimension: int,
        image_dimension: int,
        dimension: int,
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        sizes = {"text": text_dimension, "image": image_dimension}
        drawn = {
            kind: torch.randn(dimension, size, generator=generator) / dimension**0.5
            for kind, size in sizes.items()
        }
        self.towers = nn.ParameterDict(
            {
                f"{side} {kind}": nn.Parameter(weight.clone())
                for side in ("mention", "entity")
                for kind, weight in drawn.items()
            }
        )

    def forward(self, items: Items, side: Literal["mention", "entity"]) -> Tensor:
        """Return ``(n, dimension)``; an absent modality adds nothing, none at all gives 0."""
        found = []
        parts = (("text", items.text, items.text_mask), ("image", items.image, items.image_mask))
        for kind, values, mask in parts:
            projected = functional.normalize(values, dim=-1) @ self.towers[f"{side} {kind}"].T
            found.append(projected * mask.any(dim=-1, keepdim=True))
        return functional.normalize(found[0] + found[1], dim=-1)


def teacher_lists(
    teachers: Sequence[tuple[NDArray[np.bool_], MatchingNetwork]],
    entities: Items,
    pairs: Pairs,
    *,
    limit: int = 64,
) -> Lists:
    """Return what networks say of mentions that they did not learn from.

    Args:
        teachers: Each with the mentions ``(n,)`` that it judges; together they judge all once.
        entities: Vectors of the whole base.
        pairs: The mentions.
        limit: Most candidates of each.
    """
    width = min(limit, len(entities.text))
    ids = np.zeros((len(pairs.gold), width), dtype=np.int64)
    logits = np.zeros(ids.shape, dtype=np.float32)
    for judged, network in teachers:
        rows = np.flatnonzero(judged)
        asked = pairs.mentions.take(torch.from_numpy(rows))
        best = [part.topk(width, dim=1) for part in scored(network, entities, asked)]
        if best:
            ids[rows] = torch.cat([part.indices for part in best]).numpy()
            logits[rows] = torch.cat([part.values for part in best]).numpy()
    return Lists(ids=np.where(np.isfinite(logits), ids, -1), logits=logits)


def distillation_loss(
    cosines: Tensor, teacher: Tensor, gold: Tensor, config: DistillationConfig
) -> Tensor:
    """Return L of a batch.

    Args:
        cosines: ``(B, C)`` the student's; -inf where a column is not on the list of a row.
        teacher: ``(B, C)`` logits; -inf where the teacher did not score a column, or it is not on
            the list. A row without any gives no L_kd.
        gold: ``(B,)`` column of each row's entity.
        config: Temperature and weights.
    """
    tau = config.temperature
    logs = functional.log_softmax(cosines / tau, dim=1)
    own = logs.gather(1, gold[:, None])[:, 0]
    if config.weights == "none":
        return -own.mean()
    scored = torch.isfinite(teacher)
    known = scored.any(dim=1)
    lowest = torch.finfo(teacher.dtype).min
    belief = torch.softmax(teacher.masked_fill(~scored, lowest), dim=1) * scored
    gaps = belief * (belief.clamp_min(1e-12).log() - logs.masked_fill(~scored, 0.0))
    apart = tau**2 * gaps.sum(dim=1) * known
    weights = torch.ones_like(own)
    if config.weights == "dynamic":
        with torch.no_grad():
            weights = belief.gather(1, gold[:, None])[:, 0] * (1 - own.exp())
            weights = (weights / weights.mean().clamp_min(1e-12)).clamp(_LEAST, _MOST)
    return (weights * apart - own).mean()


def train_student(
    entities: Items, pairs: Pairs, lists: Lists, *, config: DistillationConfig, seed: int
) -> Student:
    """Return a student of what a teacher said.

    Args:
        entities: Vectors of the whole base.
        pairs: Mentions and their entities.
        lists: The teacher's, of the same mentions; it must not have learnt from these.
        config: How.
        seed: Of weights and batches.

    Raises:
        InputError: Lists and mentions do not fit, or there is none.
    """
    if len(lists.ids) != len(pairs.gold) or not len(pairs.gold):
        raise InputError(f"{len(lists.ids)} lists do not teach {len(pairs.gold)} mentions")
    entities, pairs = _light(entities), replace(pairs, mentions=_light(pairs.mentions))
    generator = torch.Generator().manual_seed(seed)
    sizes = (entities.text.shape[1], entities.image.shape[1])
    student = Student(*sizes, config.dimension, generator=generator)
    optimiser = AdamW(student.parameters(), lr=config.learning_rate)
    for _ in range(config.epochs):
        order = torch.randperm(len(pairs.gold), generator=generator)
        for rows in torch.split(order, config.batch):
            loss = _of_batch(student, entities, pairs, lists, rows, config)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return student.eval()


def _light(items: Items) -> Items:
    """Return items without the tokens, which no tower reads and every batch would copy."""
    return replace(
        items,
        text_tokens=items.text_tokens[:, :0],
        text_mask=items.text_mask.any(dim=1, keepdim=True),
        image_tokens=items.image_tokens[:, :0],
        image_mask=items.image_mask.any(dim=1, keepdim=True),
    )


def _of_batch(
    student: Student,
    entities: Items,
    pairs: Pairs,
    lists: Lists,
    rows: Tensor,
    config: DistillationConfig,
) -> Tensor:
    places = rows.numpy()
    own, ids, said = pairs.gold[places], lists.ids[places], lists.logits[places]
    hard = _hard(ids, own, 0 if config.weights == "none" else config.hard)
    columns = np.unique(np.concatenate([own, ids[hard]]))
    on_list = np.zeros((len(own), len(columns)), dtype=np.bool_)
    on_list[:, np.searchsorted(columns, own)] = True  # the entities of the batch
    teacher = np.full(on_list.shape, -np.inf, dtype=np.float32)
    row, place = np.nonzero(hard)
    on_list[row, np.searchsorted(columns, ids[row, place])] = True
    row, place = np.nonzero((ids >= 0) & np.isin(ids, columns))
    teacher[row, np.searchsorted(columns, ids[row, place])] = said[row, place]
    listed = torch.from_numpy(on_list)
    mentions = student(pairs.mentions.take(rows), "mention")
    theirs = student(entities.take(torch.from_numpy(columns)), "entity")
    return distillation_loss(
        (mentions @ theirs.T).masked_fill(~listed, float("-inf")),
        torch.from_numpy(teacher).masked_fill(~listed, float("-inf")),
        torch.from_numpy(np.searchsorted(columns, own)),
        config,
    )


def _hard(ids: Ids, own: Ids, count: int) -> NDArray[np.bool_]:
    """Return which places hold the best `count` wrong candidates of each row."""
    wrong = (ids >= 0) & (ids != own[:, None])
    kept: NDArray[np.bool_] = wrong & (np.cumsum(wrong, axis=1) <= count)
    return kept

"""Labels of regions, learnt from drawn examples and from descriptions of whole flags.

Training takes turns (hard EM): the network says what each region looks like, the description of
the flag says what must be there, the best assignment of the two becomes the next training set.
The drawn examples keep shapes from drifting; birds, lions and coats of arms, of which there are
no drawings, start from the regions that nothing else explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, SettingError
from kg.progress import Progress, silent
from scenes.assignment import Assignment, assign
from scenes.calibration import fit_platt
from scenes.descriptors import DESCRIPTORS, describe_regions
from scenes.labels import LabelModel, on_image
from scenes.lexicon import LABELS
from scenes.model import Region
from scenes.network import Network, NetworkConfig, train_network
from scenes.patches import PatchExpert, train_patch_expert
from scenes.shapes import drawn_scene
from scenes.wording import Described

__all__ = ["Example", "LabelConfig", "train_labels", "train_on_drawings", "with_undrawn"]

Floats = NDArray[np.float64]
Rows = tuple[Floats, NDArray[np.int64], Floats]

_EMBLEM = DESCRIPTORS.index("is_emblem")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelConfig:
    """How the label model is trained.

    Attributes:
        network: The classifier over descriptors.
        drawn: Flags drawn at random.
        drawn_weight: Weight of a drawn region; a described one has 1.
        rounds: Times that regions are assigned and the network is trained again.
        patch_weight: Share of the patch expert in the mixed log probability, where images come
            with patch vectors; chosen on valid.
        folds: Folds of the training images that calibrate each other.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    drawn: int = 400
    drawn_weight: float = 0.3
    rounds: int = 3
    patch_weight: float = 0.3
    folds: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.drawn, self.rounds) < 1 or self.folds < 2:
            raise SettingError("drawn and rounds must be at least 1, folds at least 2")
        if not 0 <= self.patch_weight < 1:
            raise SettingError(f"patch_weight must lie in [0, 1), got {self.patch_weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One image with its description.

    Attributes:
        regions: Largest first.
        descriptors: ``(regions, len(DESCRIPTORS))``.
        described: What the text says.
        patches: ``(regions, dimension)`` pooled patch vectors, if there is an encoder.
    """

    regions: tuple[Region, ...]
    descriptors: Floats
    described: Described
    patches: Floats | None = None


def train_labels(
    train: Sequence[Example],
    valid: Sequence[Example],
    config: LabelConfig,
    *,
    seed: int,
    progress: Progress = silent,
) -> tuple[LabelModel, list[Assignment]]:
    """Train the label model.

    Args:
        train: Images with descriptions.
        valid: Others, for the calibration only.
        config: How.
        seed: Of the drawings and of the networks.
        progress: Told networks trained.

    Returns:
        The model, and the assignment of the regions of each training image in the last round.

    Raises:
        InputError: No description names anything that a region could be.
    """
    total = 1 + config.rounds + config.folds
    one, two = (replace(config.network, members=members) for members in (1, 2))
    drawn = _drawings(config.drawn, config.drawn_weight, seed)
    network = _network([], drawn, one, seed)
    assignments: list[Assignment] = []
    for turn in range(config.rounds):
        progress(1 + turn, total)
        assignments = [
            assign(e.described, e.regions, _starting(network, e.descriptors, first=turn == 0))
            for e in train
        ]
        last = turn == config.rounds - 1
        kind = config.network if last else one
        network = _network([_rows(train, assignments)], drawn, kind, seed + turn + 1)
    model = LabelModel(
        network,
        _patch_expert(train, assignments),
        config.patch_weight,
        np.ones(len(LABELS)),
        np.zeros(len(LABELS)),
    )
    opinions = [model.opinion(e.descriptors, e.patches) for e in valid]
    seen = list(valid)
    for fold in range(config.folds):
        progress(1 + config.rounds + fold, total)
        inside = [n for n in range(len(train)) if n % config.folds != fold]
        outside = [train[n] for n in range(len(train)) if n % config.folds == fold]
        kept, given = [train[n] for n in inside], [assignments[n] for n in inside]
        if not kept or not outside:
            continue
        part = _network([_rows(kept, given)], drawn, two, seed + 100 + fold)
        half = replace(model, network=part, patches=_patch_expert(kept, given))
        opinions += [half.opinion(e.descriptors, e.patches) for e in outside]
        seen += outside
    progress(total, total)
    slope, shift = _calibration(seen, opinions)
    return replace(model, slope=slope, shift=shift), assignments


def train_on_drawings(drawn: int, *, seed: int, members: int = 3) -> Network:
    """Train a network on drawn flags alone: no picture that anybody else drew is looked at.

    Args:
        drawn: Flags to draw.
        seed: Of the drawings and of the networks.
        members: Networks whose probabilities are averaged.
    """
    return _network([], _drawings(drawn, 1.0, seed), NetworkConfig(members=members), seed)


def _network(real: list[Rows], drawn: Rows, config: NetworkConfig, seed: int) -> Network:
    inputs, classes, weights = (np.concatenate(part) for part in zip(*real, drawn, strict=True))
    return train_network(inputs, classes, weights, count=len(LABELS), config=config, seed=seed)


def _patch_expert(
    examples: Sequence[Example], assignments: Sequence[Assignment]
) -> PatchExpert | None:
    pooled = [example.patches for example in examples if example.patches is not None]
    if not pooled or len(pooled) < len(examples):
        return None
    _, classes, weights = _rows(examples, assignments)
    keep = np.concatenate([assignment.weight for assignment in assignments]) > 0
    return train_patch_expert(np.concatenate(pooled)[keep], classes, weights, count=len(LABELS))


def _calibration(examples: Sequence[Example], opinions: Sequence[Floats]) -> tuple[Floats, Floats]:
    slope, shift = np.ones(len(LABELS)), np.zeros(len(LABELS))
    found = np.array([on_image(opinion) for opinion in opinions]).reshape(-1, len(LABELS))
    for position, label in enumerate(LABELS):
        clear = [label not in e.described.unclear and label != "other" for e in examples]
        truth = np.array([label in e.described.labels for e in examples], dtype=bool)
        slope[position], shift[position] = fit_platt(found[clear, position], truth[clear])
    return slope, shift


@lru_cache(maxsize=1)
def _drawings(count: int, weight: float, seed: int) -> Rows:
    """Drawn regions; the same for every fold of a cross-validation, hence kept."""
    generator = np.random.default_rng(seed)
    numbers: dict[str, int] = {label: position for position, label in enumerate(LABELS)}
    rows, labels = [], []
    for _ in range(count):
        regions, names = drawn_scene(generator)
        rows.append(describe_regions(regions))
        labels += [numbers[name] for name in names]
    return np.concatenate(rows), np.array(labels, dtype=np.int64), np.full(len(labels), weight)


def _starting(network: Network, descriptors: Floats, *, first: bool) -> Floats:
    """Log probabilities; at first by drawings alone."""
    p = network.probabilities(descriptors)
    p = np.clip(with_undrawn(p, descriptors) if first else p, 1e-4, None)
    result: Floats = np.log(p / p.sum(axis=1, keepdims=True))
    return result


def with_undrawn(opinion: Floats, descriptors: Floats) -> Floats:
    """Give labels of which there are no drawings a share of what ``other`` gets.

    Args:
        opinion: ``(regions, len(LABELS))`` of a network that was trained on drawings alone.
        descriptors: ``(regions, len(DESCRIPTORS))``.

    Returns:
        ``(regions, len(LABELS))``; rows sum to 1.
    """
    p = opinion.copy()
    is_emblem = descriptors[:, _EMBLEM] > 0
    emblem, other = LABELS.index("emblem"), LABELS.index("other")
    p[is_emblem] *= 0.2
    p[is_emblem, emblem] = 0.7
    for name in ("bird", "lion", "emblem"):
        p[~is_emblem, LABELS.index(name)] = 0.3 * p[~is_emblem, other] + 0.01
    result: Floats = p / p.sum(axis=1, keepdims=True)
    return result


def _rows(examples: Sequence[Example], assignments: Sequence[Assignment]) -> Rows:
    """All weighted regions; the pieces of one described shape share its weight by a root."""
    weights = []
    for assignment in assignments:
        weight = assignment.weight.copy()
        for number in np.unique(assignment.mention):
            same = assignment.mention == number
            weight[same] /= np.sqrt(np.count_nonzero(same))
        weights.append(weight)
    joined = np.concatenate(weights) if weights else np.empty(0)
    keep = joined > 0
    if not keep.any():
        raise InputError("no training image has a region that its description names")
    descriptors = np.concatenate([example.descriptors for example in examples])
    labels = np.concatenate([assignment.label for assignment in assignments])
    return descriptors[keep], labels[keep], joined[keep]

from dataclasses import replace

import numpy as np
import torch

from reasoning.cones.part_encoder import HiddenFacts, PartEncoder, PartEncoderConfig
from reasoning.cones.parts import PartFeatures, scene_table, snapshot_table
from tests.reasoning.flag_world import flag_world

WORLD = flag_world(18)


def shifted(**shift: bool) -> PartEncoder:
    """An encoder whose axes are nothing but their shifts."""
    config = PartEncoderConfig(width=16, heads=2, **shift)
    made = PartEncoder(6, num_relations=2, num_classes=3, region_dim=0, config=config)
    torch.nn.init.zeros_(made.axis.weight)
    torch.nn.init.zeros_(made.axis.bias)
    return made.eval()


def test_a_class_shifts_the_axes_of_its_parts():
    made = shifted(label_shift=True)
    parts = scene_table(
        PartFeatures(
            ids=np.arange(3, dtype=np.int32),
            boxes=np.sort(np.random.default_rng(0).random((3, 4))).astype(np.float32),
            area_shares=np.ones(3, np.float32),
        ),
        labels=[2, 0, 3],
        edges=[],
        parent=-1,
        width=2,
        classes=np.arange(3, dtype=np.int32),
    )
    classes = torch.randn(3, 6)
    found = made(
        parts,
        np.arange(3),
        hidden=HiddenFacts(labels=np.array([2])),
        owners=torch.zeros(1, 24),
        classes=classes,
    )
    raw = torch.atanh(found.axes / torch.pi)
    likely = found.label_logits[:, 1:].softmax(1) @ classes
    torch.testing.assert_close(raw, torch.stack([classes[1], likely[1], likely[2]]))


def test_an_owner_shifts_the_axes_of_its_parts():
    made = shifted(owner_shift=True)
    parts = snapshot_table(
        WORLD.train, WORLD.features, label_relation="has_label", width=4, min_probability=0.5
    )
    rows = np.array([0, len(parts) - 1])
    assert parts.parents[0] != parts.parents[-1]
    owners = torch.randn(2, 24)
    empty = replace(
        parts,
        neighbours=np.full_like(parts.neighbours, -1),
        labels=np.zeros_like(parts.labels),
        regions=parts.regions[:, :0],
    )
    found = made(empty, rows, hidden=HiddenFacts(), owners=owners).axes
    torch.testing.assert_close(found, torch.pi * torch.tanh(made.shift(owners)))
    unknown = replace(empty, parents=np.full_like(parts.parents, -1))
    assert not made(unknown, rows, hidden=HiddenFacts(), owners=owners).axes.any()

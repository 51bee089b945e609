"""A linker of made-up names and mentions of them, for jobs that are killed."""

from __future__ import annotations

import random
from typing import Any

from encoders import TinyTextEncoder
from kg.model import Entity, EntityKey
from linkers import DecisionConfig, Encoders, KnowledgeBase, Linker, LinkerConfig, Mention

__all__ = ["made_up"]

SYLLABLES = ("ba", "do", "ki", "lu", "mer", "no", "pa", "ri", "sul", "ta", "ve", "zo")
ENTITIES = 120
ROWS = 120


def made_up(seed: int) -> tuple[Linker, list[dict[str, Any]]]:
    """Return a linker of made-up names, and rows of mentions, some of them broken."""
    chance = random.Random(seed)
    names: list[str] = []
    while len(names) < ENTITIES:
        name = "".join(chance.choices(SYLLABLES, k=3)).title()
        names += [] if name in names else [name]
    entities = [
        Entity(key=EntityKey(f"made:{n}"), label="Place", name=name) for n, name in enumerate(names)
    ]
    base = KnowledgeBase.build(entities)
    mentions = [
        Mention(id=f"m{n}", surface=name, context=f"the road to {name}")
        for n, name in enumerate(names)
    ]
    config = LinkerConfig(
        matching={"dimension": 16, "epochs": 1, "batch": 32},
        decision=DecisionConfig(hidden=8, members=1, epochs=5, batch=32),
    )
    encoders = Encoders(text=TinyTextEncoder(dimension=32))
    gold = [entity.key for entity in entities]
    linker = Linker.train(base, mentions, gold, encoders=encoders, config=config, seed=seed)
    rows: list[dict[str, Any]] = []
    for number in range(ROWS):
        name = chance.choice(names)
        row = {"id": f"r{number}", "mention": name, "context": f"They left {name} at dawn."}
        rows.append(row | {"page": f"p{number // 3}"})
        if number % 29 == 7:
            rows[-1]["mention"] = 7.5
    return linker, rows

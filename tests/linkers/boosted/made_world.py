"""Persons and places by rules, and mentions of them: what a linker can learn in a second."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

_FIRST = ("Ada", "Bruno", "Chloe", "Dmitri", "Elena", "Farid")
_LAST = ("Stone", "Rivera", "Novak", "Okafor", "Lindqvist", "Moreau", "Tanaka", "Haddad")
_TRADES = ("striker", "minister", "pianist", "chemist", "rower", "painter")
_TOWNS = ("Arden", "Belmont", "Corvo", "Dunmore", "Eastwick", "Farrow")


def entities() -> list[dict[str, Any]]:
    """48 persons, 12 places of six names."""
    rows = [
        {"entity_id": f"Q{100 + number}", "name": f"{first} {last}"}
        for number, (first, last) in enumerate((f, s) for s in _LAST for f in _FIRST)
    ]
    for number, town in enumerate(_TOWNS):
        rows.append({"entity_id": f"Q{10 + number}", "name": town})
        rows.append({"entity_id": f"Q{900 + number}", "name": f"{town} (ship)"})
    return rows


def mentions(count: int = 400, *, seed: int = 0) -> list[dict[str, Any]]:
    """Mentions by surname with the first name or the trade in the text, and of places and ships."""
    generator = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    names = entities()
    for number in range(count):
        entity = names[int(generator.integers(len(names)))]
        name, place = entity["name"], int(entity["entity_id"][1:])
        split = ("train", "train", "train", "valid", "test")[number % 5]
        if place < 100:
            surface, text = name, f"The road to {name} was closed."
        elif place >= 900:
            surface = name.removesuffix(" (ship)")
            text = f"The ship {surface} left the harbour."
        else:
            first, surface = name.split()
            trade = _TRADES[place % 6]
            hint = first if generator.random() < 0.5 else f"the {trade}"
            text = f"{surface} spoke; {hint} was cheered."
        rows.append(
            {
                "id": f"m{number}",
                "split": split,
                "mention": surface,
                "context": text,
                "caption_id": number // 2 if split == "train" else number + 10_000,
                "entity_id": entity["entity_id"],
            }
        )
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines; gzip where the name says so."""
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path

"""A small world with flags and capitals, and mentions of it."""

from __future__ import annotations

import numpy as np

from kg.model import Edge, Entity, EntityKey, ImageRef
from kg.provenance import Provenance
from linkers import KnowledgeBase, Mention

TOLD = (Provenance(kind="asserted", source="test"),)
COUNTRIES = {
    "PE": ("Peru", ("Pérou",), "Lima", ("CL", "BO")),
    "CL": ("Chile", ("Chili",), "Santiago", ("PE", "BO")),
    "BO": ("Bolivia", ("Bolivie",), "Sucre", ("PE", "CL")),
    "FR": ("France", ("Frankreich",), "Paris", ("ES", "DE")),
    "ES": ("Spain", ("Espagne", "España"), "Madrid", ("FR",)),
    "DE": ("Germany", ("Deutschland",), "Berlin", ("FR",)),
    "TR": ("Turkey", ("Türkiye",), "Ankara", ("IR",)),
    "IR": ("Iran", ("Persia",), "Tehran", ("TR",)),
    "IN": ("India", ("IN",), "Delhi", ()),
    "GN": ("Guinea", (), "Conakry", ("GW",)),
    "GW": ("Guinea-Bissau", ("Guinea",), "Bissau", ("GN",)),
    "US": ("United States", ("US", "USA"), "Washington", ()),
}


def flag(code: str) -> np.ndarray:
    colours = np.random.default_rng(list(code.encode())).integers(0, 256, (3, 3))
    return np.repeat(np.repeat(colours[:, None].astype(np.uint8), 20, axis=0), 90, axis=1).reshape(
        60, 90, 3
    )


def key(code: str) -> EntityKey:
    return EntityKey(f"country:{code}")


def world(*, labels: frozenset[str] | None = frozenset({"Country"})) -> KnowledgeBase:
    entities, edges = [], []
    for code, (name, aliases, capital, borders) in COUNTRIES.items():
        image = ImageRef(sha256=code, width=90, height=60, source="test")
        entities.append(
            Entity(key=key(code), label="Country", name=name, aliases=aliases, images=(image,))
        )
        city = EntityKey(f"city:{capital}")
        entities.append(Entity(key=city, label="City", name=capital))
        edges.append(Edge(head=key(code), relation="has_capital", tail=city, provenance=TOLD))
        edges += [
            Edge(head=key(code), relation="borders", tail=key(other), provenance=TOLD)
            for other in borders
        ]
    return KnowledgeBase.build(entities, edges, labels=labels, pixels=lambda ref: flag(ref.sha256))


PICTURES = {f"picture of {code}": flag(code)[4:, 6:] for code in COUNTRIES}


def examples(codes: list[str]) -> tuple[list[Mention], list[EntityKey | None]]:
    """Mentions of some countries in several disguises, and NIL."""
    mentions, gold = [], []

    def add(surface: str, text: str, code: str | None, image: str | None = None) -> None:
        start = text.find(surface) if surface and surface in text else None
        end = None if start is None else start + len(surface)
        mentions.append(
            Mention(
                id=f"m{len(mentions)}-{code}",
                surface=surface,
                context=text,
                start=start,
                end=end,
                image=image,
            )
        )
        gold.append(None if code is None else key(code))

    for code in codes:
        name, aliases, capital, borders = COUNTRIES[code]
        add(name, f"Trade with {name} grew.", code)
        add(name.lower() + "n", f"The {name.lower()}n people.", code)
        for alias in aliases:
            add(alias, f"{alias} was mentioned.", code)
        around = " and ".join(COUNTRIES[b][0] for b in borders) or "the sea"
        add("the country", f"the country lies between {around}, around {capital}", code)
        add("", "", code, f"picture of {code}")
    for absent in ("NATO", "Atlantis", "Soviet Union", "Zembla", "Ruritania"):
        add(absent, f"{absent} was founded long ago.", None)
    return mentions, gold

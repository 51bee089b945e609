"""A proof with every kind of node. ``python -m tests.golden.proofs.make`` writes the files anew."""

from __future__ import annotations

import json
from pathlib import Path

from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.explanations.shown import EdgeView, ShownNode, proof_json, show
from reasoning.explanations.svg import proof_svg
from reasoning.explanations.text import proof_text
from reasoning.predictors import NoPredictor
from reasoning.proof_tree import Proof
from reasoning.query import (
    Anchor,
    Compare,
    Intersection,
    Labelled,
    Negation,
    Projection,
    SoftAnchor,
    Union,
)
from reasoning.symbolic.answerer import SymbolicAnswerer

_HERE = Path(__file__).parent
_IMAGES = _HERE.parents[2] / "docs" / "images"
PLACES = {"proof.txt": _HERE, "proof.json": _HERE, "proof.svg": _IMAGES}  # the guide shows it

NAMES = {
    "country:TD": "Chad",
    "country:LY": "Libya",
    "country:SD": "Sudan",
    "language:ara": "Arabic",
    "language:fra": "French",
}


def world() -> Snapshot:
    entities = [
        Entity(
            key=EntityKey(key),
            label=key.partition(":")[0].title(),
            name=name,
            attributes={"area_km2": 1_284_000} if name == "Chad" else {},
        )
        for key, name in NAMES.items()
    ]
    edges = [
        Edge(
            head=EntityKey(head),
            relation=relation,
            tail=EntityKey(tail),
            provenance=(Provenance(kind="linked", source="a text", probability=probability),),
        )
        for head, relation, tail, probability in (
            ("country:LY", "borders", "country:TD", 0.75),
            ("country:SD", "borders", "country:TD", 0.5),
            ("country:LY", "speaks", "language:ara", 1.0),
            ("country:TD", "speaks", "language:ara", 0.25),
            ("country:TD", "speaks", "language:fra", 0.9375),
        )
    ]
    return build_snapshot(entities, edges)


def proof() -> Proof:
    arabic = Anchor(EntityKey("language:ara"))
    sudan = SoftAnchor(((EntityKey("country:SD"), 0.5),))
    tree = Intersection(
        (
            Projection("borders", Projection("speaks", arabic, inverse=True)),
            Union((Projection("borders", sudan), Projection("speaks", sudan))),
            Projection("speaks", Anchor(EntityKey("language:fra")), inverse=True),
            Labelled("Country"),
            Compare("area_km2", ">", 1_000_000),
            Negation(Projection("speaks", arabic, inverse=True)),
            Negation(Projection("borders", Labelled("Language"))),
        )
    )
    snapshot = world()
    answerer = SymbolicAnswerer(snapshot, NoPredictor(snapshot.num_entities))
    [found] = answerer.answer([tree], 1, with_proofs=True)
    [answer] = found.answers
    assert answer.proof is not None
    return answer.proof


def notes(edge: EdgeView) -> tuple[str, ...]:
    return ("because a reason",) if edge.status == "predicted" else ("linked: a text",)


def name(key: EntityKey) -> str:
    return NAMES[key]


def shown() -> ShownNode:
    return show(proof(), name)


def files() -> dict[str, bytes]:
    """Return what each format makes of the proof."""
    values = json.dumps(proof_json(proof(), name), indent=2, ensure_ascii=False)
    return {
        "proof.txt": f"{proof_text(shown(), notes)}\n".encode(),
        "proof.json": f"{values}\n".encode(),
        "proof.svg": proof_svg(shown(), notes),
    }


if __name__ == "__main__":
    for file, content in files().items():
        (PLACES[file] / file).write_bytes(content)

"""The queries of `bench.suggestions`: results over a graph, and the groups that lie in them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.protocols import TextEncoder
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.exact import answer_set
from reasoning.known_edges import Ids, KnownEdges, known_edges
from reasoning.query import Anchor, Intersection, Labelled, Projection

__all__ = ["Asked", "emoji_queries", "flag_queries"]

LEAST_CONCEPTS = 12
LEAST_GROUP = 3
TOLD = (Provenance(kind="asserted", source="emoji.jsonl"),)


@dataclass(frozen=True, eq=False)
class Asked:
    """A query with its results and the groups among them.

    Attributes:
        text: Its words.
        results: Ascending ids.
        groups: ``(results,)`` masks.
        edges: The graph.
        universe: Ascending ids of all that could be found.
        vectors: ``(universe, d)`` unit vectors of their texts.
        encoder: Of the texts.
    """

    text: str
    results: Ids
    groups: Sequence[NDArray[np.bool_]]
    edges: KnownEdges
    universe: Ids
    vectors: NDArray[np.float32]
    encoder: TextEncoder

    @property
    def split(self) -> str:
        """``valid`` or ``test``."""
        return "valid" if hashlib.sha256(self.text.encode()).digest()[0] % 2 else "test"


def emoji_queries(path: Path, encoder: TextEncoder) -> list[Asked]:
    """Return a query for each keyword of many concepts; groups are subcategories."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    words = {f"concept:{row['entity_id']}": _words(row) for row in rows}
    concepts = [Entity(key=EntityKey(f"concept:{r['entity_id']}"), label="Concept", name=r["name"])
                for r in rows]  # fmt: skip
    tags = sorted({word for some in words.values() for word in some})
    nodes = [*concepts, *(Entity(key=EntityKey(f"word:{t}"), label="Word", name=t) for t in tags)]
    edges = (
        Edge(head=EntityKey(key), relation="tagged", tail=EntityKey(f"word:{word}"),
             provenance=TOLD)
        for key, some in words.items() for word in some
    )  # fmt: skip
    known = known_edges(build_snapshot(nodes, edges))
    texts = {f"concept:{r['entity_id']}": "; ".join((r["name"], *_words(r))) for r in rows}
    universe, vectors = _universe(known, "Concept", texts, encoder)
    of = {known.snapshot.entity_id(f"concept:{r['entity_id']}"): r["subcategory"] for r in rows}
    found = []
    for tag in tags:
        results = answer_set(
            Projection("tagged", Anchor(EntityKey(f"word:{tag}")), inverse=True), known
        )
        if len(results) >= LEAST_CONCEPTS:
            groups = list(_groups([of[int(one)] for one in results]))
            if groups:
                found.append(Asked(tag, results, groups, known, universe, vectors, encoder))
    return found


def _words(row: dict[str, list[str]]) -> list[str]:
    return sorted({word.lower() for word in (*row["tags"], *row["keywords"]) if word.isalpha()})


def _universe(
    edges: KnownEdges, label: str, texts: dict[str, str], encoder: TextEncoder
) -> tuple[Ids, NDArray[np.float32]]:
    ids = edges.snapshot.ids_with_label(label)
    named = [texts[edges.snapshot.entities.name(int(one))] for one in ids]
    return ids, np.asarray(encoder.encode(named).pooled, dtype=np.float32)


def _groups(of: Sequence[object]) -> Iterator[NDArray[np.bool_]]:
    """Yield the groups with enough members that are not all of the results."""
    members: dict[object, list[int]] = defaultdict(list)
    for place, group in enumerate(of):
        members[group].append(place)
    for group in sorted(members, key=str):
        if LEAST_GROUP <= len(members[group]) < len(of):
            mask = np.zeros(len(of), dtype=np.bool_)
            mask[members[group]] = True
            yield mask


def flag_queries(folder: Path, encoder: TextEncoder, *, seed: int) -> list[Asked]:
    """Return a query for each region; groups are clusters of the flags' pictures."""
    from api.engine import Engine
    from api.search.meaning import text_of
    from api.steps.encoders import image_encoder
    from kg.snapshot import snapshot_of

    with Engine.open(folder) as engine:
        known = known_edges(snapshot_of(engine.store))
        countries = [e for e in engine.store.entities() if e.label == "Country"]
        universe, vectors = _universe(
            known, "Country", {e.key: text_of(e) for e in countries}, encoder
        )
        shown = {e.key: e.images[0].sha256 for e in countries if e.images}
        pixels = [np.asarray(engine.images.open(shown[key])) for key in sorted(shown)]
        pooled = np.asarray(image_encoder(engine).encode(pixels).pooled, dtype=np.float32)
    pictures = dict(zip(sorted(shown), pooled, strict=True))
    found = []
    for label in ("Region", "Subregion"):
        for region in known.snapshot.ids_with_label(label):
            key = known.snapshot.entities.name(int(region))
            place = Projection(f"in_{label.lower()}", Anchor(key), inverse=True)
            results = answer_set(Intersection((place, Labelled("Country"))), known)
            keys = [known.snapshot.entities.name(int(one)) for one in results]
            if len(results) >= LEAST_CONCEPTS and all(key in pictures for key in keys):
                groups = list(_groups(_clusters(np.array([pictures[k] for k in keys]), seed)))
                text = f"country in {known.snapshot.names[int(region)]}"
                if groups:
                    found.append(Asked(text, results, groups, known, universe, vectors, encoder))
    return found


def _clusters(vectors: NDArray[np.float32], seed: int) -> list[int]:
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    tried = []
    for k in range(2, 9):
        labels = KMeans(k, n_init=5, random_state=seed).fit_predict(vectors)
        tried.append((float(silhouette_score(vectors, labels)), -k, labels.tolist()))
    best: list[int] = max(tried)[2]
    return best

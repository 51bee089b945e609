"""M3EL on the demo's mentions, all three modules, trained, against the cosine of the same encoders.

Question: does the trained network alone link the demo's mentions (words, pictures, both) better
than the vectors that it stands on, and does each part earn its place? Rivals: cosines of MiniLM's
vectors, of the surface alone or of surface and text, and of DINOv2's class vectors about each
side's mean, added; what is read and the weight are chosen on valid. Command: ``python -m
bench.linking_demo_m3el --folder FOLDER --out docs/benchmarks`` (half an hour on two cores). FOLDER
is a working folder, such as `make demo` leaves; a new one gets the demo's graph. Variants are
judged on valid; test is read for the cosine and the settings of `umbra demo` alone. Writes
``linking-demo-m3el.json`` and ``linking-demo-m3el.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from api.demo.linking import DemoMentions, demo_mentions
from api.demo.recipe import Recipe, load_recipe
from api.engine import Engine
from api.steps.build import build_graph
from api.steps.knowledge_base import knowledge_base, linking_encoders
from bench.countries import DATA
from bench.linking_demo_m3el_page import page
from encoders.padding import unit
from evaluation import Measurement, current_commit, paired_bootstrap, ranks, this_machine
from kg.files import atomic_write, write_json
from linkers import Encoders, KnowledgeBase, Mention
from linkers.config import LinkerConfig
from linkers.evaluating import Judged
from linkers.evidence import Evidence
from linkers.fitting import labelled_pairs
from linkers.items import Items
from linkers.losses import fused
from linkers.matching import UNITS, MatchingNetwork
from linkers.training import fit_matching
from linkers.vectors import items_of

__all__ = ["SHIPPED", "VARIANTS", "main"]

SHIPPED = "as shipped"
VARIANTS: dict[str, dict[str, object]] = {
    SHIPPED: {},
    "random start, one rate, as shipped before": {"start": "random", "image_learning_rate": None},
    "without ICL": {"contrastive": 0.0},
    "with global to local": {"parts": "both"},
}
_BLOCK = 32
_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)
_NOTHING_IN_COMMON = -1e6  # an entity with which a mention shares no unit comes last
_SURFACE, _BOTH = "surface", "surface and text"

Hits = NDArray[np.float64]
Cosine = tuple[str, float]


class DemoSet:
    """The demo's base and mentions as vectors.

    Args:
        base: Without the entities that the evaluation withholds.
        told: The mentions.
        encoders: The demo's.
    """

    def __init__(self, base: KnowledgeBase, told: DemoMentions, encoders: Encoders) -> None:
        self.encoders, self.base, self.told = encoders, base, told
        self.evidence = Evidence(base, encoders)
        for part in (told.train, told.valid, told.test):
            self.evidence.prepare(part.mentions, told.pictures.images.get)
        self.entities = items_of(self.evidence.entity_vectors(), encoders)
        self._alike: dict[str, set[int]] = {}
        for group in told.test.alike:
            rows = {base.ids[key] for key in group if key in base.ids}
            self._alike |= dict.fromkeys(group, rows)

    def linkable(self, part: Judged) -> list[int]:
        """Return the places of the mentions whose entity the base has."""
        return [place for place, key in enumerate(part.gold) if key in self.base.ids]

    def kinds(self, part: Judged) -> NDArray[np.str_]:
        """Return which modalities each linkable mention has."""
        return np.array([_kind(part.mentions[place]) for place in self.linkable(part)])

    def items(self, part: Judged, *, text: bool = True) -> Items:
        """Return the vectors of the linkable mentions, with or without the text around them."""
        vectors = [self.evidence.mention_vectors(part.mentions[n]) for n in self.linkable(part)]
        if not text:
            vectors = [replace(row, text=None) for row in vectors]
        return items_of(vectors, self.encoders)

    def reciprocal(self, part: Judged, scores: NDArray[np.float64]) -> Hits:
        """Return ``(n,)`` realistic reciprocal ranks; of pictures drawn alike the best one counts.

        Args:
            part: Whose linkable mentions the rows are.
            scores: ``(n, entities)``.
        """
        found = np.empty(len(scores))
        for row, place in enumerate(self.linkable(part)):
            key = part.gold[place]
            assert key is not None, place
            same = {self.base.ids[key]}
            if part.groups[place] in part.alike_groups:
                same |= self._alike.get(key, set())
            best = max(same, key=lambda entity, row=row: scores[row, entity])
            gone = np.array(sorted(same - {best}), dtype=np.int64)
            left = np.delete(scores[row], gone)[None]
            found[row] = 1 / ranks(left, np.array([best - int((gone < best).sum())])).realistic[0]
        return found


def _kind(mention: Mention) -> str:
    if mention.image is None:
        return "words"
    return "words and picture" if mention.surface.strip() or mention.context.strip() else "picture"


def network_ranks(network: MatchingNetwork, data: DemoSet, part: Judged) -> dict[str, Hits]:
    """Return ``(n,)`` reciprocal ranks: with all units, and without each."""
    mentions, found = data.items(part), dict[str, list[Hits]]()
    with torch.inference_mode():
        whole = network.encode(data.entities, "entity")
        for start in range(0, len(mentions.text), _BLOCK):
            rows = torch.arange(start, min(start + _BLOCK, len(mentions.text)))
            scores, present = network(network.encode(mentions.take(rows), "mention"), whole)
            for left_out in (None, *range(len(UNITS))):
                kept = present.clone()
                if left_out is not None:
                    kept[left_out] = False
                name = "all" if left_out is None else UNITS[left_out]
                mean = fused(scores * kept, kept).double().numpy()
                found.setdefault(name, []).append(np.maximum(mean, _NOTHING_IN_COMMON))
    return {name: data.reciprocal(part, np.concatenate(rows)) for name, rows in found.items()}


def cosine_ranks(data: DemoSet, part: Judged, cosine: Cosine) -> Hits:
    """Return ``(n,)`` reciprocal ranks by cosines.

    Args:
        data: The set.
        part: Whose linkable mentions are ranked.
        cosine: What of the words is read, and the weight of pictures.
    """
    reads, weight = cosine
    mentions = data.items(part, text=reads == _BOTH)
    words = unit(mentions.text.numpy()) @ unit(data.entities.text.numpy()).T
    pictures = _centred(mentions) @ _centred(data.entities).T
    return data.reciprocal(part, (words + weight * pictures).astype(np.float64))


def _centred(items: Items) -> NDArray[np.float32]:
    """Return ``(n, dim)`` unit picture vectors about their mean; 0 where there is no picture."""
    has, rows = items.image_mask.any(dim=-1).numpy(), items.image.numpy()
    return np.where(has[:, None], unit(rows - rows[has].mean(axis=0)), 0.0).astype(np.float32)


def trained(data: DemoSet, settings: Mapping[str, object], seed: int) -> MatchingNetwork:
    """Return the network trained as `umbra demo` trains it, but for some settings."""
    shipped = LinkerConfig()
    config = replace(shipped, matching={**shipped.matching, **settings}).network(
        text_dimension=data.encoders.text.dimension, image_dimension=data.encoders.image_dimension
    )
    train, valid = (
        labelled_pairs(data.evidence, (part.mentions, part.gold))
        for part in (data.told.train, data.told.valid)
    )
    return fit_matching(data.entities, train, valid, config=config, seed=seed)


def figures(data: DemoSet, seeds: Sequence[int]) -> dict[str, Any]:
    """Return H@1 and MRR of the cosine and the network, and what parts and units are worth."""
    test, valid = data.told.test, data.told.valid
    choices = [(reads, weight) for reads in (_SURFACE, _BOTH) for weight in _WEIGHTS]
    chosen = max(choices, key=lambda choice: float(cosine_ranks(data, valid, choice).mean()))
    on_valid: dict[str, list[Hits]] = {"cosine": [cosine_ranks(data, valid, chosen)]}
    on_test: dict[str, list[Hits]] = {"cosine": [cosine_ranks(data, test, chosen)]}
    for variant, settings in VARIANTS.items():
        for seed in seeds:
            network = trained(data, settings, seed)
            on_valid.setdefault(variant, []).append(network_ranks(network, data, valid)["all"])
            sys.stderr.write(f"{variant}, seed {seed}: {on_valid[variant][-1].mean():.4f}\n")
            if variant == SHIPPED:
                for name, hits in network_ranks(network, data, test).items():
                    on_test.setdefault(name, []).append(hits)
    kinds, parts = data.kinds(test), {}
    for name in ("all mentions", *sorted(set(kinds.tolist()))):
        rows = kinds == name if name in kinds else np.ones(len(kinds), bool)
        ours, cosine = ([run[rows] for run in on_test[one]] for one in ("all", "cosine"))
        parts[name] = {
            "n": int(rows.sum()),
            "cosine": _both(cosine),
            "m3el": _both(ours),
            "gain": _gap(ours, cosine),
        }
    return {
        "cosine_reads": f"{chosen[0]}, picture × {chosen[1]:g}",
        "seeds": list(seeds),
        "test": parts,
        "lost_without": {unit_: _gap(on_test["all"], on_test[unit_]) for unit_ in UNITS},
        "valid": {
            name: _both(runs) | {"gain": _gap(runs, on_valid["cosine"])}
            for name, runs in on_valid.items()
        },
    }


def _both(runs: Sequence[Hits]) -> dict[str, Any]:
    return {
        "hits_at_1": [float((run >= 1).mean()) for run in runs],
        "mrr": [float(run.mean()) for run in runs],
    }


def _gap(ours: Sequence[Hits], theirs: Sequence[Hits]) -> dict[str, float]:
    """Return the difference in H@1 over mentions, of means over seeds, with its interval."""
    first, second = (np.mean([run >= 1 for run in runs], axis=0) for runs in (ours, theirs))
    gap = paired_bootstrap(first, second)
    return {"mean": gap.mean, "low": gap.low, "high": gap.high}


def opened_set(folder: Path, recipe: Recipe) -> DemoSet:
    """Return the demo's set; the graph is built where the folder has none."""
    with Engine.open(folder) as engine:
        build_graph(engine, recipe.path(recipe.graph.mapping))
        told = demo_mentions(recipe)
        whole = knowledge_base(engine, recipe.linking.label)
        return DemoSet(whole.without(told.withheld), told, linking_encoders(engine))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns an exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.linking_demo_m3el", description=__doc__)
    add = parser.add_argument
    add("--folder", type=Path, default=Path(".umbra"), help="working folder")
    add("--data", type=Path, default=DATA, help="the demo's data")
    add("--out", type=Path, default=Path("docs/benchmarks"), help="where results go")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2])
    given = parser.parse_args(arguments)
    clock, machine = Measurement.start(), this_machine()
    torch.set_num_threads(1)  # small products: more threads only wait for one another
    found = figures(opened_set(given.folder, load_recipe(given.data)), given.seeds)
    run = {
        "command": "python -m bench.linking_demo_m3el",
        "commit": current_commit(),
        "date": clock.date,
        "cores": machine.cores,
        "gpu": machine.gpu,
    }
    write_json(given.out / "linking-demo-m3el.json", {"run": run, **found})
    with atomic_write(given.out / "linking-demo-m3el.md") as file:
        file.write(page(run, found).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

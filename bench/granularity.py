"""Does prose cut as fine as a question wants answer more of it within a budget?

Question: over the Factbook (`bench.granularity_sets` says what is asked and which characters
answer), the share of an answer's characters that stand in a context of 200, 500 and 1,000 tokens,
and how many of them a token buys: with prose cut by sentence, by passage, by page, as ``auto``
chooses, and by 120 words whatever they are, without the attribute's name, as before. The entities
are the five that BM25 finds first; only how their prose is cut differs.

What ``auto`` gives each kind of question (`api.search.granularity.SUITED`), how long a passage is
(`kg.text_units.THIRD`) and how sharply words count (`api.retrieval.lines.SHARP`) were
chosen on valid, by the mean of the shares over kinds, budgets and layouts; test was looked at once.
Its questions are worded anew.

Command: ``python -m bench.granularity ../shared/data/countries --seed 0 --out docs/benchmarks``
(two minutes on a machine that does nothing else).
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from api.engine import Engine
from api.retrieval.evidence import evidence_of, passage_of
from api.retrieval.lines import Line, lines_about, packed, ranked, room_of
from api.retrieval.schemas import EvidenceOut
from api.search.granularity import DEFAULT, SUITED, asks
from api.settings import Settings
from api.workspace import Workspace
from bench.granularity_page import page
from bench.granularity_sets import LAYOUTS, Asked, Page, asked_of, countries, graph
from bench.run_record import keep, run_record
from evaluation import paired_bootstrap
from kg.backends.memory import MemoryStore
from kg.full_text_documents import prose_of
from kg.model import EntityKey
from kg.prose import Piece
from kg.text_units import GRANULARITIES, Granularity, Span

__all__ = ["BUDGETS", "main", "measured", "summary"]

BUDGETS = (200, 500, 1_000)
ROOMS = (0.5, 1.0, 1.5, 2.0)
"""What is tried: the room times this, so that a passage takes this many thirds of a budget."""
HITS = 5
"""Entities whose lines are looked at."""
SOURCE = "asserted factbook"
BEFORE = 120
"""Words of a passage, before."""
METHODS = ("before", *GRANULARITIES, "auto")
Row = dict[str, Any]
Gold = tuple[EntityKey, str, int, int]
"""Country, attribute, first character of the answer and one past the last."""


class Ways:
    """The lines about each entity, cut in each way; made once.

    Args:
        engine: The graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.cut = cache(self._cut)

    def _cut(self, key: EntityKey, name: str, room: int) -> Sequence[Line]:
        if name != "before":
            return lines_about(self._engine, key, cast("Granularity", name), room=room)
        entity = self._engine.store.entity(key)
        if entity is None:
            return ()
        found = [Line.of(one) for one in evidence_of(self._engine, entity) if one.kind != "passage"]
        for attribute, said in prose_of(entity):
            pieces = (Piece(attribute, a, b, said[a:b]) for a, b in _blind(said))
            found += [Line.of(passage_of(entity, piece, SOURCE, named=False)) for piece in pieces]
        return found

    def covered(
        self, text: str, keys: Sequence[EntityKey], name: str, gold: Gold, times: float = 1.0
    ) -> list[list[float]]:
        """Return what a context holds of an answer within each budget."""
        found, rows, cut = [], list[tuple[float, Line]](), -1
        for budget in BUDGETS:
            room = 0 if name in ("before", "sentence") else int(times * room_of(budget))
            if room != cut:
                rows = ranked([self.cut(key, name, room) for key in keys], text)
            cut = room
            found.append(_covered(packed(rows, budget), gold))
        return found


def measured(
    engine: Engine,
    layout: str,
    asked: Sequence[Asked],
    begins: Mapping[tuple[EntityKey, str], tuple[str, int]],
) -> Iterator[Row]:
    """Yield, for each question, what each method covers of its answer within each budget."""
    ways = Ways(engine)
    for one in asked:
        keys = [hit.key for hit in engine.search.words.search(one.text, k=HITS)]
        attribute, base = begins[one.country, one.field]
        gold = (one.country, attribute, base + one.start, base + one.end)
        row: Row = {"layout": layout, "kind": one.kind, "split": one.split, "asks": asks(one.text),
                    "country": one.country}  # fmt: skip
        for name in METHODS[:-1]:
            row[name] = ways.covered(one.text, keys, name, gold)
        for times in ROOMS if one.split == "valid" else ():
            row[f"{times:g}"] = ways.covered(one.text, keys, "passage", gold, times)
        yield row


def _blind(text: str) -> list[Span]:
    """Cut a text by words alone, as before."""
    said = [match.span() for match in re.finditer(r"\S+", text)]
    parts = [said[start : start + BEFORE] for start in range(0, len(said), BEFORE)]
    return [(part[0][0], part[-1][1]) for part in parts]


def _covered(kept: Sequence[EvidenceOut], gold: Gold) -> list[float]:
    """Return the share of an answer's characters that stand in some lines, and those a token."""
    key, attribute, first, last = gold
    held = 0
    for one in kept:
        if one.entity == key and one.place is not None:
            name, _, span = one.place.partition(" chars ")
            start, end = map(int, span.split("-"))
            if name == attribute:
                held += max(0, min(end, last) - max(start, first))
    return [held / (last - first), held / max(1, sum(one.tokens for one in kept))]


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return shares by method, layout, kind and budget, and the gaps of ``auto`` to the others."""
    found: dict[str, Any] = {"n": len(rows) // len(LAYOUTS), "shares": {}, "density": {}}
    means = {name: by_country(rows, name) for name in METHODS}
    for name in METHODS:
        found["shares"][name] = _by_cell(rows, name, 0)
        found["density"][name] = _by_cell(rows, name, 1)
    found["means"] = {name: float(np.mean(means[name])) for name in METHODS}
    found["gaps"] = {}
    for name in METHODS[:-1]:
        gap = paired_bootstrap(means["auto"], means[name])
        found["gaps"][name] = [gap.low, gap.mean, gap.high]
    return found


def _by_cell(rows: Sequence[Row], name: str, figure: int) -> dict[str, list[float]]:
    """Return the mean of a figure at each budget by layout and kind."""
    cells: dict[str, list[list[float]]] = {}
    for row in rows:
        figures = [at[figure] for at in row[name]]
        cells.setdefault(f"{row['layout']}, {row['kind']}", []).append(figures)
    return {cell: np.mean(figures, axis=0).tolist() for cell, figures in cells.items()}


def by_country(rows: Sequence[Row], name: str) -> np.ndarray:
    """Return each country's share: mean over kinds, of questions, layouts and budgets."""
    shares: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        mean = float(np.mean([at[0] for at in row[name]]))
        shares.setdefault(row["country"], {}).setdefault(row["kind"], []).append(mean)
    return np.array([np.mean([np.mean(of) for of in kinds.values()]) for kinds in shares.values()])


def _choices(valid: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return the mean share on valid of what is chosen there: by what is asked, and by length."""
    found: dict[str, dict[str, float]] = {}
    for kind in ("description", "fact", "words"):
        rows = [row for row in valid if row["asks"] == kind]
        found[kind] = {
            name: float(np.mean([[at[0] for at in row[name]] for row in rows] or [0.0]))
            for name in GRANULARITIES
        }
    found["thirds"] = {f"{one:g}": float(np.mean(by_country(valid, f"{one:g}"))) for one in ROOMS}
    return found


def _asked(pages: Sequence[Page], seed: int) -> Iterator[Row]:
    """Ask over both layouts."""
    asked = list(asked_of(pages, seed))
    with tempfile.TemporaryDirectory() as folder:
        for layout in LAYOUTS:
            entities, begins = graph(pages, layout)
            store = MemoryStore()
            store.upsert_entities(entities)
            place = Workspace(Path(folder) / layout)
            engine = Engine(place, settings=Settings(), store=store)
            yield from measured(engine, layout, asked, begins)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="factbook.jsonl.gz, flag_descriptions.jsonl.gz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, help="keeps what was measured, for another page")
    parser.add_argument("--most", type=int, help="countries; all by default")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    if given.rows is not None and given.rows.exists():
        rows = json.loads(given.rows.read_text(encoding="utf-8"))
    else:
        rows = list(_asked(countries(given.folder)[: given.most], given.seed))
    if given.rows is not None:
        given.rows.write_text(json.dumps(rows), encoding="utf-8")
    for row in rows:
        row["auto"] = row[SUITED[row["asks"]]]
    splits = {name: [row for row in rows if row["split"] == name] for name in ("valid", "test")}
    shown = ["../shared/data/countries", "--seed", str(given.seed)]
    result = {
        **run_record("bench.granularity", [*shown, "--out", "docs/benchmarks"]),
        "seed": given.seed,
        "budgets": list(BUDGETS),
        "suited": dict(SUITED),
        "default": DEFAULT,
        "choices": _choices(splits["valid"]),
        **{name: summary(of) for name, of in splits.items()},
    }
    keep(result, page, folder=given.out, name="granularity")


if __name__ == "__main__":
    main()

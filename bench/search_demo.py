"""How well does the search that is shipped find what stands in the demo, by where it stands?

Question: nDCG@10 and MRR of BM25 over all fields alone, of vectors alone, of both fused, and of the
routed and reranked search, on the demo's graph. Router and reranker are those that come with Umbra:
nothing is fitted here. `bench.search` fitted them on FB15k-237 and on half of the flags, so names
and facts of this graph are out of what they saw.

- ``names``: a mention of the test split whose form is no name in the graph: foreign names
  (Arabic, Chinese, Finnish, …) and adjectives; the country is meant.
- ``facts``: two or three facts of a country, as "borders Niger, speaks Arabic", that hold for it
  alone; seeded draws over the test half of the countries.
- ``picture``: the description of a flag of the test half, the country's names masked.

Command: ``python -m bench.search_demo FOLDER --out docs/benchmarks`` (two minutes); FOLDER is the
working folder of ``umbra demo``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from api.engine import Engine
from api.search.reranking import Reranker
from api.search.routing import Router
from bench.run_record import keep, run_record
from bench.search import judged
from bench.search_lists import lists_of
from bench.search_page import HEADS
from bench.search_sets import MOST, Asked, QuerySet, flag_set
from encoders import packaged_text_encoder
from kg.backends.memory import MemoryStore
from kg.model import EntityKey
from kg.store import Store

__all__ = ["SAID", "demo_sets", "fact_queries", "main", "measured", "page"]

DATA = Path("examples/countries")
GROUPS = ("foreign", "adjectives")
SAID = {
    "borders": "borders {}",
    "speaks": "speaks {}",
    "uses_currency": "uses {}",
    "in_subregion": "in {}",
}
"""Relations of a country, as a query says them."""
SHOWN = ("words", "meaning", "unified", "equal", "routed", "reranked")
RIVALS = ("words", "meaning", "unified")


def name_queries(path: Path) -> Iterator[Asked]:
    """Yield the mentions of the test split that are no names in the graph, each once."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    wanted = [row for row in rows if row["split"] == "test" and row["group"] in GROUPS]
    meant: dict[str, set[str]] = defaultdict(set)
    for row in wanted:
        meant[row["mention"]].add(row["entity_id"])
    for mention, ids in meant.items():
        if len(ids) == 1:  # one that means two countries has no right answer
            yield Asked(mention, EntityKey(f"country:{ids.pop()}"))


def fact_queries(store: Store, seed: int) -> Iterator[Asked]:
    """Yield facts that hold for one country alone, for each country that has such."""
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for relation in SAID:
        for edge in store.edges(relation=relation):
            if edge.head.startswith("country:"):
                holders[relation, edge.tail].add(edge.head)
    names = {entity.key: entity.name for entity in store.entities()}
    facts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for fact, heads in sorted(holders.items()):
        for head in heads:
            facts[head].append(fact)
    for head, own in sorted(facts.items()):
        draw = random.Random(f"{seed} {head}")  # of the country alone: others change nothing
        sets = [some for size in (2, 3) for some in combinations(own, size)]
        draw.shuffle(sets)
        for some in sets:
            if set.intersection(*(holders[fact] for fact in some)) == {head}:
                text = ", ".join(SAID[name].format(names[EntityKey(tail)]) for name, tail in some)
                yield Asked(text, EntityKey(head))
                break


def demo_sets(store: Store, data: Path, seed: int) -> list[QuerySet]:
    """Return the sets, the queries of test alone."""
    flags = flag_set(store, data / "flag_descriptions.jsonl.gz")
    held = {
        "names": list(name_queries(data / "mentions.jsonl.gz"))[:MOST],
        "facts": [one for one in fact_queries(store, seed) if one.split == "test"][:MOST],
        "picture": flags.queries["test"],
    }
    return [
        QuerySet(name, store, {"test": asked}, labels=("Country",)) for name, asked in held.items()
    ]


def measured(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the shipped search reaches on each set, beside words and vectors alone."""
    sets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        sets[row["set"]].append(dict(row))
    router, reranker = Router.packaged(), Reranker.packaged()
    return {name: judged(asked, name, router, reranker) for name, asked in sorted(sets.items())}


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    told = (
        "nDCG@10 (standard error), MRR. Router and reranker are those that are shipped, fitted on"
        " FB15k-237 and on the flags of other countries ([search](search.md)); names and facts of"
        " this graph they never saw. All 250 countries are searched. Test queries alone, looked at"
        f" once. `{result['command']}`, commit {result['commit']}, {result['date']},"
        f" {result['machine']['cores']} cores, seed {result['seed']}."
    )
    lines = [
        "<!-- Written by `python -m bench.search_demo`. -->",
        "",
        "# Search on the demo",
        "",
        told,
    ]
    lines += ["", f"| answer stands in | n | {' | '.join(HEADS[name] for name in SHOWN)} |"]
    lines += [f"|---|---:|{'---:|' * len(SHOWN)}"]
    for kind, row in result["test"].items():
        cells = [
            "{ndcg_at_10:.3f} ({se:.3f}), {mrr:.3f}".format(**row["scores"][name]) for name in SHOWN
        ]
        lines.append(f"| {kind} | {row['n']} | {' | '.join(cells)} |")
    lines += ["", "| reranked minus | " + " | ".join(HEADS[name] for name in RIVALS) + " |"]
    lines += ["|---|---:|---:|---:|"]
    shown = "{1:+.3f} [{0:+.3f}, {2:+.3f}]"
    for kind, row in result["test"].items():
        cells = [shown.format(*row["reranking"][name]) for name in RIVALS]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    lines += ["", "Gaps are of nDCG@10 with 95 % intervals of a paired bootstrap over queries."]
    gaps = [
        (f"{kind} than {HEADS[name]}", row["reranking"][name])
        for kind, row in result["test"].items()
        for name in RIVALS
    ]
    better = [told for told, (low, _, _) in gaps if low > 0]
    worse = [told for told, (_, _, high) in gaps if high < 0]
    for verb, named in (("better", better), ("worse", worse)):
        lines.append(f"The shipped search is surely {verb} on: {'; '.join(named) or 'none'}.")
    lines += ["", (
        "`names` are foreign names and adjectives that no name of the graph spells; `facts` are two"
        " or three facts that hold for one country alone, as “borders Niger, speaks Arabic”;"
        " `picture` is the description of a flag. The demo holds no prose of entities."
    )]  # fmt: skip
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="working folder of `umbra demo`")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    store = MemoryStore()  # every query reads thousands of edges
    with Engine.open(given.folder) as engine:
        encoder = packaged_text_encoder(engine.workspace.indexes, workers=1, remembers=False)
        store.upsert_entities(engine.store.entities())
        store.upsert_edges(engine.store.edges())
    found = measured(list(lists_of(demo_sets(store, given.data, given.seed), encoder, None)))
    record = run_record("bench.search_demo", ["FOLDER", "--out", "docs/benchmarks"])
    result = {**record, "seed": given.seed, "test": found}
    keep(result, page, folder=given.out, name="search-demo")


if __name__ == "__main__":
    main()
